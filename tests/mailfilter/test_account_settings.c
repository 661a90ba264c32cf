/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/settings_file.h"

#define HERE "account a {\nsource = \"maildir:/src\" " DELIVER "\n"

static void an_account_that_is_watched_is_visited_seldom_if_nothing_else_is_said(
	void **state)
{
	static const struct {
		const char *global, *account;
		int64_t interval_ms, idle_interval_ms;
	} cases[] = {
		{ "", "", 300000, 1800000 },
		{ "interval = \"1h\" ", "", 3600000, 3600000 },
		{ "", "interval = \"1m\" ", 60000, 60000 },
		{ "", "folders = { \"INBOX\", \"Lists\" } ", 300000, 300000 },
		{ "", "folders = { \"*\" } ", 300000, 300000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		DEFER(settings_free) struct settings settings = { 0 };
		const struct account_settings *account;
		char text[1000];

		(void)snprintf(text, sizeof(text),
			"%saccount a {\n" SOURCE DELIVER PASSWORD "%s}\n",
			cases[i].global, cases[i].account);
		load_good(text, &settings);
		account = settings_account(&settings, 0);
		assert_true(account->idle);
		assert_int_equal(account->interval_ms, cases[i].interval_ms);
		assert_int_equal(account->idle_interval_ms, cases[i].idle_interval_ms);
		assert_int_equal(account->idle_refresh_ms, 9 * 60 * 1000);
	}
	load_bad("account a {\n" SOURCE DELIVER PASSWORD "\nidle-folder = \"X\"\n}\n", 3,
		"not among the folders");
	load_bad("account a {\n" SOURCE DELIVER PASSWORD "\nidle-refresh = \"29m\"\n}\n",
		3, "28m");
	load_bad("account a {\nsource = \"pop3s://u@h\" " DELIVER PASSWORD
		 "\nidle = yes\n}\n",
		3, "only IMAP");
}

static const struct wrong wrong_accounts[] = {
	{ "account a { " DELIVER PASSWORD "}", 1, "account a has no source" },
	{ "\naccount a {\n" SOURCE PASSWORD "}", 2, "account a has no deliver" },
	{ ACCOUNT("bogus = 1"), 4, "no such option 'bogus': expected one of source" },
	{ ACCOUNT("source = \"imaps://a@b\""), 4, "second time" },
	{ ACCOUNT("folders = { \"\" }"), 4, "name of a folder" },
	{ ACCOUNT("folders = { \"a\", \"a\" }"), 4, "twice" },
	{ ACCOUNT("folders = { \"inbox\", \"INBOX\" }"), 4, "twice" },
	{ ACCOUNT("folders = {}"), 4, "at least 1" },
	{ ACCOUNT("folders = { \"!a\", \"!b*\" }"), 4, "without \"!\"" },
	{ ACCOUNT("folders = { \"*\", \"!inbox\", \"!INBOX\" }"), 4, "twice" },
	{ ACCOUNT("folders = { \"\xff\" }"), 4, "UTF-8" },
	{ ACCOUNT("auth = cram"), 4, "expected plain, login, xoauth2 or oauthbearer" },
	{ ACCOUNT("tls = none"), 4, "expected imap:// or pop3://" },
	{ ACCOUNT("tls = maybe"), 4, "expected verify or none" },
	{ ACCOUNT("tls-ca = \"ca.pem\""), 4, "expected a whole path" },
	{ ACCOUNT("after = remove"), 4,
		"expected keep, delete, flag, trash or move:FOLDER" },
	{ ACCOUNT("after = \"move:\""), 4, "name of a folder" },
	{ ACCOUNT("interval = 9s"), 4, "from 10s to 1d" },
	{ ACCOUNT("rate = 1023"), 4, "from 1K to 1G" },
	{ ACCOUNT("rate = fast"), 4, "from 1K to 1G" },
	{ ACCOUNT("since = later"), 4, "expected all, now or a number of days" },
	{ ACCOUNT("since = 0"), 4, "expected all, now or a number of days" },
	{ ACCOUNT("since = 36501"), 4, "at most 36500" },
	{ ACCOUNT("since = \"3d\""), 4, "a number of days" },
	{ ACCOUNT("after = \"move:Inbox\""), 4, "\"INBOX\" is fetched itself" },
	{ ACCOUNT("on-infected = delete"), 4, "expected clean, tag, quarantine or hold" },
	{ ACCOUNT("on-unscannable = clean"), 4, "expected tag, quarantine or hold" },
	{ ACCOUNT("on-encrypted = clean"), 4, "expected tag, quarantine or hold" },
	{ ACCOUNT("on-timeout = clean"), 4, "expected tag, quarantine or hold" },
	{ ACCOUNT("on-crash = pass"), 4, "expected clean, tag, quarantine or hold" },
	{ ACCOUNT("timeout = 2h"), 4, "from 100ms to 1h" },
	{ ACCOUNT("allow-sha256 = { \"275a\" }"), 4,
		"allow-sha256: \"275a\": expected a SHA" },
	{ ACCOUNT("allow-signatures = { \"A B\" }"), 4,
		"expected the name of a signature" },
	{ "\nallow-sha256 = {\n\"x\" }", 3, "expected a SHA-256 sum, 64 hex" },
	{ "allow-signatures = { \"Heuristics.Limits.Exceeded.MaxFiles\" }", 1,
		"says that something was not looked at: expected" },
	{ ACCOUNT("password = \"x\""), 4, "a second source of the password" },
	{ ACCOUNT("password-command = { \"x\" }"), 4, "a second source of the password" },
	{ ACCOUNT("") ACCOUNT(""), 7, "duplicate title 'a'" },
	{ "account \"\" {}", 1, "expected a name" },
	{ "account \"a/b\" {}", 1, "expected a name" },
	{ "account .. {}", 1, "expected a name" },
	{ "account -a {}", 1, "expected a name" },
	{ "account a { password-command = {} }", 1, "at least 1" },
	{ "account a { password = \"\" }", 1, "expected 1 to" },
	{ "account a { password-file = \"x\" }", 1, "expected a whole path" },
	{ "account a { source = \"imaps://h\" }", 1, "USER@HOST" },
	{ "account a { source = \"maildir:x\" }", 1, "expected a whole path" },
	{ HERE "folders = { \"INBOX\" } }", 3, "a Maildir has only one" },
	{ HERE PASSWORD "}", 3, "password-file: a Maildir is a folder here" },
	{ HERE "auth = login }", 3, "auth: a Maildir is a folder here" },
	{ HERE "tls = none }", 3, "tls: a Maildir is a folder here" },
	{ HERE "rate = 1M }", 2, "rate: a Maildir is read" },
	{ HERE "after = trash }", 3, "a Maildir has no trash" },
	{ HERE "after = \"move:Done\" }", 3, "after: \"Done\": expected a whole path" },
	{ HERE "after = \"move:/src/\" }", 3, "would come in again" },
	{ HERE "after = \"move:/m\" }", 3, "would be there twice" },
	{ "account a {\nsource = \"maildir:/tmp/../tmp\"\ndeliver = \"maildir:/tmp\" }",
		3, "deliver: the mail of account a comes from there" },
	{ HERE "}\naccount b {\n" SOURCE PASSWORD "\ndeliver = \"maildir:/src//\" }", 6,
		"the mail of account a comes from there, and would come in again" },
	{ "account a {\nsource = \"pop3s://u@h\"\n" DELIVER PASSWORD
	  "\nfolders = { \"INBOX\" } }",
		4, "POP3 has only one" },
	{ "account a {\nsource = \"pop3s://u@h\"\n" DELIVER PASSWORD "\nsince = 30 }", 4,
		"POP3 does not tell when a message came" },
	{ "account a {\nsource = \"pop3s://u@h\"\n" DELIVER PASSWORD "\nafter = trash }",
		4, "POP3 cannot move" },
	{ "account a {\nsource = \"pop3s://u@h\"\n" DELIVER PASSWORD "\nafter = flag }",
		4, "POP3 cannot flag: expected keep or delete" },
	{ "account a {\nsource = \"pop3s://u@h\"\n" DELIVER PASSWORD
	  "\nafter = \"move:x\" }",
		4, "POP3 cannot move" },
	{ "account a {\nsource = \"pop3s://u@h\"\n" DELIVER PASSWORD "\ntls = none }", 4,
		"expected imap:// or pop3://" },
	{ "account a {\nsource = \"imap://u@h\" tls = none\n" DELIVER PASSWORD
	  "\ntls-ca = \"/ca\" }",
		4, "nothing is verified" },
};

static void what_is_wrong_in_an_account_is_refused_with_its_line(void **state)
{
	(void)state;
	LOAD_WRONG(wrong_accounts);
}

#define SUM       "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
#define OTHER_SUM "375A021BBFB6489E54D471899F7DB9D1663FC695EC2FE2A2C4538AABF651FD0F"

static bool allows(const struct allow *allow, const char *sum)
{
	struct hash hash;

	assert_true(hash_parse(sum, &hash));
	return allow_has_hash(allow, &hash);
}

static void an_account_adds_to_what_all_allow(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	const struct account_settings *a, *b;

	(void)state;
	load_good("allow-sha256 = { \"" SUM
		  "\" } allow-signatures = { \"One\", \"One\" }\n"
		  "account a {\n" SOURCE DELIVER PASSWORD "allow-sha256 = { \"" OTHER_SUM
		  "\", \"" SUM "\" } allow-signatures = { \"Two\" }\n}\n"
		  "account b {\n" SOURCE DELIVER PASSWORD "allow-sha256 = {}\n}\n",
		&settings);
	a = settings_account(&settings, 0);
	b = settings_account(&settings, 1);
	assert_int_equal(settings.allow.hash_count, 1);
	assert_int_equal(settings.allow.name_count, 1);
	assert_true(allows(&settings.allow, SUM));
	assert_int_equal(a->allow.hash_count, 2);
	assert_int_equal(a->allow.name_count, 2);
	assert_true(allows(&a->allow, SUM) && allows(&a->allow, OTHER_SUM));
	assert_true(allow_has_name(&a->allow, "One") && allow_has_name(&a->allow, "Two"));
	assert_int_equal(b->allow.hash_count, 1);
	assert_int_equal(b->allow.name_count, 1);
}

/* Both lists, as long as they may be; the last is left open. */
static void put_lists(struct buf *text, unsigned from)
{
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(buf_printf(text, NULL, "%s\"%.60s%04x\"",
					 i ? ", " : "allow-sha256 = { ", SUM, from + i),
			0);
	for (unsigned i = 0; i < 128; i++)
		assert_int_equal(
			buf_printf(text, NULL, "%s\"Name.%u\"",
				i ? ", " : " }\nallow-signatures = { ", from + i),
			0);
}

/* As many as both lists may have together fit into what a scanner takes. */
static void lists_of_what_is_allowed_have_their_bounds(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	auto_buf struct buf text;
	const char *written;

	(void)state;
	buf_init(&text, 1 << 20);
	put_lists(&text, 0);
	assert_int_equal(
		buf_add_str(&text, " }\naccount a {\n" SOURCE DELIVER PASSWORD, NULL), 0);
	put_lists(&text, 1000);
	assert_int_equal(buf_add_str(&text, " }\n}\n", NULL), 0);
	assert_int_equal(buf_text(&text, &written, NULL), 0);
	load_good(written, &settings);
	assert_int_equal(settings_account(&settings, 0)->allow.hash_count, 512);
	assert_int_equal(settings_account(&settings, 0)->allow.name_count, 256);
	buf_clear(&text);
	put_lists(&text, 0);
	assert_int_equal(buf_add_str(&text, ",\n\"One.More\" }\n", NULL), 0);
	assert_int_equal(buf_text(&text, &written, NULL), 0);
	load_bad(written, 3, "allow-signatures");
}

static void a_maildir_needs_no_password(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	const struct account_settings *account;
	struct err err = { 0 };

	(void)state;
	load_good(HERE "since = 30 after = \"move:~/Done\" }\n", &settings);
	assert_int_equal(settings_check_accounts(&settings, &err), 0);
	account = settings_account(&settings, 0);
	assert_int_equal(account->kind, SOURCE_MAILDIR);
	assert_string_equal(account->source_path, "/src");
	assert_int_equal(account->folders.count, 0);
	assert_int_equal(account->after_kind, AFTER_MOVE);
	assert_int_equal(account->after_folder[0], '/');
	assert_non_null(strstr(account->after_folder, "/Done"));
	assert_string_equal(account->user, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_maildir_needs_no_password),
		cmocka_unit_test(
			an_account_that_is_watched_is_visited_seldom_if_nothing_else_is_said),
		cmocka_unit_test(what_is_wrong_in_an_account_is_refused_with_its_line),
		cmocka_unit_test(an_account_adds_to_what_all_allow),
		cmocka_unit_test(lists_of_what_is_allowed_have_their_bounds),
	};

	return cmocka_run_group_tests(tests, make_home, drop_home);
}
