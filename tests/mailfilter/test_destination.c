/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/settings_file.h"

/* On the fourth line; the reader's brace ends it. */
#define LOGIN_AT  "recipient = a deliver-user = u deliver-password-file = \"/p\" "
#define TO(value) "account a {\n" SOURCE PASSWORD "\n\ndeliver = \"" value "\" "

static const struct wrong wrong_destinations[] = {
	{ "account a { deliver = \"/x\" }", 1,
		"expected maildir:PATH, mbox:PATH, lmtp:PATH, lmtp://HOST, smtp://HOST, "
		"smtps://HOST, pipe or inplace" },
	{ "account a { deliver = \"maildir:x\" }", 1, "expected a whole path" },
	{ "account a { deliver = \"mbox:x\" }", 1, "expected a whole path" },
	{ "account a { deliver = \"lmtp:x\" }", 1, "expected a whole path" },
	{ "account a { deliver = \"lmtp://h:0\" }", 1, "port" },
	{ "account a { deliver = \"lmtp://h:24/x\" }", 1, "port" },
	{ "account a { deliver = \"smtp://a@h\" }", 1, "expected a name or an address" },
	{ "account a { deliver = \"smtp:/x\" }", 1, "expected maildir:PATH" },
	{ "account a { deliver = \"pipe:x -d\" }", 1,
		"expected deliver = pipe, and the command as deliver-command" },
	{ "account a { recipient = \"a b\" }", 1, "expected an address" },
	{ "account a { recipient = \"<a@b>\" }", 1, "expected an address" },
	{ "account a { recipient = \"\" }", 1, "expected an address" },
	{ "account a { sender = \"\" }", 1, "or \"<>\" for none" },
	{ "account a { deliver-timeout = 10m }", 1, "from 100ms to 5m" },
	{ TO("lmtp://h") "}", 4, "for whom? Expected recipient" },
	{ TO("smtp://h") "}", 4, "for whom? Expected recipient" },
	{ TO("pipe") "}", 4, "which command? Expected deliver-command" },
	{ TO("mbox:/m") "recipient = a }", 4, "recipient: only lmtp, smtp and pipe" },
	{ TO("maildir:/m") "sender = a }", 4, "sender: only mbox, lmtp, smtp and pipe" },
	{ TO("mbox:/m") "deliver-command = { a } }", 4, "only deliver = pipe runs one" },
	{ TO("mbox:/m") "inplace-quarantine = a }", 4, "only deliver = inplace has one" },
	{ TO("inplace") "inplace-quarantine = \"\" }", 4, "name of a folder" },
	{ TO("inplace") "inplace-quarantine = inbox }", 4,
		"inplace-quarantine: \"INBOX\" is fetched itself" },
	{ TO("inplace") "after = delete }", 4, "leaves mail where it is: expected keep" },
	{ TO("inplace") "sender = a }", 4, "sender: only mbox, lmtp" },
	{ TO("inplace") "recipient = a }", 4, "recipient: only lmtp" },
	{ "account a {\nsource = \"pop3s://u@h\"\n" PASSWORD "\ndeliver = inplace }", 4,
		"mail can stay in place only on an IMAP server" },
	{ TO("lmtp:/s") "recipient = a deliver-tls = none }", 4,
		"only lmtp://HOST, smtp://HOST and smtps://HOST have it" },
	{ TO("smtps://h") "recipient = a deliver-tls = none }", 4,
		"none does not go with smtps://" },
	{ TO("smtp://h") "recipient = a deliver-user = u }", 4,
		"expected deliver-password-command or deliver-password-file as well" },
	{ TO("smtp://h") "recipient = a deliver-password-file = \"/p\" }", 4,
		"for whom? Expected deliver-user" },
	{ TO("smtp://h") "recipient = a deliver-password-command = { p } }", 4,
		"for whom? Expected deliver-user" },
	{ TO("smtp://h") LOGIN_AT "deliver-password-command = { p } }", 4,
		"a second source of the password" },
	{ TO("smtp://h") LOGIN_AT "deliver-tls = none }", 4,
		"would travel in plain text: expected verify" },
	{ TO("lmtp://h") LOGIN_AT "}", 4,
		"only smtp://HOST and smtps://HOST have a login" },
	{ TO("mbox:/m") "deliver-user = u deliver-password-file = \"/p\" }", 4,
		"only smtp://HOST and smtps://HOST have a login" },
	{ "account a { deliver-user = \"\" }", 1, "expected 1 to 255 bytes" },
	{ "account a { deliver-password-file = \"p\" }", 1, "expected a whole path" },
	{ "account a { deliver = \"smtps://a@h\" }", 1, "expected a name or an address" },
	{ TO("smtp://h") "recipient = a deliver-tls = none deliver-tls-ca = \"/c\" }", 4,
		"nothing is verified with deliver-tls = none: expected only one" },
};

static const struct account_settings *load_to(const char *to, struct settings *settings)
{
	char text[400];

	(void)snprintf(text, sizeof(text),
		"account a { source = \"imaps://alice@example.org@h\" " PASSWORD "%s }",
		to);
	load_good(text, settings);
	return settings_account(settings, 0);
}

static void every_destination_is_taken_apart(void **state)
{
	static const struct {
		const char *text;
		enum deliver_kind kind;
		const char *path, *host;
		unsigned port;
		int tls;
	} cases[] = {
		{ "maildir:/m", DELIVER_MAILDIR, "/m", NULL, 0, TLS_NONE },
		{ "mbox:~/mail", DELIVER_MBOX, "/home/test/mail", NULL, 0, TLS_NONE },
		{ "lmtp:/run/lmtp", DELIVER_LMTP, "/run/lmtp", NULL, 0, TLS_NONE },
		{ "lmtp://h", DELIVER_LMTP, NULL, "h", 24, TLS_VERIFY },
		{ "lmtp://127.0.0.1:1024", DELIVER_LMTP, NULL, "127.0.0.1", 1024,
			TLS_NONE },
		{ "smtp://[::1]", DELIVER_SMTP, NULL, "::1", 25, TLS_NONE },
		{ "smtp://localhost", DELIVER_SMTP, NULL, "localhost", 25, TLS_NONE },
		{ "smtp://127.example.org:587", DELIVER_SMTP, NULL, "127.example.org",
			587, TLS_VERIFY },
		{ "smtps://h", DELIVER_SMTP, NULL, "h", 465, TLS_VERIFY },
		{ "smtps://localhost:1465", DELIVER_SMTP, NULL, "localhost", 1465,
			TLS_VERIFY },
	};

	(void)state;
	assert_int_equal(setenv("HOME", "/home/test", 1), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		DEFER(settings_free) struct settings settings = { 0 };
		const struct account_settings *account;
		char text[100];

		(void)snprintf(text, sizeof(text), "deliver = \"%s\"", cases[i].text);
		account = load_to(text, &settings);
		assert_int_equal(account->deliver_kind, cases[i].kind);
		if (cases[i].path)
			assert_string_equal(account->deliver_path, cases[i].path);
		else
			assert_string_equal(account->deliver_host, cases[i].host);
		assert_int_equal(account->deliver_port, cases[i].port);
		assert_int_equal(account->deliver_tls, cases[i].tls);
		assert_int_equal(account->deliver_timeout_ms, 120000);
		if (cases[i].kind >= DELIVER_LMTP)
			assert_string_equal(account->recipient, "alice@example.org");
		else
			assert_null(account->recipient);
	}
}

static void what_goes_with_a_destination_can_be_set(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	const struct account_settings *account = load_to(
		"deliver = pipe deliver-command = { \"/bin/x\", \"-d\" } recipient = bob "
		"sender = \"<>\" deliver-timeout = 5s",
		&settings);

	(void)state;
	assert_int_equal(account->deliver_kind, DELIVER_PIPE);
	assert_int_equal(account->deliver_command.count, 2);
	assert_string_equal(account->recipient, "bob");
	assert_string_equal(account->sender, "<>");
	assert_int_equal(account->deliver_timeout_ms, 5000);
	settings_free(&settings);
	account = load_to("deliver = \"smtp://127.0.0.1\" deliver-tls = verify "
			  "deliver-tls-ca = \"/c\"",
		&settings);
	assert_int_equal(account->deliver_tls, TLS_VERIFY);
	settings_free(&settings);
	account = load_to(
		"deliver = \"smtp://mx.example.org\" deliver-tls = none", &settings);
	assert_int_equal(account->deliver_tls, TLS_NONE);
	assert_false(account->deliver_smtps);
	settings_free(&settings);
	/* A password goes nowhere in plain text, not even on this machine, unless that is said. */
	account = load_to("deliver = \"smtp://127.0.0.1\" " LOGIN_AT, &settings);
	assert_int_equal(account->deliver_tls, TLS_VERIFY);
	settings_free(&settings);
	account = load_to(
		"deliver = \"smtp://[::1]\" deliver-tls = none " LOGIN_AT, &settings);
	assert_int_equal(account->deliver_tls, TLS_NONE);
	settings_free(&settings);
	account = load_to("deliver = \"smtps://mx.example.org\" recipient = a "
			  "deliver-user = bob deliver-password-command = { x, y }",
		&settings);
	assert_true(account->deliver_smtps);
	assert_string_equal(account->deliver_user, "bob");
	assert_int_equal(account->deliver_password_command.count, 2);
}

static void what_stays_in_place_has_its_originals_removed(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	const struct account_settings *account = load_to("deliver = inplace", &settings);

	(void)state;
	assert_int_equal(account->deliver_kind, DELIVER_INPLACE);
	assert_int_equal(account->after_kind, AFTER_DELETE);
	assert_null(account->recipient);
	settings_free(&settings);
	account = load_to("deliver = inplace after = keep inplace-quarantine = "
			  "\"Quarant\xc3\xa4ne\"",
		&settings);
	assert_int_equal(account->after_kind, AFTER_MOVE);
	assert_string_equal(account->after_folder, "Quarant\xc3\xa4ne");
}

static void a_wrong_destination_is_refused_with_its_line(void **state)
{
	(void)state;
	LOAD_WRONG(wrong_destinations);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_destination_is_taken_apart),
		cmocka_unit_test(what_goes_with_a_destination_can_be_set),
		cmocka_unit_test(what_stays_in_place_has_its_originals_removed),
		cmocka_unit_test(a_wrong_destination_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, make_home, drop_home);
}
