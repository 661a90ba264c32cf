/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/quarantine_folder.h"

#include "common/mime.h"

static void describe_tells_who_what_and_why(void **state)
{
	struct message *message =
		a_message("one", "From: =?utf-8?q?B=C3=B6b?= <bob@example.org>\r\n"
				 "Subject: Your invoice\r\n\r\nbody\r\n");
	struct finding finding = { .part = "1.2",
		.name = "a.zip",
		.signature = "Eicar-Test-Signature",
		.hash = { { 0xab } } };
	struct record_quarantined item;
	struct hash hash;
	struct span bytes = { 0 };
	struct err err = { 0 };

	(void)state;
	(void)snprintf(message->key.uid, sizeof(message->key.uid), "4711");
	message->verdict.kind = VERDICT_INFECTED;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			verdict_add_finding(&message->verdict, &finding, &err), 0);
	(void)snprintf(finding.signature, sizeof(finding.signature), "Other.Virus");
	assert_int_equal(verdict_add_finding(&message->verdict, &finding, &err), 0);
	assert_int_equal(quarantine_describe(message, &item, &err), 0);
	assert_string_equal(item.id, "one");
	assert_string_equal(item.key.uid, "4711");
	assert_string_equal(item.why, "Eicar-Test-Signature, Other.Virus");
	assert_int_equal(item.found_count, 4);
	assert_string_equal(item.found[0].part, "1.2");
	assert_string_equal(item.found[0].name, "a.zip");
	assert_string_equal(item.found[3].signature, "Other.Virus");
	assert_true(hash_equal(&item.found[3].hash, &finding.hash));
	assert_string_equal(item.subject, "Your invoice");
	assert_string_equal(item.sender, "B\xc3\xb6"
					 "b <bob@example.org>");
	assert_int_equal(item.size, message->body.size);
	assert_int_equal(body_span(&message->body, &bytes, &err), 0);
	assert_int_equal(hash_span(bytes, &hash, &err), 0);
	assert_true(hash_equal(&hash, &item.hash));
	assert_true(item.time_s > 0);
	message_free(message);
}

static void describe_says_why_whatever_the_verdict(void **state)
{
	static const struct {
		enum verdict_kind kind;
		enum verdict_reason reason;
		const char *message_reason, *why;
	} cases[] = {
		{ VERDICT_UNSCANNABLE, REASON_LIMIT, "", "unscannable (limit)" },
		{ VERDICT_UNSCANNABLE, REASON_LIMIT, "too deep", "too deep" },
		{ VERDICT_INFECTED, REASON_NONE, "", "infected" },
		{ VERDICT_RETRY, REASON_NONE, "by rule 3", "by rule 3" },
	};
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message *message = a_message("one", "no header at all");
		struct record_quarantined item;

		message->verdict.kind = cases[i].kind;
		message->verdict.reason = cases[i].reason;
		(void)snprintf(message->reason, sizeof(message->reason), "%s",
			cases[i].message_reason);
		assert_int_equal(quarantine_describe(message, &item, &err), 0);
		assert_string_equal(item.why, cases[i].why);
		assert_string_equal(item.subject, "");
		assert_int_equal(item.found_count, 0);
		message_free(message);
	}
}

static void describe_takes_as_many_signatures_as_fit(void **state)
{
	struct message *message = a_message("one", "x");
	struct record_quarantined item;
	struct err err = { 0 };

	(void)state;
	message->verdict.kind = VERDICT_INFECTED;
	for (int i = 0; i < 50; i++) {
		struct finding finding = { 0 };

		memset(finding.signature, 'a' + i % 26, FINDING_SIGNATURE_MAX - 1);
		assert_int_equal(
			verdict_add_finding(&message->verdict, &finding, &err), 0);
	}
	assert_int_equal(quarantine_describe(message, &item, &err), 0);
	assert_int_equal(strlen(item.why), FINDING_SIGNATURE_MAX - 1);
	assert_int_equal(item.found_count, RECORD_FOUND_MAX);
	message_free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(describe_tells_who_what_and_why),
		TEST(describe_says_why_whatever_the_verdict),
		TEST(describe_takes_as_many_signatures_as_fit),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
