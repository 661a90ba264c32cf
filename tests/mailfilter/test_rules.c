/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mime.h"

#include "mailfilter/message.h"
#include "mailfilter/rules.h"

#define ACCOUNT                                                                          \
	" { source = \"imaps://a@b\"\n password = x\n deliver = \"maildir:/tmp/x\"\n }\n"

/* Settings with these rules and the accounts work and home. */
static int load(const char *rules, struct settings *settings_r, struct err *err)
{
	char path[] = "/tmp/test_rules.XXXXXX";
	auto_close int fd = mkstemp(path);
	auto_free char *text = NULL;
	int result;

	assert_true(fd >= 0);
	assert_true(asprintf(&text, "account work" ACCOUNT "account home" ACCOUNT "%s",
			    rules) > 0);
	assert_int_equal(file_write(fd, span_str(text), path, NULL), 0);
	result = settings_load(path, settings_r, err);
	assert_int_equal(unlink(path), 0);
	return result;
}

/* The name of the rule that matches, "" if none does. */
static const char *match(const char *rules, const char *account, const char *message)
{
	DEFER(settings_free) struct settings settings = { 0 };
	static char name[MESSAGE_RULE_MAX];
	const struct rule_settings *rule = NULL;
	struct err err = { 0 };

	if (load(rules, &settings, &err) < 0)
		fail_msg("%s", err.text);
	if (rules_match(&settings, account, span_str(message), &rule, &err) < 0)
		fail_msg("%s", err.text);
	(void)snprintf(name, sizeof(name), "%s", rule ? rule->name : "");
	return name;
}

#define MAIL                                                                             \
	"From: Alice <alice@example.org>\r\nTo: bob@example.net\r\n"                     \
	"Subject: An invoice\r\nX-Mailer: Bulk 3\r\n"                                    \
	"List-Id: Our list <news.lists.example.org>\r\nDate: x\r\n"                      \
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"             \
	"\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"                           \
	"--b\r\nContent-Type: application/pdf; name=bill.pdf\r\n"                        \
	"Content-Disposition: attachment; filename=bill.pdf\r\n\r\n%PDF\r\n--b--\r\n"

static void each_condition_matches_what_it_names_and_nothing_else(void **state)
{
	static const struct {
		const char *condition;
		bool matches;
	} cases[] = {
		{ "from = { \"alice@example.org\" }", true },
		{ "from = { \"*@EXAMPLE.org\" }", true },
		{ "from = { \"alice\" }", false },
		{ "from = { \"nobody@*\", \"*@example.org\" }", true },
		{ "subject = { \"*INVOICE\" }", true },
		{ "subject = { \"invoice\" }", false },
		{ "header = { \"X-Mailer: bulk*\" }", true },
		{ "header = { \"x-mailer:bulk ?\" }", true },
		{ "header = { \"X-Mailer: other*\", \"To: bob@*\" }", true },
		{ "header = { \"X-Missing: *\" }", false },
		{ "list = { \"*.lists.example.org\" }", true },
		{ "list = { \"lists.example.org\" }", false },
		{ "attachment = { \"*.pdf\" }", true },
		{ "attachment = { \"*.exe\" }", false },
		{ "type = { \"application/*\" }", true },
		{ "type = { \"image/*\" }", false },
		{ "size-over = \"100\"", true },
		{ "size-over = \"1M\"", false },
		{ "size-under = \"1M\"", true },
		{ "size-under = \"100\"", false },
		{ "size-over = \"10\"\n size-under = \"1M\"", true },
	};
	static const char *const thens[] = { "scan", "quarantine", "pass",
		"\"folder:X\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t j = 0; j < sizeof(thens) / sizeof(thens[0]); j++) {
			const bool each = strncmp(cases[i].condition, "type", 4) == 0;
			char rules[512];

			(void)snprintf(rules, sizeof(rules),
				"rule r { %s\n then = %s\n }\n", cases[i].condition,
				thens[j]);
			/* There is a text/plain, too. */
			if (each && j >= 2)
				assert_string_equal(match(rules, "work", MAIL), "");
			else if ((match(rules, "work", MAIL)[0] != '\0') !=
				 cases[i].matches)
				fail_msg("%s", rules);
		}
}

static void all_conditions_must_hold_and_the_first_rule_wins(void **state)
{
	static const char rules[] =
		"rule both { from = { \"alice@*\" }\n subject = { \"other\" }\n then = scan\n }\n"
		"rule first { from = { \"alice@*\" }\n subject = { \"*\" }\n then = scan\n }\n"
		"rule second { then = quarantine\n }\n";

	(void)state;
	assert_string_equal(match(rules, "work", MAIL), "first");
	assert_string_equal(match(rules, "work", "Subject: x\r\n\r\nx"), "second");
	assert_string_equal(match("", "work", MAIL), "");
}

static void a_rule_is_for_the_accounts_that_it_names(void **state)
{
	static const char rules[] =
		"rule mine { accounts = { \"work\" }\n then = quarantine\n }\n";

	(void)state;
	assert_string_equal(match(rules, "work", MAIL), "mine");
	assert_string_equal(match(rules, "home", MAIL), "");
	assert_string_equal(match(rules, NULL, MAIL), "");
}

/* Odd mail: one reading matches, another does not. */
static void what_keeps_back_takes_any_reading_and_what_lets_through_takes_all(
	void **state)
{
	static const struct {
		const char *condition, *message;
	} cases[] = {
		{ "subject = { \"*good*\" }", "Subject: good\r\nSubject: bad\r\n\r\nx" },
		{ "subject = { \"*good*\" }", "Subject: bad\r\nSubject: good\r\n\r\nx" },
		{ "subject = { \"agoodc\" }", "Subject: a=?utf-8?q?good?=c\r\n\r\nx" },
		{ "from = { \"good@*\" }",
			"From: <good@x.org>\r\nFrom: <bad@x.org>\r\n\r\nx" },
		{ "from = { \"good@*\" }", "From: good@x.org, bad@x.org\r\n\r\nx" },
		{ "from = { \"*good@x.org*\" }",
			"From: \"good@x.org\" <bad@x.org>\r\n\r\nx" },
		{ "from = { \"good@x.org\" }",
			"From: \"<good@x.org>\" <bad@x.org>\r\n\r\nx" },
		{ "header = { \"X-Internal: yes\" }",
			"X-Other: x\r\njunk that ends a header for some\r\nX-Internal: yes\r\n\r\nx" },
		{ "attachment = { \"*.pdf\" }",
			"Content-Type: x/y; name=a.exe\r\nContent-Disposition: x; "
			"filename=a.pdf\r\n\r\nx" },
		{ "attachment = { \"*.pdf\" }",
			"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
			"Content-Type: x/y; name=a.pdf\r\n\r\nx\r\n--b\r\n"
			"Content-Type: x/y; name=a.exe\r\n\r\nx\r\n--b--\r\n" },
		{ "type = { \"text/plain\" }",
			"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx" },
		{ "attachment = { \"*.exe\" }",
			"Content-Type: multipart/mixed; boundary=\"a\"; boundary=\"b\"\r\n\r\n"
			"--a\r\n\r\ntext\r\n--a--\r\n--b\r\nContent-Type: x/y; "
			"name=a.exe\r\n\r\nx\r\n--b--\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static const char *const thens[] = { "scan", "quarantine", "pass",
			"\"folder:X\"" };

		for (size_t j = 0; j < sizeof(thens) / sizeof(thens[0]); j++) {
			char rules[512];

			(void)snprintf(rules, sizeof(rules),
				"rule r { %s\n then = %s\n }\n", cases[i].condition,
				thens[j]);
			if ((match(rules, "work", cases[i].message)[0] != '\0') !=
				(j < 2))
				fail_msg("%s on %s", rules, cases[i].message);
		}
	}
}

static void encoded_words_and_names_are_decoded_for_both(void **state)
{
	static const char *const rules[] = {
		"rule r { subject = { \"*RÉSERVATION*\" }\n then = pass\n }\n",
		"rule r { subject = { \"*RÉSERVATION*\" }\n then = quarantine\n }\n",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(
			match(rules[i], "work",
				"Subject: =?utf-8?q?Votre_r=C3=A9servation?=\r\n\r\nx"),
			"r");
	assert_string_equal(
		match("rule r { attachment = { \"*.exe\" }\n then = quarantine\n }\n",
			"work", "Content-Type: x/y; name*=utf-8''invoice%2Eexe\r\n\r\nx"),
		"r");
}

static void an_attachment_without_a_name_is_not_let_through_by_the_names_of_others(
	void **state)
{
	static const char mail[] =
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: text/calendar; name=a.ics\r\n\r\nx\r\n--b\r\n"
		"Content-Disposition: attachment\r\nContent-Type: x/y\r\n\r\nx\r\n--b--\r\n";

	(void)state;
	assert_string_equal(
		match("rule r { attachment = { \"*.ics\" }\n then = pass\n }\n", "work",
			mail),
		"");
	assert_string_equal(
		match("rule r { attachment = { \"*.ics\" }\n then = scan\n }\n", "work",
			mail),
		"r");
}

static void too_many_fields_let_nothing_through(void **state)
{
	auto_buf struct buf mail;
	const char *text = NULL;

	(void)state;
	buf_init(&mail, 65536);
	for (int i = 0; i <= RULES_FIELDS_MAX; i++)
		assert_int_equal(
			buf_add_str(&mail, "From: good@example.org\r\n", NULL), 0);
	assert_int_equal(buf_add_str(&mail, "\r\nx", NULL), 0);
	assert_int_equal(buf_text(&mail, &text, NULL), 0);
	assert_string_equal(
		match("rule r { from = { \"good@*\" }\n then = pass\n }\n", "work", text),
		"");
	assert_string_equal(
		match("rule r { from = { \"good@*\" }\n then = scan\n }\n", "work", text),
		"r");
}

static void wrong_rules_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *rule, *says;
	} cases[] = {
		{ "rule r { from = { x }\n }", "does nothing" },
		{ "rule r { then = pass\n }", "expected a condition" },
		{ "rule r { then = \"folder:X\"\n }", "expected a condition" },
		{ "rule r { then = drop\n }", "expected scan, pass, quarantine" },
		{ "rule r { from = { x }\n then = \"folder:\"\n }", "name of a folder" },
		{ "rule r { from = { x }\n then = \"folder:../x\"\n }",
			"name of a folder" },
		{ "rule r { from = { x }\n then = \"folder:a/b\"\n }",
			"name of a folder" },
		{ "rule r { from = { x }\n then = \"folder:.x\"\n }",
			"name of a folder" },
		{ "rule r { from = { x }\n then = \"folder:a..b\"\n }",
			"name of a folder" },
		{ "rule r { header = { \"X-Mailer\" }\n then = scan\n }", "a colon" },
		{ "rule r { header = { \": x\" }\n then = scan\n }", "a colon" },
		{ "rule r { header = { \"X: [\" }\n then = scan\n }", "\"]\"" },
		{ "rule r { from = { \"[\" }\n then = scan\n }", "\"]\"" },
		{ "rule r { from = { \"\" }\n then = scan\n }", "1 to 256 bytes" },
		{ "rule r { accounts = { away }\n then = scan\n }",
			"name of an account" },
		{ "rule r { accounts = { work, work }\n then = scan\n }", "twice" },
		{ "rule r { size-over = 5K\n size-under = 5K\n then = scan\n }",
			"no size" },
		{ "rule r { then = scan\n }\nrule r { then = scan\n }", "expected" },
		{ "rule \"a b\" { then = scan\n }", "expected a name" },
		{ "rule { then = scan\n }", "expected a name" },
		{ "rule r { colour = blue\n then = scan\n }", "expected one of" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings settings = { 0 };
		struct err err = { 0 };

		if (load(cases[i].rule, &settings, &err) == 0)
			fail_msg("%s", cases[i].rule);
		assert_int_equal(err.kind, ERR_SETTINGS);
		if (!strstr(err.text, cases[i].says) || !strstr(err.text, ":"))
			fail_msg("%s: %s", cases[i].rule, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_condition_matches_what_it_names_and_nothing_else),
		cmocka_unit_test(all_conditions_must_hold_and_the_first_rule_wins),
		cmocka_unit_test(a_rule_is_for_the_accounts_that_it_names),
		cmocka_unit_test(
			what_keeps_back_takes_any_reading_and_what_lets_through_takes_all),
		cmocka_unit_test(encoded_words_and_names_are_decoded_for_both),
		cmocka_unit_test(
			an_attachment_without_a_name_is_not_let_through_by_the_names_of_others),
		cmocka_unit_test(too_many_fields_let_nothing_through),
		cmocka_unit_test(wrong_rules_are_refused_with_their_line),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
