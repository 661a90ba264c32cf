/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/settings.h"

static char dir[] = "/tmp/test_settings.XXXXXX";
static char path[64];

/* What an account needs, for the tests of something else. */
#define SOURCE   "source = \"imaps://u@h\" "
#define DELIVER  "deliver = \"maildir:/m\" "
#define HERE     "account a {\nsource = \"maildir:/src\" " DELIVER "\n"
#define PASSWORD "password-file = \"/p\" "

/* On the fourth line; the reader's brace ends it. */
#define LOGIN_AT  "recipient = a deliver-user = u deliver-password-file = \"/p\" "
#define TO(value) "account a {\n" SOURCE PASSWORD "\n\ndeliver = \"" value "\" "

#define KEY       "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define OTHER_KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static void write_file(const char *text)
{
	struct err err;

	assert_int_equal(file_replace(path, span_str(text), 0600, &err), 0);
}

static void load_good(const char *text, struct settings *settings)
{
	struct err err = { 0 };

	write_file(text);
	if (settings_load(path, settings, &err) < 0)
		fail_msg("%s", err.text);
}

static void load_bad(const char *text, int line, const char *says)
{
	struct settings settings = { .jobs = 77 };
	struct err err = { 0 };
	char start[80];

	write_file(text);
	if (settings_load(path, &settings, &err) == 0)
		fail_msg("was loaded: %s", text);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_int_equal(settings.jobs, 77);
	(void)snprintf(start, sizeof(start), line > 0 ? "%s:%d: " : "%s: ", path, line);
	if (strncmp(err.text, start, strlen(start)) != 0 || !strstr(err.text, says))
		fail_msg("expected %s...%s, got %s", start, says, err.text);
}

static void everything_has_its_preset(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	const struct account_settings *account;

	(void)state;
	load_good("account a {\n" SOURCE DELIVER PASSWORD "}\n", &settings);
	assert_string_equal(settings.path, path);
	assert_int_equal(settings.scanners.count, 1);
	assert_string_equal(
		settings.scanners.items[0], "ipc:///run/mailfilter-scanner/scanner.sock");
	assert_int_equal(settings.jobs, 5);
	assert_int_equal(settings.interval_ms, 300000);
	assert_int_equal(settings.scan, SCAN_SUSPICIOUS);
	assert_int_equal(settings.scan_timeout_ms, 120000);
	assert_int_equal(settings.scanner_wait_ms, 10000);
	assert_int_equal(settings.scanner_start_ms, 120000);
	assert_int_equal(settings.message_max, 50 << 20);
	assert_int_equal(settings.accounts.count, 1);
	account = settings_account(&settings, 0);
	assert_string_equal(account->name, "a");
	assert_int_equal(account->line, 1);
	assert_int_equal(account->kind, SOURCE_IMAPS);
	assert_string_equal(account->user, "u");
	assert_string_equal(account->host, "h");
	assert_int_equal(account->port, 993);
	assert_int_equal(account->folders.count, 1);
	assert_string_equal(account->folders.items[0], "INBOX");
	assert_string_equal(account->deliver_path, "/m");
	assert_int_equal(account->auth, AUTH_PLAIN);
	assert_int_equal(account->tls, TLS_VERIFY);
	assert_null(account->tls_ca);
	assert_int_equal(account->after_kind, AFTER_KEEP);
	assert_null(account->after_folder);
	assert_int_equal(account->since_kind, SINCE_ALL);
	assert_int_equal(account->on_infected, POLICY_CLEAN);
	assert_int_equal(account->on_unscannable, POLICY_QUARANTINE);
	assert_int_equal(account->on_reason[REASON_ENCRYPTED], POLICY_TAG);
	for (unsigned i = REASON_UNSUPPORTED; i < VERDICT_REASONS; i++)
		assert_int_equal(account->on_reason[i], POLICY_QUARANTINE);
	assert_int_equal(account->scan, SCAN_SUSPICIOUS);
	assert_int_equal(account->message_max, 50 << 20);
	assert_int_equal(account->timeout_ms, 60000);
}

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

static void check_second(const struct account_settings *account)
{
	assert_int_equal(account->kind, SOURCE_POP3);
	assert_int_equal(account->tls, TLS_NONE);
	assert_int_equal(account->folders.count, 0);
	assert_string_equal(account->password, "a${x}\"");
	assert_string_equal(account->deliver_path, "/home/test/M");
	assert_int_equal(account->after_kind, AFTER_DELETE);
	assert_int_equal(account->since_kind, SINCE_NOW);
	assert_int_equal(account->interval_ms, 10000);
	assert_int_equal(account->rate, 0);
	assert_int_equal(account->scan, SCAN_ALL);
	assert_int_equal(account->message_max, 1 << 30);
}

static void everything_can_be_set(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	const struct account_settings *account;

	(void)state;
	load_good(
		"state-dir = \"/s\" scanners = { \"tcp://127.0.0.1:99\", \"ipc:///x\" }\n"
		"jobs = 300 interval = 10s scan = all scan-timeout = 1m\n"
		"scanner-wait = 0s scanner-start = 1h message-max = 1G\n"
		"account a.b-C_9 {\n"
		"source = \"imap://a@b@[::1]:1143\" folders = { \"inbox\", \"A/B\" }\n"
		"password-command = { \"pass\", \"mail/a\" } auth = login\n"
		"tls-ca = \"/ca\" deliver = \"maildir:/m/x y\" after = \"move:Done/x\"\n"
		"since = 90 on-infected = tag on-unscannable = hold\n"
		"on-encrypted = quarantine on-limit = tag on-error = quarantine\n"
		"scan = suspicious message-max = 1K timeout = 100ms interval = 1h\n"
		"rate = 1K }\n"
		"account b { source = \"pop3://u@h\" tls = none password = 'a${x}\"'\n"
		"deliver = \"maildir:~/M\" after = delete since = now }\n",
		&settings);
	assert_string_equal(settings.state_dir, "/s");
	assert_int_equal(settings.scanners.count, 2);
	assert_int_equal(settings.scanner_wait_ms, 0);
	account = settings_account(&settings, 0);
	assert_string_equal(account->name, "a.b-C_9");
	assert_int_equal(account->kind, SOURCE_IMAP);
	assert_string_equal(account->user, "a@b");
	assert_string_equal(account->host, "::1");
	assert_int_equal(account->port, 1143);
	assert_string_equal(account->folders.items[0], "INBOX");
	assert_string_equal(account->folders.items[1], "A/B");
	assert_int_equal(account->password_command.count, 2);
	assert_int_equal(account->auth, AUTH_LOGIN);
	assert_string_equal(account->tls_ca, "/ca");
	assert_string_equal(account->deliver_path, "/m/x y");
	assert_int_equal(account->after_kind, AFTER_MOVE);
	assert_string_equal(account->after_folder, "Done/x");
	assert_int_equal(account->since_kind, SINCE_DAYS);
	assert_int_equal(account->since_days, 90);
	assert_int_equal(account->interval_ms, 3600000);
	assert_int_equal(account->rate, 1024);
	assert_int_equal(account->on_infected, POLICY_TAG);
	assert_int_equal(account->on_unscannable, POLICY_HOLD);
	assert_int_equal(account->on_reason[REASON_ENCRYPTED], POLICY_QUARANTINE);
	assert_int_equal(account->on_reason[REASON_LIMIT], POLICY_TAG);
	assert_int_equal(account->on_reason[REASON_ERROR], POLICY_QUARANTINE);
	assert_int_equal(account->on_reason[REASON_CRASH], POLICY_HOLD);
	assert_int_equal(account->on_reason[REASON_MALFORMED], POLICY_HOLD);
	assert_int_equal(account->scan, SCAN_SUSPICIOUS);
	assert_int_equal(account->message_max, 1024);
	assert_int_equal(account->timeout_ms, 100);
	check_second(settings_account(&settings, 1));
}

static void scanners_on_other_hosts_have_their_keys(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	struct err err = { 0 };

	(void)state;
	load_good("scanners = { \"tcp://scan.example.org:4310 " KEY "\", \"ipc:///x\",\n"
		  "\"tcp://[2001:db8::1]:4310 " OTHER_KEY "\" }\ncurve-key = \"~/k\"\n",
		&settings);
	assert_int_equal(settings.scanners.count, 3);
	assert_string_equal(
		settings.scanners.items[0], "tcp://scan.example.org:4310 " KEY);
	assert_string_equal(settings.curve_key, "/home/test/k");
	assert_int_equal(settings_check_scanners(&settings, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "curve-key: "));
	assert_non_null(strstr(err.text, "/home/test/k"));
}

#define ACCOUNT(inside) "\naccount a {\n" SOURCE DELIVER PASSWORD "\n" inside "\n}\n"

static const struct {
	const char *text;
	int line;
	const char *says;
} wrong[] = {
	{ "jobs = 0", 1, "from 1 to 300" },
	{ "jobs = 301", 1, "from 1 to 300" },
	{ "interval = 9s", 1, "from 10s to 1d" },
	{ "interval = 25h", 1, "from 10s to 1d" },
	{ "message-max = 1", 1, "from 1K to 1G, such as 50M" },
	{ "scan = none", 1, "expected suspicious or all" },
	{ "scan-timeout = 0s", 1, "from 100ms to 1h" },
	{ "state-dir = \"x\"", 1, "expected a whole path" },
	{ "scanners = {}", 1, "at least 1" },
	{ "\nscanners = { \"tcp://0.0.0.0:9\" }", 2, "tcp://0.0.0.0:9" },
	{ "scanners = { \"x\" }", 1, "expected" },
	{ "\nscanners = { \"ipc:///a\", \"ipc:///a\" }", 2, "stands there twice" },
	{ "scanners = { \"tcp://a.example:1 " KEY "\",\n\"tcp://a.example:1 " OTHER_KEY
	  "\" }\n"
	  "curve-key = \"/k\"",
		1, "stands there twice" },
	{ "scanners = { \"tcp://a.example:1 " KEY "\" }", 1, "expected curve-key" },
	{ "scanners = { \"tcp://a.example:1 " KEY "x\" }", 1, "expected a key" },
	{ "scanners = { \"tcp://a.example:1 x\" }", 1, "expected a key" },
	{ "scanners = { \"tcp://a.example:1\" }", 1, "curve-key" },
	{ "scanners = { \"ipc:///a " KEY "\" }", 1, "expected no key" },
	{ "scanners = { \"tcp://a b:1 " KEY "\" }", 1, "expected" },
	{ "curve-key = \"k\"", 1, "whole path" },
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

static void what_is_wrong_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		load_bad(wrong[i].text, wrong[i].line, wrong[i].says);
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

static void a_plain_password_wants_a_file_of_its_owner(void **state)
{
	static const mode_t open_modes[] = { 0640, 0604, 0644, 0620, 0610, 0666 };
	DEFER(settings_free) struct settings settings = { 0 };
	struct err err;

	(void)state;
	write_file("account a {\n" SOURCE DELIVER "\npassword = \"hunter2\" }");
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		assert_int_equal(chmod(path, open_modes[i]), 0);
		assert_int_equal(settings_load(path, &settings, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_non_null(strstr(err.text, ".conf:3: password: others may read"));
		assert_non_null(strstr(err.text, "chmod 600 "));
		assert_null(strstr(err.text, "hunter2"));
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(settings_load(path, &settings, &err), 0);
	settings_free(&settings);
	write_file("account a {\n" SOURCE DELIVER PASSWORD "}");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(settings_load(path, &settings, &err), 0);
}

static void a_fetch_needs_accounts_with_passwords(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	char credential[80];
	struct err err = { 0 };

	(void)state;
	load_good("", &settings);
	assert_int_equal(settings_check_accounts(&settings, &err), -1);
	assert_non_null(strstr(err.text, ".conf: no account: expected a section"));
	settings_free(&settings);
	load_good("\naccount a {" SOURCE DELIVER "}", &settings);
	assert_int_equal(settings_check_accounts(&settings, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, ".conf:2: account a has no password: expected"));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	(void)snprintf(credential, sizeof(credential), "%s/mailfilter.a", dir);
	assert_int_equal(file_replace(credential, span_str("x"), 0600, &err), 0);
	assert_int_equal(settings_check_accounts(&settings, &err), 0);
	load_bad(ACCOUNT(""), 3, "gives the credential mailfilter.a too");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	settings_free(&settings);
	load_good(ACCOUNT(""), &settings);
	assert_int_equal(settings_check_accounts(&settings, &err), 0);
}

static void no_file_at_all_gives_the_presets_and_no_account(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	uid_t uid = geteuid();
	struct err err = { 0 };
	int result;

	(void)state;
	if (access("/etc/mailfilter/mailfilter.conf", F_OK) == 0)
		skip();
	if (uid == 0)
		assert_int_equal(seteuid(65534), 0);
	result = settings_load(NULL, &settings, &err);
	if (uid == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(result, 0);
	assert_null(settings.path);
	assert_int_equal(settings.jobs, 5);
	assert_string_equal(settings.state_dir, "/home/test/.local/state/mailfilter");
	assert_int_equal(settings_check_accounts(&settings, &err), -1);
	assert_non_null(
		strstr(err.text, "/etc/mailfilter/mailfilter.conf: no such file"));
}

static void a_named_file_that_is_missing_is_refused(void **state)
{
	struct settings settings = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(settings_load("/nonexistent", &settings, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "/nonexistent: no such file"));
	settings_free(&settings);
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
		cmocka_unit_test(everything_has_its_preset),
		cmocka_unit_test(
			an_account_that_is_watched_is_visited_seldom_if_nothing_else_is_said),
		cmocka_unit_test(everything_can_be_set),
		cmocka_unit_test(scanners_on_other_hosts_have_their_keys),
		cmocka_unit_test(every_destination_is_taken_apart),
		cmocka_unit_test(what_goes_with_a_destination_can_be_set),
		cmocka_unit_test(what_stays_in_place_has_its_originals_removed),
		cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
		cmocka_unit_test(an_account_adds_to_what_all_allow),
		cmocka_unit_test(lists_of_what_is_allowed_have_their_bounds),
		cmocka_unit_test(a_plain_password_wants_a_file_of_its_owner),
		cmocka_unit_test(a_fetch_needs_accounts_with_passwords),
		cmocka_unit_test(no_file_at_all_gives_the_presets_and_no_account),
		cmocka_unit_test(a_named_file_that_is_missing_is_refused),
	};
	int failed;

	if (!mkdtemp(dir) || setenv("HOME", "/home/test", 1) < 0)
		return 1;
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("XDG_STATE_HOME");
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	(void)snprintf(path, sizeof(path), "%s/x.conf", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return file_remove_tree(dir, true, NULL) < 0 ? 1 : failed;
}
