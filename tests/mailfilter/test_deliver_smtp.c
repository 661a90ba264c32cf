/* SPDX-License-Identifier: ISC
 *
 * Delivery by LMTP and SMTP against servers that follow a script: what is said in which order, what
 * each answer means, and what servers that are slow, hostile or gone cost. */
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/deliver_handover.h"

#include "tests/mailfilter/fake_server.h"

enum {
	LARGE = 12 * 1024 * 1024 /* more than the buffers on the way */
};

static char top[64], host[] = "127.0.0.1", recipient[260] = "bob";
static struct account_settings account;
static struct deliver_tools tools;

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_smtp.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)strcpy(recipient, "bob");
	account = (struct account_settings){ .deliver_kind = DELIVER_SMTP,
		.deliver_host = host,
		.deliver_tls = TLS_NONE,
		.recipient = recipient,
		.deliver_timeout_ms = 20000 };
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

static struct deliver *open_it(void)
{
	struct deliver *deliver = NULL;
	struct err err = { 0 };

	if (deliver_open(&tools, &deliver, &err) < 0)
		fail_msg("%s", err.text);
	return deliver;
}

static int deliver_text(
	struct deliver *deliver, const char *name, const char *text, struct err *err)
{
	struct message *message = message_new(top, (uint64_t)2 * LARGE);
	int done;

	assert_non_null(message);
	(void)snprintf(message->name, sizeof(message->name), "%s", name);
	assert_int_equal(body_add(&message->body, span_str(text), NULL), 0);
	message->repeat = true;
	done = deliver->ops->write(deliver, message, err);
	if (done == 0 && deliver->ops->show(deliver, message, err) < 0)
		done = -1;
	/* In doubt it stays one that may be there. */
	if (done < 0 && strstr(err->text, "it may have been taken"))
		assert_true(message->repeat);
	message_free(message);
	return done;
}

/* Two messages to one server; what became of each. */
struct outcome {
	const char *first, *second; /* NULL: taken; else what err says */
};

static void check(int result, const struct err *err, const char *says)
{
	/* Where the server is to blame the next message would fare no better. */
	const bool away = strstr(err->text, "is not to be had") ||
			  strstr(err->text, "nothing more is tried");

	if (!says && result < 0)
		fail_msg("expected success, got %s", err->text);
	if (says && (result >= 0 || !strstr(err->text, says) ||
			    err->kind != (away ? ERR_AWAY : ERR_AGAIN)))
		fail_msg("expected %s, got %d, %s", says, result, err->text);
}

static void against(
	const char *const *script, const char *message, struct outcome expected)
{
	struct fake_server fake = fake_start(script);
	struct err err = { 0 };
	struct deliver *deliver;
	char journal[128];

	(void)snprintf(journal, sizeof(journal), "%s/sent.journal", top);
	(void)unlink(journal);
	account.deliver_port = fake.port;
	deliver = open_it();
	check(deliver_text(deliver, "1", message, &err), &err, expected.first);
	check(deliver_text(deliver, "2", message, &err), &err, expected.second);
	deliver->ops->close(deliver);
	if (!fake_end(&fake))
		fail_msg("the script did not come to its end");
}

#define MESSAGE "Return-Path: <a@b>\r\n\r\n.x\ny\r\n"
#define GREETS  "> 220 fake"
#define TAKES_MESSAGE                                                                    \
	"< Return-Path: <a@b>", "< \r\n", "< ..x\r\n", "< y\r\n", "< .\r\n", "> 250 taken"

static void two_messages_go_out_in_one_session(void **state)
{
	static const char *const script[] = { GREETS, "< EHLO ", "> 250 fake",
		"< MAIL FROM:<a@b>\r\n", "> 250 ok", "< RCPT TO:<bob>\r\n", "> 251 ok",
		"< DATA\r\n", "> 354 go on", TAKES_MESSAGE, "< MAIL FROM:<a@b>\r\n",
		"> 250 ok", "< RCPT TO:<bob>", "> 250 ok", "< DATA", "> 354 go on",
		TAKES_MESSAGE, "< QUIT", "> 221 bye", NULL };

	(void)state;
	against(script, MESSAGE, (struct outcome){ NULL, NULL });
}

static void what_is_offered_is_used(void **state)
{
	static const char *const script[] = { GREETS, "< LHLO ",
		"= 250-fake\r\n250-PIPELINING\r\n250-size 1000\r\n", "> 250 8bitmime",
		"< MAIL FROM:<a@b> SIZE=29 BODY=8BITMIME\r\n", "< RCPT TO:<bob>\r\n",
		"< DATA\r\n", "= 250 ok\r\n250-two\r\n250 lines\r\n", "> 354 go on",
		"< Return-Path: <a@b>", "< \r\n", "< \xc3\xa4\r\n", "< y\r\n", "< .\r\n",
		"> 250 taken", "< MAIL", "< RCPT", "< DATA",
		"= 250 ok\r\n250 ok\r\n354 go on\r\n", "< Return-Path", "< \r\n",
		"< \xc3", "< y", "< .\r\n", "> 250 taken", "< QUIT", NULL };

	(void)state;
	account.deliver_kind = DELIVER_LMTP;
	against(script, "Return-Path: <a@b>\r\n\r\n\xc3\xa4\ny\n",
		(struct outcome){ NULL, NULL });
}

static void one_that_is_refused_is_held_and_the_next_one_goes_out(void **state)
{
	static const char *const sender[] = { GREETS, "< EHLO", "> 250 fake", "< MAIL",
		"> 550 not you", "< RSET", "> 250 ok", "< MAIL", "> 250 ok", "< RCPT",
		"> 250 ok", "< DATA", "> 354 go", TAKES_MESSAGE, "< QUIT", NULL };
	static const char *const address[] = { GREETS, "< EHLO", "> 250 fake", "< MAIL",
		"> 250 ok", "< RCPT", "> 452 full", "< RSET", "> 250 ok", "< MAIL",
		"> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", TAKES_MESSAGE,
		"< QUIT", NULL };
	static const char *const data[] = { GREETS, "< EHLO", "> 250 fake", "< MAIL",
		"> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 554 no", "< RSET",
		"> 250 ok", "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA",
		"> 354 go", TAKES_MESSAGE, "< QUIT", NULL };
	static const char *const end[] = { GREETS, "< EHLO", "> 250 fake", "< MAIL",
		"> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "< Return-Path",
		"< \r\n", "< ..x", "< y", "< .\r\n", "= 550-\x1b[1mno\r\n550 spam\r\n",
		"< RSET", "> 250 ok", "< MAIL", "> 250 ok", "< RCPT", "> 250 ok",
		"< DATA", "> 354 go", TAKES_MESSAGE, "< QUIT", NULL };
	static const char *const together[] = { GREETS, "< EHLO",
		"= 250-fake\r\n250 PIPELINING\r\n", "< MAIL", "< RCPT", "< DATA",
		"= 250 ok\r\n550 nobody\r\n503 no recipient\r\n", "< RSET", "> 250 ok",
		"< MAIL", "< RCPT", "< DATA", "= 250 ok\r\n250 ok\r\n354 go\r\n",
		TAKES_MESSAGE, "< QUIT", NULL };

	(void)state;
	against(sender, MESSAGE,
		(struct outcome){
			"127.0.0.1 refuses the sender for good: 550 not you", NULL });
	against(address, MESSAGE,
		(struct outcome){ "refuses the recipient for now: 452 full", NULL });
	against(data, MESSAGE,
		(struct outcome){ "refuses the message for good: 554 no", NULL });
	against(end, MESSAGE,
		(struct outcome){ "refuses the message for good: 550 ", NULL });
	against(together, MESSAGE,
		(struct outcome){ "refuses the recipient for good: 550 nobody", NULL });
}

static void a_server_that_waits_for_a_message_for_nobody_is_left(void **state)
{
	static const char *const script[] = { GREETS, "< EHLO",
		"= 250-fake\r\n250 PIPELINING\r\n", "< MAIL", "< RCPT", "< DATA",
		"= 250 ok\r\n550 nobody\r\n354 go on\r\n", "! stall", NULL };

	(void)state;
	against(script, MESSAGE,
		(struct outcome){
			"refuses the recipient for good: 550 nobody", "127.0.0.1" });
}

static void what_the_server_cannot_take_is_not_sent(void **state)
{
	static const char *const plain[] = { GREETS, "< EHLO", "> 250 fake", "< QUIT",
		NULL };
	static const char *const small[] = { GREETS, "< EHLO",
		"= 250-fake\r\n250 SIZE 10\r\n", "< QUIT", NULL };
	static const char *const odd[] = { GREETS, "< EHLO",
		"= 250-fake\r\n250-SIZEX 1\r\n250 SIZE 99999999999999999999999\r\n",
		"< MAIL FROM:<> SIZE=5\r\n", "> 450 later", "< RSET", "> 250 ok",
		"< MAIL", "> 450 later", "< RSET", "> 250 ok", "< QUIT", NULL };

	(void)state;
	against(plain, "\xff", (struct outcome){ "no 8BITMIME", "no 8BITMIME" });
	against(small, "Too: long\n",
		(struct outcome){ "11 bytes, and 127.0.0.1 takes 10 at most", "(SIZE)" });
	against(odd, "a\n\n", (struct outcome){ "450 later", "450 later" });
	(void)strcpy(recipient, "b\xc3\xb6@x");
	against(plain, "x\n", (struct outcome){ "SMTPUTF8", "SMTPUTF8" });
}

static void addresses_beyond_ascii_go_out_where_they_are_taken(void **state)
{
	static const char *const script[] = { GREETS, "< EHLO",
		"= 250-fake\r\n250 SMTPUTF8\r\n", "< MAIL FROM:<> SMTPUTF8\r\n",
		"> 250 ok", "< RCPT TO:<b\xc3\xb6@x>", "> 450 later", "< RSET",
		"> 250 ok", "< MAIL", "> 450 later", "< RSET", "> 250 ok", "< QUIT",
		NULL };

	(void)state;
	(void)strcpy(recipient, "b\xc3\xb6@x");
	against(script, "x\n", (struct outcome){ "450 later", "450 later" });
}

static void an_old_server_is_greeted_the_old_way(void **state)
{
	static const char *const script[] = { GREETS, "< EHLO ", "> 500 what?", "< HELO ",
		"> 250 hello", "< MAIL FROM:<a@b>\r\n", "> 250 ok", "< RCPT", "> 250 ok",
		"< DATA", "> 354 go", TAKES_MESSAGE, "< MAIL", "> 450 no", "< RSET",
		"> 250 ok", "< QUIT", NULL };

	(void)state;
	against(script, MESSAGE, (struct outcome){ NULL, "450 no" });
}

static void a_server_that_is_not_in_service_holds_all(void **state)
{
	static const char *const busy[] = { "> 421 busy", NULL };
	static const char *const strict[] = { GREETS, "< EHLO", "> 421 go away", NULL };
	static const char *const closing[] = { GREETS, "< EHLO", "> 250 fake", "< MAIL",
		"> 421 closing", NULL };

	(void)state;
	against(busy, MESSAGE,
		(struct outcome){ "refuses the connection for now: 421 busy",
			"nothing more is tried now: the server of `deliver` is not to be had: 127.0.0.1 refuses the connection" });
	against(strict, MESSAGE,
		(struct outcome){ "421 go away", "nothing more is tried now" });
	against(closing, MESSAGE, (struct outcome){ "421 closing", "127.0.0.1" });
}

static void a_connection_lost_before_the_end_is_no_doubt(void **state)
{
	static const char *const script[] = { GREETS, "< EHLO", "> 250 fake", "< MAIL",
		"> 250 ok", "< RCPT", "> 250 ok", "< DATA", NULL };
	static const char *const reset[] = { GREETS, "< EHLO", "> 250 fake", "< MAIL",
		"! reset", NULL };

	(void)state;
	against(script, MESSAGE,
		(struct outcome){ "the server closed the connection", "127.0.0.1" });
	against(reset, MESSAGE, (struct outcome){ "127.0.0.1", "127.0.0.1" });
}

static void a_connection_lost_after_the_end_is_one(void **state)
{
	static const char *const script[] = { GREETS, "< EHLO", "> 250 fake", "< MAIL",
		"> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "< Return-Path",
		"< \r\n", "< ..x", "< y", "< .\r\n", NULL };
	struct sent sent;

	(void)state;
	against(script, MESSAGE,
		(struct outcome){
			"sent to its end, and it may have been taken: 127.0.0.1: "
			"the server closed the connection",
			"127.0.0.1" });
	assert_int_equal(sent_open(top, &sent, NULL), 0);
	assert_int_equal(sent_find_doubt(&sent, "1")->count, 1);
	assert_null(sent_find_doubt(&sent, "2"));
	sent_close(&sent);
}

#define UP_TO_DATA                                                                       \
	GREETS, "< EHLO", "> 250 fake", "< MAIL", "> 250 ok", "< RCPT", "> 250 ok",      \
		"< DATA"

static void answers_that_are_none_end_the_session_in_bounded_time(void **state)
{
	static const struct {
		const char *answer, *says;
	} cases[] = {
		{ "> hello", "which is no answer" },
		{ "> 2500 ok", "which is no answer" },
		{ "> 650 ok", "which is no answer" },
		{ "> ", "which is no answer" },
		{ "= 250-a\r\n251 b\r\n", "two answers in one: 250 and 251" },
		{ "* 101 250-x\r\n", "endless answer" },
		{ "! flood 250-x\r\n", "endless answer" },
		{ "! flood x", "an endless line" },
		{ "> 250 a\\zb", "a NUL in it" },
		{ "! stall", "no answer within 300 ms" },
		{ "~ 250 this answer takes much more than the time it may take",
			"no answer" },
	};

	(void)state;
	account.deliver_timeout_ms = 300;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const script[] = { UP_TO_DATA, cases[i].answer, "! stall",
			NULL };
		const int64_t from_ms = clock_ms();

		against(script, MESSAGE, (struct outcome){ cases[i].says, "127.0.0.1" });
		assert_in_range(clock_ms() - from_ms, 0, 10000);
	}
}

static void a_server_that_reads_no_more_is_left_in_time(void **state)
{
	/* Busy with its own words, for more than a second. */
	static const char *const script[] = { UP_TO_DATA, "> 354 go",
		"~ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		NULL };
	struct fake_server fake = fake_start(script);
	char *large = malloc(LARGE);
	struct deliver *deliver;
	struct err err = { 0 };
	const int64_t from_ms = clock_ms();

	(void)state;
	assert_non_null(large);
	memset(large, 'x', LARGE - 1);
	large[LARGE - 1] = '\0';
	account.deliver_timeout_ms = 300;
	account.deliver_port = fake.port;
	deliver = open_it();
	check(deliver_text(deliver, "1", large, &err), &err, "no answer within 300 ms");
	assert_null(strstr(err.text, "may have been taken"));
	assert_in_range(clock_ms() - from_ms, 300, 10000);
	deliver->ops->close(deliver);
	assert_true(fake_end(&fake));
	free(large);
}

static void tls_is_asked_for_and_nothing_goes_out_without(void **state)
{
	static const char *const none[] = { GREETS, "< EHLO", "> 250 fake", NULL };
	static const char *const refuses[] = { GREETS, "< EHLO",
		"= 250-fake\r\n250 STARTTLS\r\n", "< STARTTLS", "> 454 not now", NULL };
	static const char *const injects[] = { GREETS, "< EHLO",
		"= 250-fake\r\n250 STARTTLS\r\n", "< STARTTLS",
		"= 220 go\r\n250 injected\r\n", NULL };

	(void)state;
	account.deliver_tls = TLS_VERIFY;
	against(none, MESSAGE,
		(struct outcome){ "offers no TLS (STARTTLS)", "nothing more is tried" });
	against(refuses, MESSAGE,
		(struct outcome){ "refuses TLS for now: 454", "nothing more is tried" });
	against(injects, MESSAGE,
		(struct outcome){
			"somebody may be in between", "nothing more is tried" });
}

static void a_socket_that_is_not_there_holds_all(void **state)
{
	char path[96];
	struct deliver *deliver;
	struct err err = { 0 };

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/lmtp", top);
	account.deliver_kind = DELIVER_LMTP;
	account.deliver_host = NULL;
	account.deliver_path = path;
	deliver = open_it();
	check(deliver_text(deliver, "1", MESSAGE, &err), &err,
		"/lmtp: connect: No such file or directory");
	check(deliver_text(deliver, "2", MESSAGE, &err), &err,
		"nothing more is tried now: ");
	deliver->ops->close(deliver);
}

static void what_was_taken_is_not_sent_again(void **state)
{
	static const char *const script[] = { UP_TO_DATA, "> 354 go", TAKES_MESSAGE,
		"< QUIT", NULL };
	struct fake_server fake = fake_start(script);
	struct deliver *deliver;
	struct err err = { 0 };

	(void)state;
	account.deliver_port = fake.port;
	deliver = open_it();
	assert_int_equal(deliver_text(deliver, "1", MESSAGE, &err), 0);
	assert_int_equal(deliver_text(deliver, "1", MESSAGE, &err), 1);
	deliver->ops->close(deliver);
	assert_true(fake_end(&fake));
	/* Nor by the next run, which cannot even connect. */
	deliver = open_it();
	assert_int_equal(deliver_text(deliver, "1", MESSAGE, &err), 1);
	deliver->ops->forget(deliver, "1");
	deliver->ops->close(deliver);
}

/* "bob" and "geheim": PLAIN, and each alone. */
#define PLAIN_SECRET  "AGJvYgBnZWhlaW0="
#define USER_SECRET   "Ym9i"
#define PASS_SECRET   "Z2VoZWlt"
#define AUTH_PLAIN    "< AUTH PLAIN AGJvYgBnZWhlaW0="
#define SAYS_USER     "< Ym9i\r\n"
#define SAYS_PASSWORD "< Z2VoZWlt\r\n"

static void expect_login(const char *file_content)
{
	static char user[] = "bob", file[128];
	auto_close int fd = -1;

	(void)snprintf(file, sizeof(file), "%s/password", top);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(
		write(fd, file_content, strlen(file_content)), (int)strlen(file_content));
	account.deliver_user = user;
	account.deliver_password_file = file;
}

#define AFTER_LOGIN                                                                      \
	"< MAIL FROM:<a@b>\r\n", "> 250 ok", "< RCPT TO:<bob>\r\n", "> 250 ok",          \
		"< DATA\r\n", "> 354 go", TAKES_MESSAGE, "< MAIL", "> 250 ok", "< RCPT", \
		"> 250 ok", "< DATA", "> 354 go", TAKES_MESSAGE, "< QUIT", NULL

static void a_login_comes_before_mail_and_once_a_session(void **state)
{
	static const char *const scripts[][48] = {
		{ GREETS, "< EHLO ", "= 250-fake\r\n250-auth cram-md5 login plain\r\n",
			"> 250 HELP", AUTH_PLAIN, "> 235 2.7.0 welcome", AFTER_LOGIN },
		/* As servers of long ago write it; and only one that has no PLAIN is told by LOGIN. */
		{ GREETS, "< EHLO ", "= 250-fake\r\n250-AUTH=LOGIN\r\n", "> 250 ok",
			"< AUTH LOGIN\r\n", "> 334 VXNlcm5hbWU6", SAYS_USER,
			"> 334 UGFzc3dvcmQ6", SAYS_PASSWORD, "> 235 ok", AFTER_LOGIN },
	};

	(void)state;
	expect_login("geheim\nmore\n");
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		against(scripts[i], MESSAGE, (struct outcome){ NULL, NULL });
}

static void a_long_password_goes_in_a_line_of_its_own(void **state)
{
	static const char *const script[] = { GREETS, "< EHLO ", "> 250 AUTH PLAIN",
		"< AUTH PLAIN\r\n", "> 334 ", "< AGJvYgB4eHh4eHh4", "> 235 ok",
		AFTER_LOGIN };
	char password[501];

	(void)state;
	memset(password, 'x', sizeof(password) - 1);
	password[sizeof(password) - 1] = '\0';
	expect_login(password);
	against(script, MESSAGE, (struct outcome){ NULL, NULL });
}

static void a_login_that_fails_says_why_and_no_secret(void **state)
{
	static const struct {
		const char *offer, *steps[8];
		enum err_kind kind;
		const char *says;
	} cases[] = {
		{ "> 250 AUTH PLAIN", { "< AUTH PLAIN", "> 535 5.7.8 wrong password" },
			ERR_AUTH,
			"127.0.0.1 refuses the login of bob: 535 5.7.8 wrong password (check "
			"deliver-user and its password)" },
		{ "> 250 AUTH LOGIN",
			{ "< AUTH LOGIN", "> 334 u", "< " USER_SECRET, "> 334 p",
				"< " PASS_SECRET, "> 535 no" },
			ERR_AUTH, "refuses the login of bob: 535 no" },
		{ "> 250 AUTH LOGIN",
			{ "< AUTH LOGIN", "> 334 u", "< " USER_SECRET, "> 235 in" },
			ERR_AWAY, "before it has the password" },
		{ "> 250 AUTH PLAIN", { "< AUTH PLAIN", "> 454 4.7.0 try later" },
			ERR_AWAY, "takes no login for now: 454 4.7.0 try later" },
		{ "> 250 AUTH PLAIN", { "< AUTH PLAIN", "> 334 more" }, ERR_AWAY,
			"asks on and on" },
		{ "> 250 AUTH PLAIN", { "< AUTH PLAIN" }, ERR_AWAY, "closed" },
		{ "> 250 AUTH XOAUTH2 CRAM-MD5", { NULL }, ERR_ACCOUNT,
			"offers no login by AUTH PLAIN or LOGIN (without TLS)" },
		{ "> 250 8BITMIME", { NULL }, ERR_ACCOUNT, "offers no login" },
		/* What hears a secret may say it again. */
		{ "> 250 AUTH PLAIN",
			{ "< AUTH PLAIN", "> 535 what is " PLAIN_SECRET "?" }, ERR_AUTH,
			"with words that hold what it was told" },
		{ "> 250 AUTH PLAIN", { "< AUTH PLAIN", "> 535 geheim is wrong" },
			ERR_AUTH, "with words that hold what it was told" },
		{ "> 250 AUTH PLAIN", { "< AUTH PLAIN", "> what is " PLAIN_SECRET "?" },
			ERR_AWAY, "with words that hold what it was told" },
	};

	(void)state;
	expect_login("geheim");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *script[16] = { GREETS, "< EHLO ", cases[i].offer };
		struct fake_server fake;
		struct deliver *deliver;
		struct err err = { 0 };

		for (size_t j = 0; j < 8 && cases[i].steps[j]; j++)
			script[3 + j] = cases[i].steps[j];
		fake = fake_start(script);
		account.deliver_port = fake.port;
		deliver = open_it();
		assert_int_equal(deliver_text(deliver, "1", MESSAGE, &err), -1);
		deliver->ops->close(deliver);
		assert_true(fake_end(&fake));
		if (err.kind != cases[i].kind || !strstr(err.text, cases[i].says))
			fail_msg("case %zu: %d, %s", i, err.kind, err.text);
		if (strstr(err.text, "geheim") || strstr(err.text, PLAIN_SECRET))
			fail_msg("case %zu tells the secret: %s", i, err.text);
	}
}

static void a_password_that_is_not_there_is_said_before_anything_goes_out(void **state)
{
	static const char *const script[] = { GREETS, "< EHLO ", "> 250 AUTH PLAIN",
		NULL };
	static char gone[] = "/nonexistent/password";
	struct fake_server fake = fake_start(script);
	struct deliver *deliver;
	struct err err = { 0 };

	(void)state;
	expect_login("geheim");
	account.deliver_password_file = gone;
	account.deliver_port = fake.port;
	deliver = open_it();
	assert_int_equal(deliver_text(deliver, "1", MESSAGE, &err), -1);
	deliver->ops->close(deliver);
	assert_true(fake_end(&fake));
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "deliver-password-file: "));
}

static void a_password_command_is_run_for_each_login(void **state)
{
	static const char *const script[] = { GREETS, "< EHLO ", "> 250 AUTH PLAIN",
		AUTH_PLAIN, "> 235 ok", AFTER_LOGIN };
	static char program[] = "/bin/echo", argument[] = "geheim";
	static char *argv[] = { program, argument };

	(void)state;
	expect_login("another");
	account.deliver_password_file = NULL;
	account.deliver_password_command = (struct schema_list){ argv, 2 };
	against(script, MESSAGE, (struct outcome){ NULL, NULL });
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_messages_go_out_in_one_session),
		TEST(what_is_offered_is_used),
		TEST(one_that_is_refused_is_held_and_the_next_one_goes_out),
		TEST(a_server_that_waits_for_a_message_for_nobody_is_left),
		TEST(what_the_server_cannot_take_is_not_sent),
		TEST(addresses_beyond_ascii_go_out_where_they_are_taken),
		TEST(an_old_server_is_greeted_the_old_way),
		TEST(a_server_that_is_not_in_service_holds_all),
		TEST(a_connection_lost_before_the_end_is_no_doubt),
		TEST(a_connection_lost_after_the_end_is_one),
		TEST(answers_that_are_none_end_the_session_in_bounded_time),
		TEST(a_server_that_reads_no_more_is_left_in_time),
		TEST(tls_is_asked_for_and_nothing_goes_out_without),
		TEST(a_socket_that_is_not_there_holds_all),
		TEST(what_was_taken_is_not_sent_again),
		TEST(a_login_comes_before_mail_and_once_a_session),
		TEST(a_long_password_goes_in_a_line_of_its_own),
		TEST(a_login_that_fails_says_why_and_no_secret),
		TEST(a_password_that_is_not_there_is_said_before_anything_goes_out),
		TEST(a_password_command_is_run_for_each_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
