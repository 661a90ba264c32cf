/* SPDX-License-Identifier: ISC
 *
 * Delivery by LMTP and SMTP against servers that follow a script: what is said in which order, and
 * what each answer means. */
#include "tests/mailfilter/smtp_delivery.h"

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
		TEST(what_was_taken_is_not_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
