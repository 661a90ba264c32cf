/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/smtp_delivery.h"

#include <fcntl.h>

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
		struct err err = { 0 };

		for (size_t j = 0; j < 8 && cases[i].steps[j]; j++)
			script[3 + j] = cases[i].steps[j];
		assert_int_equal(one_against(script, MESSAGE, &err), -1);
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
	struct err err = { 0 };

	(void)state;
	expect_login("geheim");
	account.deliver_password_file = gone;
	assert_int_equal(one_against(script, MESSAGE, &err), -1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_comes_before_mail_and_once_a_session),
		TEST(a_long_password_goes_in_a_line_of_its_own),
		TEST(a_login_that_fails_says_why_and_no_secret),
		TEST(a_password_that_is_not_there_is_said_before_anything_goes_out),
		TEST(a_password_command_is_run_for_each_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
