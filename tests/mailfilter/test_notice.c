/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/mime.h"
#include "common/utf8.h"

#include "mailfilter/notice.h"

static struct message *a_message(const char *text)
{
	struct message *message = message_new("/tmp", 1000000);
	struct err err = { 0 };

	assert_non_null(message);
	(void)snprintf(message->quarantine_id, sizeof(message->quarantine_id),
		"20260131T120000-00ff");
	(void)snprintf(message->key.uid, sizeof(message->key.uid), "4711");
	(void)snprintf(message->key.folder, sizeof(message->key.folder), "INBOX");
	message->date_s = 1769860800;
	assert_int_equal(body_add(&message->body, span_str(text), &err), 0);
	return message;
}

static void infected(struct message *message, const char *signature)
{
	struct finding finding = { 0 };
	struct err err = { 0 };

	(void)snprintf(finding.signature, sizeof(finding.signature), "%s", signature);
	message->verdict.kind = VERDICT_INFECTED;
	message->action = ACTION_QUARANTINE;
	assert_int_equal(verdict_add_finding(&message->verdict, &finding, &err), 0);
}

static struct span cleaned(struct message *message)
{
	struct span span = { 0 };
	struct err err = { 0 };

	assert_int_equal(body_span(&message->cleaned, &span, &err), 0);
	return span;
}

static bool has(struct message *message, const char *text)
{
	return span_find(cleaned(message), span_str(text)) >= 0;
}

static void write_it(struct message *message)
{
	struct err err = { 0 };

	if (notice_write(message, "work", NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(has(message, "on the mail server, unchanged"));
	if (notice_write(message, "work", "Quarant\xc3\xa4ne\r\nX: y", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(
		has(message, "also in the folder \"Quarant\xc3\xa4ne??X: y\" on the mail "
			     "server, unchanged"),
		message->action != ACTION_PARK);
	if (notice_write(message, "work", NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* How many header fields of this name the notice has. */
static unsigned fields(struct message *message, const char *name)
{
	struct span left = cleaned(message);
	unsigned count = 0;
	ptrdiff_t end;

	while ((end = span_find(left, span_str("\r\n"))) > 0) {
		ptrdiff_t colon = span_find(left, span_str(":"));

		if (colon > 0 && span_is(span_part(left, 0, (size_t)colon), name))
			count++;
		left = span_part(left, (size_t)end + 2, left.len);
	}
	return count;
}

static void a_quarantined_mail_is_told_with_all_its_owner_needs(void **state)
{
	static const char *const wanted[] = {
		"From: mailfilter <mailfilter@localhost>\r\n",
		"To: alice@example.org\r\n", "Subject: [Quarantined] Invoice\r\n",
		"Date: Sat, 31 Jan 2026 12:00:00 +0000\r\n",
		"Message-ID: <20260131T120000-00ff@mailfilter.invalid>\r\n",
		"MIME-Version: 1.0\r\n", "Content-Type: text/plain; charset=us-ascii\r\n",
		"Auto-Submitted: auto-generated\r\n",
		"X-Virus-Status: Infected (Eicar-Test-Signature)\r\n",
		"X-Quarantine-ID: 20260131T120000-00ff\r\n", "Eicar-Test-Signature\r\n",
		"    SHA-256:  00000000000000000000000000000000",
		"Bob <bob@example.org>\r\n", "Fri, 30 Jan 2026 10:00:00 +0100\r\n",
		"mailfilter quarantine release 20260131T120000-00ff\r\n", "\"work\"",
		"may be forged"
	};
	struct message *message = a_message(
		"From: Bob <bob@example.org>\r\nTo: alice@example.org\r\n"
		"Subject: Invoice\r\nDate: Fri, 30 Jan 2026 10:00:00 +0100\r\n\r\nbody");

	(void)state;
	infected(message, "Eicar-Test-Signature");
	write_it(message);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!has(message, wanted[i]))
			fail_msg("no %s", wanted[i]);
	assert_false(has(message, "body"));
	message_free(message);
}

static void a_parked_mail_is_said_to_be_on_the_server(void **state)
{
	struct message *message = a_message("");

	(void)state;
	message->action = ACTION_PARK;
	message->size = 123456789;
	(void)snprintf(
		message->reason, sizeof(message->reason), "larger than 50000000 bytes");
	write_it(message);
	assert_true(has(message, "Subject: [Not fetched] (no subject)\r\n"));
	assert_true(has(message, "123456789 bytes"));
	assert_true(has(message, "larger than 50000000 bytes"));
	assert_true(has(message, "untouched on the mail server"));
	assert_true(has(message, "folder \"INBOX\""));
	assert_true(has(message, "mailfilter why work 4711\r\n"));
	assert_true(has(message, "To: undisclosed-recipients:;\r\n"));
	assert_int_equal(fields(message, "X-Quarantine-ID"), 0);
	message_free(message);
}

static void a_uid_that_a_shell_would_read_is_not_put_in_a_command(void **state)
{
	struct message *message = a_message("");

	(void)state;
	message->action = ACTION_PARK;
	(void)snprintf(message->key.uid, sizeof(message->key.uid), "`reboot`");
	write_it(message);
	assert_false(has(message, "reboot"));
	message_free(message);
}

static void an_unscannable_mail_says_why(void **state)
{
	struct message *message = a_message("Subject: x\r\n\r\n");

	(void)state;
	message->action = ACTION_QUARANTINE;
	message->verdict.kind = VERDICT_UNSCANNABLE;
	message->verdict.reason = REASON_LIMIT;
	(void)snprintf(message->verdict.detail, sizeof(message->verdict.detail),
		"nested too deep");
	write_it(message);
	assert_true(has(message, "X-Virus-Status: Unscannable (limit)\r\n"));
	assert_true(has(message, "could not be scanned (limit): nested too deep\r\n"));
	message_free(message);
}

/* The header ends once, its lines are short ASCII, and each field is there once. */
static void check_form(struct message *message)
{
	static const char *const once[] = { "From", "To", "Subject", "Date", "Message-ID",
		"MIME-Version", "Content-Type", "Auto-Submitted", "X-Virus-Status",
		"X-Quarantine-ID" };
	const struct span all = cleaned(message);
	const size_t end = (size_t)span_find(all, span_str("\r\n\r\n"));
	size_t line = 0;

	assert_true(utf8_valid(all));
	for (size_t i = 0; i < all.len; i++) {
		const uint8_t c = all.data[i];

		if (c == '\n') {
			assert_true(i > 0 && all.data[i - 1] == '\r');
			assert_true(line <= 998);
			line = 0;
			continue;
		}
		line++;
		assert_true(c >= ' ' ? c != 0x7f : c == '\r');
		assert_true(i > end || c < 0x80);
	}
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		assert_int_equal(fields(message, once[i]), 1);
	assert_int_equal(fields(message, "Bcc"), 0);
	assert_int_equal(fields(message, "X-Evil"), 0);
}

static void hostile_text_stays_in_its_line(void **state)
{
	static const char *const values[] = {
		"x\r\n\r\nBcc: evil@example.org",
		"=?utf-8?Q?a=0D=0ABcc:_evil@example.org=0D=0A=0D=0Abody?=",
		"=?utf-8?B?DQpYLUV2aWw6IHllcw0KDQo=?=",
		"=?utf-8?Q?=3D=3Futf-8=3FQ=3Fa=3D0D=3D0AX-Evil=3A_yes=3F=3D?=",
		"\x1b[31mred\x07\x08",
		"=?utf-8?Q?=E2=80=AEevil=E2=81=A6?=",
		"\xff\xfe\x80 raw",
		"=?iso-8859-1?Q?=85=1B=9B?=",
		"=?utf-8?Q?=00nul?=",
		"a@b.org\r\n , \"quote",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct message *message;
		char text[2048];

		(void)snprintf(text, sizeof(text),
			"From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\n\r\nbody\r\n",
			values[i], values[i], values[i], values[i]);
		message = a_message(text);
		infected(message, "Evil\r\nX-Evil: yes\x1b");
		(void)snprintf(message->reason, sizeof(message->reason),
			"because\r\n\r\nX-Evil: yes");
		(void)snprintf(message->key.folder, sizeof(message->key.folder),
			"IN\r\nBOX\x1b");
		write_it(message);
		check_form(message);
		message_free(message);
	}
}

static void long_text_is_cut_and_stays_readable(void **state)
{
	static const char *const units[] = { "x", "\xc3\xa4", "\xf0\x9f\x90\x9f",
		"a b " };

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct message *message;
		char text[8192] = "Subject: ", subject[512];
		struct span span;

		for (int k = 0; k < 1000; k++)
			(void)strncat(text, units[i], sizeof(text) - strlen(text) - 10);
		(void)strncat(text, "\r\n\r\n", 5);
		message = a_message(text);
		infected(message, "x");
		write_it(message);
		check_form(message);
		span = cleaned(message);
		assert_true(span.len < 2500);
		/* A reader decodes the field to the start of the original's subject. */
		mime_field_text(span, "Subject", subject, sizeof(subject));
		assert_memory_equal(subject, "[Quarantined] ", 14);
		assert_memory_equal(subject + 14, units[i], strlen(units[i]));
		assert_true(strlen(subject) > 140 && strlen(subject) < 200);
		assert_true(utf8_valid(span_str(subject)));
		message_free(message);
	}
}

static void a_subject_in_utf_8_comes_back_whole(void **state)
{
	static const char *const subjects[] = { "Bücher", "=?not?an?encoded?word",
		"\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe4\xb8\x96\xe7\x95\x8c and more" };

	(void)state;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		struct message *message;
		char text[256], expected[256], subject[256];

		(void)snprintf(text, sizeof(text), "Subject: %s\r\n\r\n", subjects[i]);
		(void)snprintf(
			expected, sizeof(expected), "[Quarantined] %s", subjects[i]);
		message = a_message(text);
		infected(message, "x");
		write_it(message);
		mime_field_text(cleaned(message), "Subject", subject, sizeof(subject));
		assert_string_equal(subject, expected);
		message_free(message);
	}
}

static void writing_again_gives_the_same_bytes(void **state)
{
	struct message *message = a_message("Subject: x\r\n\r\n");
	struct err err = { 0 };
	auto_buf struct buf first;

	(void)state;
	buf_init(&first, 10000);
	infected(message, "x");
	write_it(message);
	assert_int_equal(
		buf_add(&first, cleaned(message).data, cleaned(message).len, &err), 0);
	write_it(message);
	assert_true(span_equal(buf_span(&first), cleaned(message)));
	message_free(message);
}

static void a_tagged_mail_is_the_original_with_its_status_in_front(void **state)
{
	static const struct {
		const char *original, *tagged;
	} cases[] = {
		{ "Subject: x\r\n\r\nbody", "X-Virus-Status: Unscannable (encrypted)\r\n"
					    "X-Virus-Scanned: mailfilter\r\n"
					    "Subject: x\r\n\r\nbody" },
		{ "Subject: x\n\nbody", "X-Virus-Status: Unscannable (encrypted)\n"
					"X-Virus-Scanned: mailfilter\n"
					"Subject: x\n\nbody" },
		{ "X-Virus-Status: Clean\r\nx-quarantine-id: 1\r\n\r\nX-Virus-Status: b",
			"X-Virus-Status: Unscannable (encrypted)\r\n"
			"X-Virus-Scanned: mailfilter\r\n"
			"X-Old-Virus-Status: Clean\r\nx-Old-quarantine-id: 1\r\n\r\n"
			"X-Virus-Status: b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message *message = a_message(cases[i].original);
		struct err err = { 0 };

		message->verdict.kind = VERDICT_UNSCANNABLE;
		message->verdict.reason = REASON_ENCRYPTED;
		/* Twice: what was there before does not count. */
		for (int k = 0; k < 2; k++)
			assert_int_equal(notice_tag(message, &err), 0);
		assert_true(span_equal(cleaned(message), span_str(cases[i].tagged)));
		message_free(message);
	}
}

static void a_tag_names_no_original_since_none_is_kept(void **state)
{
	struct message *message = a_message("Subject: x\r\n\r\n");
	struct err err = { 0 };

	(void)state;
	infected(message, "One\r\nX-Evil: yes");
	infected(message, "Two");
	assert_int_equal(notice_tag(message, &err), 0);
	assert_true(has(message, "Infected (One??X-Evil: yes and 1 more)\r\n"));
	assert_int_equal(fields(message, "X-Quarantine-ID"), 0);
	message_free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quarantined_mail_is_told_with_all_its_owner_needs),
		cmocka_unit_test(a_parked_mail_is_said_to_be_on_the_server),
		cmocka_unit_test(a_uid_that_a_shell_would_read_is_not_put_in_a_command),
		cmocka_unit_test(an_unscannable_mail_says_why),
		cmocka_unit_test(hostile_text_stays_in_its_line),
		cmocka_unit_test(long_text_is_cut_and_stays_readable),
		cmocka_unit_test(a_subject_in_utf_8_comes_back_whole),
		cmocka_unit_test(writing_again_gives_the_same_bytes),
		cmocka_unit_test(a_tagged_mail_is_the_original_with_its_status_in_front),
		cmocka_unit_test(a_tag_names_no_original_since_none_is_kept),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
