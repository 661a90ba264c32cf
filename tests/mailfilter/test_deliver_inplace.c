/* SPDX-License-Identifier: ISC
 *
 * Delivery in place against a server that follows a script: what is said in which order, and what a
 * server that refuses, lies, or goes away at any step leaves behind. */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/inplace.h"

#include "tests/mailfilter/fake_server.h"

static char top[64], user[] = "user", host[] = "127.0.0.1", password[] = "pass";
static struct account_settings account;
static struct deliver_tools tools;

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_inplace.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	account = (struct account_settings){ .kind = SOURCE_IMAP,
		.user = user,
		.host = host,
		.tls = TLS_NONE,
		.password = password,
		.deliver_kind = DELIVER_INPLACE,
		.after_kind = AFTER_DELETE,
		.message_max = 100000,
		.timeout_ms = 2000 };
	tools = (struct deliver_tools){ .account = &account,
		.dir = top,
		.owner = "0123abcd",
		.spool = top,
		.wait = &stream_wait_plain };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(top, true, NULL);
}

#define CAPABLE "> * CAPABILITY IMAP4rev1 UIDPLUS MOVE", "> $ OK done"
#define LOGIN                                                                            \
	"> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN \"user\" \"pass\"",            \
		"> $ OK welcome", "< CAPABILITY", CAPABLE
#define FOLDER                                                                           \
	"> * FLAGS (\\Seen x)", "> * OK [PERMANENTFLAGS (\\Seen \\*)] y",                \
		"> * 5 EXISTS", "> * OK [UIDVALIDITY 7] x", "> * OK [UIDNEXT 10] x",     \
		"> $ OK [READ-ONLY] done"
#define ENTER LOGIN, "< EXAMINE \"Inb&AOQ-\"", FOLDER
#define NOOP  "< NOOP", "> $ OK done"
#define LOOK  "< UID FETCH 4 (UID FLAGS INTERNALDATE)"
#define FACTS                                                                            \
	("> * 4 FETCH (UID 4 FLAGS (\\Seen \\Recent $Work) INTERNALDATE "                \
	 "\" 1-Feb-2020 03:04:05 -0730\")"),                                             \
		"> $ OK done"
#define ODD_FACTS                                                                         \
	("> * 4 FETCH (UID 4 FLAGS (\\Odd \\Flagged $Work \\flagged $work) INTERNALDATE " \
	 "\"31-Feb-2020 03:04:05 +0199\")")
#define APPEND "< APPEND \"Inb&AOQ-\" (\\Seen $Work) \"01-Feb-2020 03:04:05 -0730\" {45}"
/* Behind it the tag is what a literal began with: 7 in most. */
#define BYTES                                                                            \
	"< X-Quarantine-ID: the-token\r\n", "< \r\n", "< cleaned\r\n", "< \r\n",         \
		"< xx\r\n", "< \r\n"
#define FIND                                                                             \
	("< UID FETCH 10:* (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-QUARANTINE-ID "   \
	 "MESSAGE-ID)]<0.2000>)")
#define FOUND(uid, token)                                                                \
	("= * 6 FETCH (UID " uid                                                         \
	 " RFC822.SIZE 45 BODY[HEADER.FIELDS (X-QUARANTINE-ID MESSAGE-ID)]<0> "          \
	 "{30}\r\nX-Quarantine-ID: " token "\r\n\r\n)\r\n")
#define UID_LAST                                                                         \
	("= * 6 FETCH (BODY[HEADER.FIELDS (X-QUARANTINE-ID MESSAGE-ID)]<0> "             \
	 "{30}\r\nX-Quarantine-ID: the-token\r\n\r\n UID 11 RFC822.SIZE 47)\r\n")
#define DONE "> $ OK done"
#define HEAD(uid)                                                                        \
	("< UID FETCH " uid " (UID BODY.PEEK[]<0.8192>)"),                               \
		("= * 6 FETCH (UID " uid " BODY[]<0> {5}\r\nhello)\r\n"), "> $ OK done"
#define LOGOUT "< LOGOUT", "> * BYE bye", "> $ OK done"

static const char cleaned[] = "X-Quarantine-ID: the-token\r\n\r\ncleaned\r\n\r\nxx\r\n";

/* One message on its way to a server, and what became of it. */
struct run {
	struct fake_server fake;
	struct deliver *deliver;
	struct message *message;
	int wrote, showed; /* 2: not tried */
	struct err err;
};

static void run_start(struct run *run, const char *const *script)
{
	*run = (struct run){ .fake = fake_start(script), .wrote = 2, .showed = 2 };
	account.port = run->fake.port;
	if (deliver_open(&tools, &run->deliver, &run->err) < 0)
		fail_msg("%s", run->err.text);
	run->message = message_new(top, 100000);
	assert_non_null(run->message);
	(void)strcpy(run->message->key.folder, "Inb\xc3\xa4");
	(void)strcpy(run->message->key.uid, "4");
	(void)strcpy(run->message->name, "1.name");
	(void)strcpy(run->message->quarantine_id, "the-token");
	run->message->key.uidvalidity = 7;
	run->message->action = ACTION_CLEAN;
	assert_int_equal(
		body_add(&run->message->cleaned, span_str(cleaned), &run->err), 0);
}

static void run_deliver(struct run *run)
{
	run->wrote = run->deliver->ops->write(run->deliver, run->message, &run->err);
	if (run->wrote != 0)
		return;
	run->message->repeat = true;
	run->showed = run->deliver->ops->show(run->deliver, run->message, &run->err);
}

/* The script's end, unless the server left in the middle of it. */
static void run_end(struct run *run, bool whole)
{
	message_free(run->message);
	run->deliver->ops->close(run->deliver);
	if (!fake_end(&run->fake) && whole)
		fail_msg("the script did not come to its end");
}

static void run_one(struct run *run, const char *const *script)
{
	run_start(run, script);
	run_deliver(run);
}

static size_t journaled(void)
{
	struct inplace_journal journal = { 0 };
	size_t count;

	assert_int_equal(inplace_journal_open(top, &journal, NULL), 0);
	count = journal.count;
	inplace_journal_close(&journal);
	return count;
}

static void a_copy_has_flags_and_date_and_is_found_by_its_token(void **state)
{
	/* In any order, with news in between; a false APPENDUID is not even looked at. */
	static const char *const script[] = { ENTER, NOOP, LOOK,
		"> * 2 FETCH (FLAGS (\\Deleted))", FACTS, APPEND, "> * 6 EXISTS",
		"> * 1 RECENT", "> * 3 FETCH (FLAGS (\\Seen))", "> + go on", BYTES,
		"> * 7 EXISTS", "> 7 OK [APPENDUID 99 1234567] done", NOOP, FIND,
		FOUND("9", "the-token"), FOUND("13", "the-token"),
		FOUND("12", "not-token"), UID_LAST, DONE, HEAD("11"), LOGOUT, NULL };
	struct run run;

	(void)state;
	run_one(&run, script);
	if (run.showed != 0)
		fail_msg("%s", run.err.text);
	assert_int_equal(run.message->placed.uid, 11);
	assert_int_equal(run.message->placed.uidvalidity, 7);
	assert_int_equal(run.message->placed.size, 47);
	assert_true(run.message->placed.head.known);
	assert_int_equal(journaled(), 1);
	run.deliver->ops->forget(run.deliver, "1.name");
	assert_int_equal(journaled(), 0);
	run_end(&run, true);
}

static void what_has_gone_is_not_brought_back(void **state)
{
	static const char *const script[] = { ENTER, NOOP, LOOK,
		"> * 5 FETCH (UID 5 FLAGS ())", "> $ OK done", LOGOUT, NULL };
	static const char *const issued[] = { ENTER, NOOP, LOOK,
		"> $ NO [EXPUNGEISSUED] gone", LOGOUT, NULL };
	const char *const *const scripts[] = { script, issued };
	struct run run;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		run_one(&run, scripts[i]);
		assert_int_equal(run.showed, 0);
		assert_int_equal(run.message->placed.uid, 0);
		assert_non_null(strstr(run.message->remark, "it has left its folder"));
		assert_int_equal(journaled(), 0);
		run_end(&run, true);
	}
}

static void odd_flags_and_dates_do_not_go_back(void **state)
{
	static const char *const script[] = { ENTER, NOOP, LOOK, ODD_FACTS, "> $ OK done",
		"< APPEND \"Inb&AOQ-\" (\\Flagged $Work) {45}", "> $ NO no", LOGOUT,
		NULL };
	struct run run;

	(void)state;
	run_one(&run, script);
	assert_int_equal(run.showed, -1);
	assert_non_null(strstr(run.err.text, "refuses: no"));
	run_end(&run, true);
}

static void a_refusal_is_final_and_leaves_nothing(void **state)
{
	static const char *const before[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"> $ NO [OVERQUOTA] full", LOGOUT, NULL };
	static const char *const behind[] = { ENTER, NOOP, LOOK, FACTS, APPEND, "> +",
		BYTES, "> 7 NO [TRYCREATE] gone", LOGOUT, NULL };
	static const char *const bad[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"> $ BAD what", NULL };
	static const struct {
		const char *const *script;
		const char *says;
	} cases[] = { { before, "the server refuses: [OVERQUOTA] full" },
		{ behind, "the server refuses: [TRYCREATE] gone" },
		{ bad, "the server does not take a command: what" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run;

		run_one(&run, cases[i].script);
		if (run.showed != -1 || run.err.kind != ERR_AGAIN ||
			!strstr(run.err.text, cases[i].says))
			fail_msg("case %zu: %d, %s", i, run.showed, run.err.text);
		assert_false(run.message->repeat);
		assert_int_equal(run.message->placed.uid, 0);
		assert_int_equal(journaled(), 0);
		run_end(&run, true);
	}
}

/* The whole conversation; each step of the server's is a place to stop. */
static const char *const conversation[] = { ENTER, NOOP, LOOK, FACTS, APPEND, "> + go on",
	BYTES, "> 7 OK done", NOOP, FIND, FOUND("11", "the-token"), DONE, HEAD("11"),
	NULL };

static void a_connection_lost_at_any_step_is_told_for_what_it_is(void **state)
{
	const size_t steps = sizeof(conversation) / sizeof(conversation[0]) - 1;
	const char *script[sizeof(conversation) / sizeof(conversation[0]) + 2];
	size_t doubts = 0, sure = 0;

	(void)state;
	for (size_t end = 0; end < steps; end++) {
		bool begun = false;
		struct run run;

		memcpy(script, conversation, end * sizeof(*script));
		script[end] = "! reset";
		script[end + 1] = NULL;
		/* What is read of a literal's lines belongs to one step. */
		if (conversation[end][0] == '<' && end > 0 &&
			conversation[end - 1][0] == '<')
			continue;
		for (size_t i = 0; i < end; i++)
			begun = begun || strcmp(conversation[i], "> + go on") == 0;
		run_one(&run, script);
		if (run.wrote == 0 ? run.showed != -1 : run.wrote != -1)
			fail_msg("step %zu: %d, %d", end, run.wrote, run.showed);
		assert_int_equal(run.err.kind, ERR_AGAIN);
		/* In doubt it is only once the server was told to take the bytes. */
		assert_int_equal(journaled(), begun ? 1 : 0);
		if (begun) {
			assert_true(run.message->repeat);
			doubts++;
		} else {
			sure++;
		}
		run_end(&run, false);
		(void)unlink("inplace.journal");
		assert_int_equal(file_remove_tree(top, false, NULL), 0);
	}
	assert_true(doubts >= 4 && sure >= 10);
}

static void put_entry(int64_t until_s)
{
	struct inplace_entry entry = {
		.uidvalidity = 7, .from_uid = 10, .until_s = until_s
	};
	struct inplace_journal journal = { 0 };

	(void)strcpy(entry.name, "1.name");
	(void)strcpy(entry.token, "the-token");
	(void)strcpy(entry.folder, "Inb\xc3\xa4");
	assert_int_equal(inplace_journal_open(top, &journal, NULL), 0);
	assert_int_equal(inplace_journal_put(&journal, &entry, NULL), 0);
	inplace_journal_close(&journal);
}

static void what_a_crash_cut_off_is_looked_for_before_it_is_put_again(void **state)
{
	static const char *const found[] = { ENTER, FIND, FOUND("15", "the-token"), DONE,
		HEAD("15"), LOGOUT, NULL };
	/* Not there, though it had its time; then a NOOP shows what came meanwhile. */
	static const char *const none[] = { ENTER, FIND, FOUND("15", "not-token"), DONE,
		NOOP, FIND, DONE, NOOP, LOGOUT, NULL };
	static const char *const late[] = { ENTER, FIND, DONE, NOOP, FIND,
		FOUND("15", "the-token"), DONE, HEAD("15"), LOGOUT, NULL };
	struct run run;

	(void)state;
	put_entry(clock_wall_s());
	run_start(&run, found);
	assert_int_equal(run.deliver->ops->write(run.deliver, run.message, &run.err), 1);
	assert_int_equal(run.message->placed.uid, 15);
	run_end(&run, true);

	put_entry(clock_wall_s() + 1);
	run_start(&run, late);
	assert_int_equal(run.deliver->ops->write(run.deliver, run.message, &run.err), 1);
	run_end(&run, true);

	put_entry(clock_wall_s() + 1);
	run_start(&run, none);
	assert_int_equal(run.deliver->ops->write(run.deliver, run.message, &run.err), 0);
	assert_int_equal(journaled(), 0);
	run_end(&run, true);
}

static void what_the_server_took_and_does_not_show_is_not_put_again_at_once(void **state)
{
	static const char *const script[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"> + go on", BYTES, "> 7 OK [APPENDUID 7 11] done", NOOP, FIND, DONE,
		LOGOUT, NULL };
	static const char *const again[] = { ENTER, FIND, DONE, LOGOUT, NULL };
	struct run run;

	(void)state;
	run_one(&run, script);
	assert_int_equal(run.showed, -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "does not show it"));
	assert_true(run.message->repeat);
	run_end(&run, true);
	run_one(&run, again);
	assert_int_equal(run.wrote, -1);
	assert_non_null(strstr(run.err.text, "does not show it"));
	run_end(&run, true);
}

static void where_the_folder_was_numbered_anew_all_of_it_is_looked_through(void **state)
{
	static const char *const script[] = { LOGIN, "< EXAMINE", "> * 2 EXISTS",
		"> * OK [UIDVALIDITY 8] x", "> * OK [UIDNEXT 3] x", "> $ OK done",
		"< UID FETCH 1:*", FOUND("2", "the-token"), DONE, HEAD("2"), LOGOUT,
		NULL };
	static const char *const other[] = { LOGIN, "< EXAMINE", "> * 2 EXISTS",
		"> * OK [UIDVALIDITY 8] x", "> $ OK done", LOGOUT, NULL };
	struct run run;

	(void)state;
	put_entry(clock_wall_s());
	run_start(&run, script);
	assert_int_equal(run.deliver->ops->write(run.deliver, run.message, &run.err), 1);
	assert_int_equal(run.message->placed.uid, 2);
	assert_int_equal(run.message->placed.uidvalidity, 8);
	run.deliver->ops->forget(run.deliver, "1.name");
	run_end(&run, true);

	run_one(&run, other);
	assert_int_equal(run.wrote, -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "numbers its messages anew"));
	run_end(&run, true);
}

static int count_placed(void *arg, const struct deliver_placed *placed, struct err *err)
{
	(void)err;
	assert_string_equal(placed->name, "1.name");
	assert_string_equal(placed->folder, "Inb\xc3\xa4");
	assert_int_equal(placed->placed.uid, 15);
	assert_int_equal(placed->placed.uidvalidity, 7);
	(*(int *)arg)++;
	return 0;
}

static void copies_are_told_before_folders_are_listed(void **state)
{
	static const char *const found[] = { ENTER, FIND, FOUND("15", "the-token"), DONE,
		HEAD("15"), LOGOUT, NULL };
	static const char *const none[] = { ENTER, FIND, DONE, LOGOUT, NULL };
	static const char *const away[] = { "! reset", NULL };
	const char *const *const scripts[] = { found, none, away };
	const int told[] = { 1, 0, 0 };
	const size_t left[] = { 1, 0, 1 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct run run;
		int count = 0;

		put_entry(clock_wall_s());
		run_start(&run, scripts[i]);
		assert_int_equal(run.deliver->ops->placed(
					 run.deliver, count_placed, &count, &run.err),
			0);
		assert_int_equal(count, told[i]);
		assert_int_equal(journaled(), left[i]);
		run_end(&run, false);
	}
}

static void what_is_not_changed_needs_no_server(void **state)
{
	static const char *const script[] = { "! reset", NULL };
	static const enum action actions[] = { ACTION_DELIVER, ACTION_NONE };
	struct run run;

	(void)state;
	run_start(&run, script);
	for (size_t i = 0; i < 2; i++) {
		run.message->action = actions[i];
		run_deliver(&run);
		assert_int_equal(run.wrote, 0);
		assert_int_equal(run.showed, 0);
	}
	/* The script ends once somebody connects. */
	run.message->action = ACTION_CLEAN;
	run_deliver(&run);
	assert_int_equal(run.wrote, -1);
	run_end(&run, false);
}

static void a_copy_without_its_token_is_not_put(void **state)
{
	static const char *const script[] = { ENTER, LOGOUT, NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	(void)strcpy(run.message->quarantine_id, "another");
	run_deliver(&run);
	assert_int_equal(run.showed, -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "no X-Quarantine-ID"));
	run_end(&run, true);
}

#define WRITE                                                                            \
	"< SELECT \"Inb&AOQ-\"", FOLDER,                                                 \
		"< UID STORE 4 +FLAGS.SILENT ($MailfilterUnscannable)"

static void a_tag_is_a_keyword_where_the_server_keeps_them(void **state)
{
	static const char *const kept[] = { ENTER, NOOP, LOOK, FACTS, WRITE, DONE, LOOK,
		"> * 4 FETCH (UID 4 FLAGS (\\Seen $mailfilterunscannable))", DONE, LOGOUT,
		NULL };
	static const char *const dropped[] = { ENTER, NOOP, LOOK, FACTS, WRITE, DONE,
		LOOK, FACTS, LOGOUT, NULL };
	static const char *const no[] = { ENTER, NOOP, LOOK, FACTS, WRITE, "> $ NO never",
		LOGOUT, NULL };
	static const char *const bad[] = { ENTER, NOOP, LOOK, FACTS, WRITE,
		"> $ BAD what", NULL };
	static const struct {
		const char *const *script;
		const char *remark;
	} cases[] = { { kept, "" },
		{ dropped, "not marked: the server keeps no keywords" },
		{ no, "not marked: cannot set a keyword: the server refuses: never" },
		{ bad, "not marked: the server does not take a command: what" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run;

		run_start(&run, cases[i].script);
		run.message->action = ACTION_TAG;
		run_deliver(&run);
		assert_int_equal(run.showed, 0);
		assert_int_equal(run.message->placed.uid, 0);
		if (cases[i].remark[0] ? !strstr(run.message->remark, cases[i].remark)
				       : run.message->remark[0] != '\0')
			fail_msg("case %zu: %s", i, run.message->remark);
		run_end(&run, true);
	}
}

static void a_server_that_does_not_go_on_with_a_message_is_left(void **state)
{
	static const char *const literal[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"= * LIST () {5}\r\nhello\r\n* 4 FETCH (BODY[] {3}\r\n", "! stall",
		NULL };
	static const char *const endless[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"! flood * 6 EXISTS\r\n", NULL };
	const char *const *const scripts[] = { literal, endless };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const int64_t from_ms = clock_ms();
		struct run run;

		run_one(&run, scripts[i]);
		assert_int_equal(run.showed, -1);
		assert_int_equal(run.err.kind, ERR_AGAIN);
		assert_false(run.message->repeat);
		assert_in_range(clock_ms() - from_ms, 0, 8000);
		run_end(&run, true);
	}
}

static void what_is_released_goes_back_as_it_is_and_is_found_by_its_bytes(void **state)
{
	static const char *const script[] = { ENTER, NOOP,
		"< APPEND \"Inb&AOQ-\" () {10}", "> + go on", "< infected\r\n", "< \r\n",
		"> 6 OK done", NOOP, "< UID FETCH 10:* (UID RFC822.SIZE INTERNALDATE)",
		"> * 5 FETCH (UID 10 RFC822.SIZE 11)",
		"> * 6 FETCH (UID 11 RFC822.SIZE 10)",
		"> * 7 FETCH (UID 12 RFC822.SIZE 10)", DONE,
		"< UID FETCH 11 (UID BODY.PEEK[])",
		"= * 6 FETCH (UID 11 BODY[] {10}\r\ninfectet\r\n)\r\n", DONE,
		"< UID FETCH 12 (UID BODY.PEEK[])",
		"= * 7 FETCH (UID 12 BODY[] {10}\r\ninfected\r\n)\r\n", DONE, HEAD("12"),
		LOGOUT, NULL };
	struct run run;

	(void)state;
	tools.releases = true;
	run_start(&run, script);
	run.message->action = ACTION_DELIVER;
	run.message->key.uidvalidity = 3; /* of long ago */
	assert_int_equal(
		body_add(&run.message->body, span_str("infected\r\n"), &run.err), 0);
	run_deliver(&run);
	if (run.showed != 0)
		fail_msg("%d, %s", run.showed, run.err.text);
	assert_int_equal(run.message->placed.uid, 12);
	run_end(&run, true);
}

/* Behind a part of a literal any command would be taken for the rest of it. */
static void where_the_bytes_end_too_early_the_session_is_left(void **state)
{
	static const char *const script[] = { ENTER, "< APPEND", "> + go on", "! stall",
		NULL };
	static const uint8_t piece[BODY_PIECE_MAX];
	const struct imap_place_facts facts = { 0 };
	struct fake_server fake = fake_start(script);
	struct imap_place *place = imap_place_new(&account, &stream_wait_plain);
	auto_body struct body bytes = { .fd = -1 };
	uint32_t uidvalidity = 0, uidnext;
	struct err err = { 0 };

	(void)state;
	account.port = fake.port;
	body_init(&bytes, top, sizeof(piece) + 1);
	assert_int_equal(
		body_add(&bytes, (struct span){ piece, sizeof(piece) }, NULL), 0);
	assert_int_equal(body_add(&bytes, span_str("x"), NULL), 0);
	assert_int_equal(ftruncate(bytes.fd, sizeof(piece)), 0);
	assert_int_equal(
		imap_place_enter(place, "Inb\xc3\xa4", &uidvalidity, &uidnext, &err), 0);
	assert_int_equal(imap_place_put(place, "Inb\xc3\xa4", &facts, &bytes, &err),
		IMAP_PLACE_DOUBT);
	assert_false(imap_place_is_open(place));
	imap_place_free(place);
	assert_true(fake_end(&fake));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_copy_has_flags_and_date_and_is_found_by_its_token),
		TEST(what_has_gone_is_not_brought_back),
		TEST(odd_flags_and_dates_do_not_go_back),
		TEST(a_refusal_is_final_and_leaves_nothing),
		TEST(a_connection_lost_at_any_step_is_told_for_what_it_is),
		TEST(what_a_crash_cut_off_is_looked_for_before_it_is_put_again),
		TEST(what_the_server_took_and_does_not_show_is_not_put_again_at_once),
		TEST(where_the_folder_was_numbered_anew_all_of_it_is_looked_through),
		TEST(copies_are_told_before_folders_are_listed),
		TEST(what_is_not_changed_needs_no_server),
		TEST(a_copy_without_its_token_is_not_put),
		TEST(a_tag_is_a_keyword_where_the_server_keeps_them),
		TEST(a_server_that_does_not_go_on_with_a_message_is_left),
		TEST(where_the_bytes_end_too_early_the_session_is_left),
		TEST(what_is_released_goes_back_as_it_is_and_is_found_by_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
