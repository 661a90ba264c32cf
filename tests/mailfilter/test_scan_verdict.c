/* SPDX-License-Identifier: ISC
 *
 * What scanners answer, be it true, hostile or malformed. */
#include "tests/mailfilter/scan_world.h"

#include "common/log.h"

static void a_clean_verdict_comes_back(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	world->fakes[0].clean = true;
	assert_true(scan_ready(world->scan));
	mail = send(world, "a mail");
	assert_int_equal(scan_outstanding(world->scan), 1);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
	assert_int_equal(mail->verdict.signatures.bytes[0], FAKE_DIGEST);
	assert_int_equal(scan_outstanding(world->scan), 0);
	assert_string_equal(world->fakes[0].list[0].quarantine_id, "20260131-x");
	assert_true(span_equal(buf_span(&world->fakes[0].list[0].bytes), mail->bytes));
}

static void of_a_generation_that_was_not_told_the_signatures_are_not_known(void **state)
{
	struct world *world = *state;
	const struct hash unknown = { { 0 } };
	struct verdict verdict;
	struct mail *mail;

	mail = begin_with_one(world, "a mail");
	verdict = fake_verdict_of(&world->fakes[0].list[0], VERDICT_CLEAN);
	verdict.generation = 2;
	fake_verdict(&world->fakes[0], mail->id, &verdict);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
	assert_true(hash_equal(&mail->verdict.signatures, &unknown));
}

static struct verdict infected(const struct fake_request *request)
{
	struct verdict verdict = fake_verdict_of(request, VERDICT_INFECTED);
	struct finding finding = { "1", "", "text/plain", 5, "Eicar", { { 0 } } };
	struct err err;

	assert_int_equal(verdict_add_finding(&verdict, &finding, &err), 0);
	assert_int_equal(edits_add(&verdict.edits, 2, 5, span_str("notice"), &err), 0);
	assert_int_equal(hash_span(span_str("a notice mail"), &verdict.cleaned, &err), 0);
	return verdict;
}

static void an_infected_verdict_brings_findings_and_edits(void **state)
{
	struct world *world = *state;
	struct verdict verdict;
	struct mail *mail;

	mail = begin_with_one(world, "a EICAR mail");
	verdict = infected(&world->fakes[0].list[0]);
	fake_verdict(&world->fakes[0], mail->id, &verdict);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_INFECTED, "");
	assert_string_equal(mail->verdict.findings[0].signature, "Eicar");
	assert_int_equal(mail->verdict.edits.count, 1);
}

/* What may not come as a verdict on "a EICAR mail". */
static void corrupt(unsigned how, struct verdict *verdict)
{
	struct err err;

	switch (how) {
	case 0: /* edits outside */
		assert_int_equal(
			edits_add(&verdict->edits, 12, 1, span_str(""), &err), 0);
		break;
	case 1: /* another cleaned message */
		verdict->cleaned.bytes[5] ^= 4;
		break;
	case 2: /* another message */
		verdict->message.bytes[5] ^= 4;
		break;
	case 3: /* clean with edits */
		verdict->kind = VERDICT_CLEAN;
		break;
	case 4: /* infected without findings */
		verdict->finding_count = 0;
		break;
	case 5: /* infected without edits */
		edits_done(&verdict->edits);
		break;
	case 6: /* a payload */
		assert_int_equal(
			edits_add(&verdict->edits, 0, 0,
				(struct span){ (const uint8_t *)"\x90", 1 }, &err),
			0);
		break;
	default: /* no verdict this version knows, with all the rest */
		verdict->kind = VERDICT_RETRY;
		break;
	}
}

static void a_hostile_reply_holds_its_message_and_no_other(void **state)
{
	struct world *world = *state;

	begin(world, 1);
	for (unsigned how = 0; how < 8; how++) {
		struct mail *good = send(world, "good"),
			    *bad = send(world, "a EICAR mail");
		struct fake_request *request;
		struct verdict verdict;

		UNTIL(world, fake_find(&world->fakes[0], bad->id));
		request = fake_find(&world->fakes[0], bad->id);
		verdict = infected(request);
		corrupt(how, &verdict);
		fake_verdict(&world->fakes[0], bad->id, &verdict);
		UNTIL(world, bad->answers);
		answered(bad, VERDICT_RETRY, "cannot be used");
		assert_int_equal(bad->verdict.edits.count, 0);
		assert_int_equal(bad->verdict.finding_count, 0);
		assert_int_equal(good->answers, 0);
		fake_clean(&world->fakes[0], good->id);
		UNTIL(world, good->answers);
		answered(good, VERDICT_CLEAN, "");
	}
}

static void a_malformed_reply_holds_the_message_that_it_names(void **state)
{
	struct world *world = *state;
	struct mail *good, *bad;
	uint8_t frame[] = "MF\x01\x08\0\0\0\0\0\0\0\0\x01";

	begin(world, 1);
	good = send(world, "good");
	bad = send(world, "bad");
	UNTIL(world, world->fakes[0].count == 2);
	fake_say_bytes(&world->fakes[0], "\xff\xff\xff", 3);
	frame[11] = (uint8_t)bad->id;
	fake_say_bytes(&world->fakes[0], frame, sizeof(frame) - 1);
	UNTIL(world, bad->answers);
	answered(bad, VERDICT_RETRY, "malformed");
	fake_clean(&world->fakes[0], good->id);
	UNTIL(world, good->answers);
	answered(good, VERDICT_CLEAN, "");
}

static void a_message_nobody_can_scan_keeps_its_reason(void **state)
{
	struct world *world = *state;
	struct verdict verdict;
	struct mail *mail;

	mail = begin_with_one(world, "zip");
	verdict = fake_verdict_of(&world->fakes[0].list[0], VERDICT_UNSCANNABLE);
	verdict.reason = REASON_ENCRYPTED;
	fake_verdict(&world->fakes[0], mail->id, &verdict);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_UNSCANNABLE, "");
	assert_int_equal(mail->verdict.reason, REASON_ENCRYPTED);
}

static void replies_to_unknown_answered_or_foreign_requests_are_ignored(void **state)
{
	struct world *world = *state;
	struct verdict verdict = { .kind = VERDICT_CLEAN };
	struct mail *mail, *other;
	struct fake *has, *foreign;

	begin(world, 2);
	mail = send(world, "a mail");
	UNTIL(world, fake_find(&world->fakes[0], mail->id) ||
			     fake_find(&world->fakes[1], mail->id));
	has = &world->fakes[fake_find(&world->fakes[0], mail->id) ? 0 : 1];
	foreign = &world->fakes[has == &world->fakes[0] ? 1 : 0];
	/* The other scanner guesses the id, and even the bytes. */
	verdict = fake_verdict_of(fake_find(has, mail->id), VERDICT_CLEAN);
	fake_verdict(foreign, mail->id, &verdict);
	fake_refuse(foreign, mail->id, WIRE_TOO_LARGE, "");
	fake_say(foreign, &(struct wire_message){
				  .type = WIRE_CREDIT, .id = mail->id, .offset = 9 });
	verdict.kind = VERDICT_CLEAN;
	fake_verdict(has, 4711, &verdict);
	fake_refuse(has, 4712, WIRE_UNKNOWN, "");
	go_on(world);
	assert_int_equal(mail->answers, 0);
	fake_clean(has, mail->id);
	fake_clean(has, mail->id);
	UNTIL(world, mail->answers);
	other = send(world, "and it goes on");
	UNTIL(world, fake_find(has, other->id) || fake_find(foreign, other->id));
	go_on(world);
	answered(mail, VERDICT_CLEAN, "");
}

static void a_message_that_is_too_large_is_not_even_sent(void **state)
{
	struct world *world = *state;
	auto_free uint8_t *bytes = calloc(1, LARGE);
	struct hash hash;
	struct mail *mail;
	struct err err;

	assert_non_null(bytes);
	begin(world, 1);
	world->fakes[0].state.message_max = LARGE - 1;
	restart(world, 0, 200);
	world->fakes[0].state.message_max = LARGE - 1;
	UNTIL(world, world->fakes[0].hellos == 1);
	UNTIL(world, scan_ready(world->scan));
	mail = send_bytes(world, (struct span){ bytes, LARGE });
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_UNSCANNABLE, "larger than any scanner takes");
	assert_int_equal(mail->verdict.reason, REASON_LIMIT);
	assert_int_equal(hash_span(mail->bytes, &hash, &err), 0);
	assert_true(hash_equal(&hash, &mail->verdict.message));
	assert_int_equal(world->fakes[0].count, 0);
}

static void refusals_for_good_end_in_their_verdict(void **state)
{
	struct world *world = *state;
	struct mail *large, *odd;

	begin(world, 1);
	large = send(world, "large");
	odd = send(world, "odd");
	UNTIL(world, world->fakes[0].count == 2);
	fake_refuse(&world->fakes[0], large->id, WIRE_TOO_LARGE, "over 3 bytes");
	fake_refuse(&world->fakes[0], odd->id, WIRE_PROTOCOL, "what?");
	UNTIL(world, large->answers && odd->answers);
	answered(large, VERDICT_UNSCANNABLE, "over 3 bytes");
	assert_int_equal(large->verdict.reason, REASON_LIMIT);
	answered(odd, VERDICT_RETRY, "what?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_clean_verdict_comes_back),
		IN_WORLD(of_a_generation_that_was_not_told_the_signatures_are_not_known),
		IN_WORLD(an_infected_verdict_brings_findings_and_edits),
		IN_WORLD(a_hostile_reply_holds_its_message_and_no_other),
		IN_WORLD(a_malformed_reply_holds_the_message_that_it_names),
		IN_WORLD(a_message_nobody_can_scan_keeps_its_reason),
		IN_WORLD(replies_to_unknown_answered_or_foreign_requests_are_ignored),
		IN_WORLD(a_message_that_is_too_large_is_not_even_sent),
		IN_WORLD(refusals_for_good_end_in_their_verdict),
	};

	log_start("", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
