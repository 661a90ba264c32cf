/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/edits.h"

#include "mailfilter/reply.h"

static const char mail[] = "From: a@example.org\r\nSubject: hi\r\n\r\nEICAR\r\n";

enum {
	AT_BODY = 36
};

static struct hash hash_of(const char *text)
{
	struct hash hash;
	struct err err;

	assert_int_equal(hash_span(span_str(text), &hash, &err), 0);
	return hash;
}

/* A verdict of this kind that is true of the mail. */
static struct verdict honest(enum verdict_kind kind)
{
	struct verdict verdict = { .kind = kind, .message = hash_of(mail) };
	struct finding finding = { "1", "", "text/plain", 5, "Eicar", { { 0 } } };
	struct err err;

	if (kind == VERDICT_UNSCANNABLE)
		verdict.reason = REASON_ENCRYPTED;
	if (kind != VERDICT_INFECTED)
		return verdict;
	verdict.cleaned = hash_of("X-Virus-Status: infected\r\nFrom: a@example.org\r\n"
				  "Subject: hi\r\n\r\nremoved\r\n");
	assert_int_equal(verdict_add_finding(&verdict, &finding, &err), 0);
	/* Not in order: the reader orders them. */
	assert_int_equal(
		edits_add(&verdict.edits, AT_BODY, 5, span_str("removed"), &err), 0);
	assert_int_equal(edits_add(&verdict.edits, 0, 0,
				 span_str("X-Virus-Status: infected\r\n"), &err),
		0);
	return verdict;
}

static int check(struct verdict *verdict, struct err *err)
{
	auto_body struct body body = { .fd = -1 };

	body_init(&body, "/tmp", sizeof(mail));
	assert_int_equal(body_add(&body, span_str(mail), err), 0);
	return reply_check(&body, verdict, err);
}

static void honest_verdicts_pass(void **state)
{
	static const enum verdict_kind kinds[] = { VERDICT_RETRY, VERDICT_CLEAN,
		VERDICT_INFECTED, VERDICT_UNSCANNABLE };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct verdict verdict = honest(kinds[i]);
		struct err err = { 0 };

		assert_int_equal(check(&verdict, &err), 0);
		verdict_done(&verdict);
	}
}

static void infected_and_partly_unscannable_passes(void **state)
{
	struct verdict verdict = honest(VERDICT_INFECTED);
	struct err err = { 0 };

	(void)state;
	verdict.reason = REASON_ENCRYPTED;
	assert_int_equal(check(&verdict, &err), 0);
	verdict_done(&verdict);
}

static void findings_that_do_not_cut_may_come_with_a_clean_verdict(void **state)
{
	struct verdict verdict = honest(VERDICT_CLEAN);
	struct finding finding = { .signature = "Heuristics.Phishing" };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(verdict_add_finding(&verdict, &finding, &err), 0);
	assert_int_equal(check(&verdict, &err), 0);
	verdict_done(&verdict);
}

static void refuse(struct verdict *verdict, const char *what)
{
	struct err err = { 0 };

	if (check(verdict, &err) == 0)
		fail_msg("passed: %s", what);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_true(strlen(err.text) > 0);
	verdict_done(verdict);
}

static void a_verdict_on_other_bytes_is_refused(void **state)
{
	static const enum verdict_kind kinds[] = { VERDICT_CLEAN, VERDICT_INFECTED,
		VERDICT_UNSCANNABLE };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct verdict verdict = honest(kinds[i]);

		verdict.message.bytes[HASH_SIZE - 1] ^= 1;
		refuse(&verdict, verdict_name(kinds[i]));
	}
}

static void edits_belong_to_infected_alone(void **state)
{
	static const enum verdict_kind kinds[] = { VERDICT_RETRY, VERDICT_CLEAN,
		VERDICT_UNSCANNABLE };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct verdict verdict = honest(kinds[i]);
		struct err err;

		assert_int_equal(edits_add(&verdict.edits, 0, 1, span_str(""), &err), 0);
		refuse(&verdict, verdict_name(kinds[i]));
	}
}

static void reasons_must_fit_the_kind(void **state)
{
	struct verdict verdict = honest(VERDICT_CLEAN);

	(void)state;
	verdict.reason = REASON_LIMIT;
	refuse(&verdict, "clean with a reason");
	verdict = honest(VERDICT_UNSCANNABLE);
	verdict.reason = REASON_NONE;
	refuse(&verdict, "unscannable without a reason");
}

static void infected_needs_findings_and_edits(void **state)
{
	struct verdict verdict = honest(VERDICT_INFECTED);

	(void)state;
	verdict.finding_count = 0;
	refuse(&verdict, "no findings");
	verdict = honest(VERDICT_INFECTED);
	edits_done(&verdict.edits);
	refuse(&verdict, "no edits");
}

static void edits_outside_the_message_are_refused(void **state)
{
	static const struct {
		uint64_t offset, length;
	} outside[] = { { sizeof(mail) - 1, 1 }, { sizeof(mail), 0 }, { 0, sizeof(mail) },
		{ UINT64_MAX, 1 }, { UINT64_MAX, 0 }, { 10, UINT64_MAX },
		{ 1, UINT64_MAX }, { UINT64_MAX - 3, 5 },
		{ AT_BODY + 2, 1 } /* inside another */ };

	(void)state;
	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++) {
		struct verdict verdict = honest(VERDICT_INFECTED);
		struct err err;

		assert_int_equal(edits_add(&verdict.edits, outside[i].offset,
					 outside[i].length, span_str(""), &err),
			0);
		refuse(&verdict, "an edit outside");
	}
}

static void a_payload_in_place_of_a_notice_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} payloads[] = { { "\0", 1 }, { "\x1b[2J", 4 }, { "caf\xc3\xa9", 5 },
		{ "a\x7f", 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(payloads) / sizeof(*payloads); i++) {
		struct verdict verdict = honest(VERDICT_INFECTED);
		struct err err;

		assert_int_equal(
			edits_add(&verdict.edits, 4, 0,
				(struct span){ (const uint8_t *)payloads[i].bytes,
					payloads[i].len },
				&err),
			0);
		refuse(&verdict, "a payload");
	}
}

static void edits_that_give_other_bytes_than_were_scanned_are_refused(void **state)
{
	struct verdict verdict = honest(VERDICT_INFECTED);
	struct err err;

	(void)state;
	verdict.cleaned.bytes[0] ^= 1;
	refuse(&verdict, "another hash");
	verdict = honest(VERDICT_INFECTED);
	verdict.edits.list[0].length--;
	refuse(&verdict, "a shorter cut");
	verdict = honest(VERDICT_INFECTED);
	assert_int_equal(edits_add(&verdict.edits, 2, 0, span_str("x"), &err), 0);
	refuse(&verdict, "an edit more");
}

static void edits_that_change_nothing_are_refused(void **state)
{
	struct verdict verdict = honest(VERDICT_INFECTED);
	struct err err;

	(void)state;
	edits_done(&verdict.edits);
	assert_int_equal(
		edits_add(&verdict.edits, AT_BODY, 5, span_str("EICAR"), &err), 0);
	verdict.cleaned = verdict.message;
	refuse(&verdict, "nothing is cut");
}

/* xorshift: the same edits in every run. */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* What is hashed here must be what is delivered later. */
static void the_bytes_checked_are_the_bytes_that_edits_apply_gives(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct verdict verdict = honest(VERDICT_INFECTED);
		struct body out DEFER(body_done) = { .fd = -1 };
		uint64_t at = 0;
		struct span cleaned;
		struct err err = { 0 };

		edits_done(&verdict.edits);
		while (at < sizeof(mail) - 1) {
			uint64_t length = next_random(&seed) % 6;
			char text[8];

			if (at + length > sizeof(mail) - 1)
				length = sizeof(mail) - 1 - at;
			(void)snprintf(
				text, sizeof(text), "<%u>", next_random(&seed) % 99);
			assert_int_equal(edits_add(&verdict.edits, at, length,
						 span_str(text), &err),
				0);
			at += length + 1 + next_random(&seed) % 9;
		}
		body_init(&out, "/tmp", 4096);
		assert_int_equal(
			edits_apply(&verdict.edits, span_str(mail), &out, &err), 0);
		assert_int_equal(body_span(&out, &cleaned, &err), 0);
		assert_int_equal(hash_span(cleaned, &verdict.cleaned, &err), 0);
		assert_int_equal(check(&verdict, &err), 0);
		verdict_done(&verdict);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest_verdicts_pass),
		cmocka_unit_test(infected_and_partly_unscannable_passes),
		cmocka_unit_test(findings_that_do_not_cut_may_come_with_a_clean_verdict),
		cmocka_unit_test(a_verdict_on_other_bytes_is_refused),
		cmocka_unit_test(edits_belong_to_infected_alone),
		cmocka_unit_test(reasons_must_fit_the_kind),
		cmocka_unit_test(infected_needs_findings_and_edits),
		cmocka_unit_test(edits_outside_the_message_are_refused),
		cmocka_unit_test(a_payload_in_place_of_a_notice_is_refused),
		cmocka_unit_test(
			edits_that_give_other_bytes_than_were_scanned_are_refused),
		cmocka_unit_test(edits_that_change_nothing_are_refused),
		cmocka_unit_test(the_bytes_checked_are_the_bytes_that_edits_apply_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
