/* SPDX-License-Identifier: ISC
 *
 * What servers that are slow, hostile or gone cost. */
#include "tests/mailfilter/smtp_delivery.h"

#include "common/clock.h"

enum {
	LARGE = 12 * 1024 * 1024 /* more than the buffers on the way */
};

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
	auto_free char *large = malloc(LARGE);
	struct err err = { 0 };
	const int64_t from_ms = clock_ms();

	(void)state;
	assert_non_null(large);
	memset(large, 'x', LARGE - 1);
	large[LARGE - 1] = '\0';
	account.deliver_timeout_ms = 300;
	check(one_against(script, large, &err), &err, "no answer within 300 ms");
	assert_null(strstr(err.text, "may have been taken"));
	assert_in_range(clock_ms() - from_ms, 300, 10000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_that_is_not_in_service_holds_all),
		TEST(a_connection_lost_before_the_end_is_no_doubt),
		TEST(a_connection_lost_after_the_end_is_one),
		TEST(answers_that_are_none_end_the_session_in_bounded_time),
		TEST(a_server_that_reads_no_more_is_left_in_time),
		TEST(tls_is_asked_for_and_nothing_goes_out_without),
		TEST(a_socket_that_is_not_there_holds_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
