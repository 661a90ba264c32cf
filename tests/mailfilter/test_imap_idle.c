/* SPDX-License-Identifier: ISC
 *
 * IDLE with servers that do it in their own way, a script each. */
#include "tests/mailfilter/source_run.h"

enum {
	REFRESH_MS = 300,
	NEVER_MS = 60000, /* longer than any machine takes for news */
};

#define CAPABLE "> * CAPABILITY IMAP4rev1 IDLE", "> $ OK done"
#define LOGIN                                                                            \
	"> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN", "> $ OK welcome",            \
		"< CAPABILITY", CAPABLE
#define FOLDER                                                                           \
	"> * 2 EXISTS", "> * OK [UIDVALIDITY 7] x", "> * OK [UIDNEXT 10] x", "> $ OK done"
/* Up to UID 9 all is known, and there is no more. */
#define NOTHING                                                                          \
	LOGIN, "< EXAMINE \"INBOX\"", FOLDER, "< UID FETCH 10:*", "> * 2 FETCH (UID 9)", \
		"> $ OK done"
/* The tags of the first IDLE and of the second; DONE has none. */
#define LEAVE "< LOGOUT", "> * BYE bye", "> $ OK done"
#define LAST  "< DONE", "> 6 OK done", LEAVE
#define LAST2 "< DONE", "> 7 OK done", LEAVE

struct idle_case {
	const char *script[STEPS_MAX];
	int result; /* of the last of the waits */
	enum err_kind kind;
	const char *text;
	int waits;
};

static const struct idle_case cases[] = {
	/* News: at once, in one piece with the "+", before it, in the answer to the listing, byte by
	 * byte, and as what they are called. */
	{ { NOTHING, "< IDLE", "> + idling", "> * 3 EXISTS", LAST }, 1, 0, NULL, 1 },
	{ { NOTHING, "< IDLE", "= + idling\r\n* 3 EXISTS\r\n", LAST }, 1, 0, NULL, 1 },
	{ { NOTHING, "< IDLE", "> * 3 EXISTS", "> * 1 RECENT", "> + idling", LAST }, 1, 0,
		NULL, 1 },
	{ { LOGIN, "< EXAMINE \"INBOX\"", FOLDER, "< UID FETCH 10:*", "> * 3 EXISTS",
		  "> $ OK done", "< IDLE", "> + idling", LAST },
		1, 0, NULL, 1 },
	{ { NOTHING, "< IDLE", "> + idling", "~ * 3 EXISTS\r\n", LAST }, 1, 0, NULL, 1 },
	{ { NOTHING, "< IDLE", "> +", "> * 2 EXPUNGE", LAST }, 1, 0, NULL, 1 },
	{ { NOTHING, "< IDLE", "> + idling", "> * VANISHED 9", LAST }, 1, 0, NULL, 1 },
	/* What is no news. */
	{ { NOTHING, "< IDLE", "> + idling", "> * OK Still here",
		  "> * 1 FETCH (FLAGS (\\Seen))", "> + idling", "> * 1 RECENT",
		  "> * OK [UIDNEXT 10] x", LAST },
		0, 0, NULL, 1 },
	/* There before anybody listened: nothing is begun. */
	{ { LOGIN, "< EXAMINE \"INBOX\"", FOLDER, "< UID FETCH 10:*",
		  "> * 2 FETCH (UID 12 RFC822.SIZE 5)", "> $ OK done", "< LOGOUT",
		  "> * BYE bye", "> $ OK done" },
		1, 0, NULL, 1 },
	{ { LOGIN, "< EXAMINE \"INBOX\"", "> * 2 EXISTS", "> * OK [UIDVALIDITY 8] x",
		  "> $ OK done", "< LOGOUT", "> * BYE bye", "> $ OK done" },
		1, 0, NULL, 1 },
	/* Asked for anew; what comes in between is news, and NO to DONE is an end as well. */
	{ { NOTHING, "< IDLE", "> + idling", "< DONE", "> 6 OK done", "< IDLE",
		  "> + idling", "> * 3 EXISTS", LAST2 },
		1, 0, NULL, 2 },
	{ { NOTHING, "< IDLE", "> + idling", "< DONE", "> 6 NO never mind", "< IDLE",
		  "> + idling", "> * 3 EXISTS", LAST2 },
		1, 0, NULL, 2 },
	{ { NOTHING, "< IDLE", "> + idling", "< DONE", "> * 3 EXISTS", "> 6 OK done",
		  "< IDLE", "> + idling", LAST2 },
		1, 0, NULL, 2 },
	/* Refused. */
	{ { NOTHING, "< IDLE", "> $ NO not here" }, -1, ERR_ACCOUNT, "not here", 1 },
	{ { NOTHING, "< IDLE", "> $ BAD what" }, -1, ERR_ACCOUNT, "what", 1 },
	/* Lost. */
	{ { NOTHING, "< IDLE", "> $ OK what a pity" }, -1, ERR_SESSION, "before it began",
		1 },
	{ { NOTHING, "< IDLE", "! stall" }, -1, ERR_SESSION, "in time", 1 },
	{ { NOTHING, "< IDLE", "~ * OK wait until the end of all days, it is not long",
		  "! stall" },
		-1, ERR_SESSION, "in time", 1 },
	{ { NOTHING, "< IDLE", "> + idling", "> * BYE too long" }, -1, ERR_SESSION,
		"too long", 1 },
	{ { NOTHING, "< IDLE", "> + idling" }, -1, ERR_SESSION, "closed the connection",
		1 },
	{ { NOTHING, "< IDLE", "> + idling", "! reset" }, -1, ERR_SESSION, "", 1 },
	{ { NOTHING, "< IDLE", "> + idling", "> $ OK idled enough", "! stall" }, -1,
		ERR_SESSION, "by itself", 1 },
	{ { NOTHING, "< IDLE", "> + idling", "< DONE", "! stall" }, -1, ERR_SESSION,
		"in time", 2 },
	{ { NOTHING, "< IDLE", "> + idling", "< DONE", "> 6 BAD what" }, -1, ERR_SESSION,
		"what", 2 },
	{ { NOTHING, "< IDLE", "> + idling", "! flood x" }, -1, ERR_SESSION, "endless",
		1 },
};

static void check(const struct idle_case *test)
{
	struct source_idle idle = { .folder = "INBOX",
		.uidvalidity = 7,
		.listed_to = 9,
		.refresh_ms =
			test->waits == 1 && test->result == 1 ? NEVER_MS : REFRESH_MS,
		.wait = stream_wait_plain };
	struct run run;
	int result = 0;

	run_start_as(&run, SOURCE_IMAP, test->script);
	run.account.timeout_ms = 1000;
	/* The first of the last, and the last, are told by what the server sees. */
	assert_int_equal(run_open(&run), 0);
	assert_true(run.source->ops->can_idle(run.source));
	for (int i = 0; i < test->waits && result == 0; i++)
		result = run.source->ops->idle(run.source, &idle, &run.err);
	if (result != test->result)
		fail_msg("%d, not %d: %s", result, test->result, run.err.text);
	if (result < 0) {
		assert_int_equal(run.err.kind, test->kind);
		if (!strstr(run.err.text, test->text))
			fail_msg("expected %s, got %s", test->text, run.err.text);
		run_end(&run);
	} else {
		/* The next command ends it. */
		run_finish(&run);
	}
}

static void idle_hears_all_news_and_ends_with_the_session(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("case %zu\n", i);
		check(&cases[i]);
	}
}

static void without_the_word_idle_it_is_not_tried(void **state)
{
	static const char *const script[] = { "> * OK hello", "< CAPABILITY",
		"> * CAPABILITY IMAP4rev1", "> $ OK done", "< LOGIN", "> $ OK welcome",
		"< CAPABILITY", "> * CAPABILITY IMAP4rev1 IDLEX", "> $ OK done", NULL };
	struct run run;

	(void)state;
	run_start_as(&run, SOURCE_IMAP, script);
	assert_int_equal(run_open(&run), 0);
	assert_false(run.source->ops->can_idle(run.source));
	run_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_hears_all_news_and_ends_with_the_session),
		cmocka_unit_test(without_the_word_idle_it_is_not_tried),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
