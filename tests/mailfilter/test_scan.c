/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

#include "mailfilter/request.h"
#include "mailfilter/scan.h"

#include "tests/mailfilter/fake_scanner.h"

enum {
	PATIENCE_MS = 10000,
	TURN_MS = 3,
	MAILS_MAX = 32,
	LARGE = 3 * 1024 * 1024 + 17
};

/* A mail that was sent, and what came back. */
struct mail {
	struct span bytes;
	struct body body; /* the same */
	uint64_t id;
	unsigned answers;
	struct verdict verdict;
};

struct world {
	char dir[32], endpoint[2][64];
	char *endpoints[2];
	struct settings settings;
	struct scan *scan;
	struct fake fakes[2];
	struct mail mails[MAILS_MAX];
	size_t mail_count;
};

static int make_world(void **state)
{
	static struct world world;
	char dir[] = "/tmp/scan.XXXXXX";

	if (!mkdtemp(dir))
		return -1;
	memset(&world, 0, sizeof(world));
	memcpy(world.dir, dir, sizeof(dir));
	for (int i = 0; i < 2; i++) {
		(void)snprintf(world.endpoint[i], sizeof(world.endpoint[i]),
			"ipc://%s/%d", dir, i);
		world.endpoints[i] = world.endpoint[i];
	}
	world.settings.scanners = (struct schema_list){ world.endpoints, 1 };
	world.settings.scan_timeout_ms = 60000;
	world.settings.scanner_wait_ms = 60000;
	world.settings.scanner_start_ms = 60000;
	*state = &world;
	return 0;
}

static int drop_world(void **state)
{
	struct world *world = *state;
	struct err err;

	scan_close(world->scan);
	for (int i = 0; i < 2; i++)
		fake_close(&world->fakes[i]);
	for (size_t i = 0; i < world->mail_count; i++) {
		verdict_done(&world->mails[i].verdict);
		body_done(&world->mails[i].body);
	}
	return file_remove_tree(world->dir, true, &err);
}

static void turn(struct world *world)
{
	struct err err = { 0 };

	assert_int_equal(scan_wait(world->scan, NULL, 0, TURN_MS, &err), 0);
	for (int i = 0; i < 2; i++)
		fake_turn(&world->fakes[i]);
}

/* Let all go on until it is true, with the statement behind it at each turn. */
#define LOOP_UNTIL(world, condition)                                                     \
	for (int64_t until_ms = clock_ms() + PATIENCE_MS; !(condition);                  \
		turn(world), assert_true(clock_left(until_ms) > 0))

#define UNTIL(world, condition)                                                          \
	LOOP_UNTIL(world, condition)                                                     \
	{                                                                                \
	}

/* Let all go on for a while: for what must not happen. */
static void go_on(struct world *world)
{
	for (int i = 0; i < 20; i++)
		turn(world);
}

static bool there(struct world *world, size_t i)
{
	struct wire_state state = { 0 };
	bool alive = false;

	(void)scan_scanner(world->scan, i, &alive, &state);
	return alive;
}

/* Open the client and this many scanners, and let them find each other. */
static void begin(struct world *world, int scanners)
{
	struct err err = { 0 };

	world->settings.scanners.count = (size_t)scanners;
	for (int i = 0; i < scanners; i++)
		fake_open(&world->fakes[i], world->endpoint[i], 100 + (uint64_t)i);
	assert_int_equal(scan_open(&world->settings, &world->scan, &err), 0);
	for (size_t i = 0; i < (size_t)scanners; i++)
		UNTIL(world, there(world, i));
}

static void restart(struct world *world, int i, uint64_t session)
{
	fake_close(&world->fakes[i]);
	fake_open(&world->fakes[i], world->endpoint[i], session);
}

static void take(void *arg, struct verdict *verdict)
{
	struct mail *mail = arg;

	mail->answers++;
	mail->verdict = *verdict;
	*verdict = (struct verdict){ 0 };
}

static void fill(struct mail *mail, struct span bytes)
{
	mail->bytes = bytes;
	body_init(&mail->body, "/tmp", bytes.len);
	assert_int_equal(body_add(&mail->body, bytes, NULL), 0);
}

static struct mail *send_bytes(struct world *world, struct span bytes)
{
	struct mail *mail = &world->mails[world->mail_count++];
	struct scan_request request = { .message = &mail->body,
		.quarantine_id = "20260131-x",
		.answer = take,
		.arg = mail };
	struct err err = { 0 };

	assert_true(world->mail_count < MAILS_MAX);
	fill(mail, bytes);
	assert_int_equal(scan_send(world->scan, &request, &mail->id, &err), 0);
	return mail;
}

static struct mail *send(struct world *world, const char *text)
{
	return send_bytes(world, span_str(text));
}

/* It was answered once, with this. */
static void answered(const struct mail *mail, enum verdict_kind kind, const char *detail)
{
	assert_int_equal(mail->answers, 1);
	assert_int_equal(mail->verdict.kind, kind);
	if (!strstr(mail->verdict.detail, detail))
		fail_msg("\"%s\" is not in \"%s\"", detail, mail->verdict.detail);
}

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

	begin(world, 1);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count == 1);
	verdict = fake_verdict_of(&world->fakes[0].list[0], VERDICT_CLEAN);
	verdict.generation = 2;
	fake_verdict(&world->fakes[0], mail->id, &verdict);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
	assert_true(hash_equal(&mail->verdict.signatures, &unknown));
}

static void an_empty_message_is_scanned_too(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	world->fakes[0].clean = true;
	mail = send_bytes(world, (struct span){ NULL, 0 });
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void a_large_message_goes_in_chunks_under_credit(void **state)
{
	struct world *world = *state;
	auto_free uint8_t *bytes = malloc(LARGE);
	struct mail *mail, *small;

	assert_non_null(bytes);
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (uint8_t)(i * 2654435761U >> 13);
	begin(world, 1);
	world->fakes[0].clean = true;
	mail = send_bytes(world, (struct span){ bytes, LARGE });
	small = send(world, "beside it");
	UNTIL(world, mail->answers && small->answers);
	answered(mail, VERDICT_CLEAN, ""); /* the fake watched credit and offsets */
	assert_int_equal(world->fakes[0].list[0].bytes.len, LARGE);
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

	begin(world, 1);
	mail = send(world, "a EICAR mail");
	UNTIL(world, world->fakes[0].count == 1);
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

	begin(world, 1);
	mail = send(world, "zip");
	UNTIL(world, world->fakes[0].count == 1);
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

static void two_scanners_share_the_work(void **state)
{
	struct world *world = *state;

	begin(world, 2);
	for (int i = 0; i < 8; i++)
		(void)send(world, "a mail");
	assert_false(scan_ready(world->scan));
	UNTIL(world, world->fakes[0].count + world->fakes[1].count == 8);
	assert_int_equal(world->fakes[0].count, 4);
	assert_int_equal(world->fakes[1].count, 4);
	for (size_t i = 0; i < 3; i++)
		fake_clean(&world->fakes[1], world->fakes[1].list[i].id);
	UNTIL(world, scan_outstanding(world->scan) == 5);
	for (int i = 0; i < 3; i++)
		(void)send(world, "to the one with less to do");
	UNTIL(world, world->fakes[1].count == 7);
	assert_int_equal(world->fakes[0].count, 4);
}

static void no_more_is_taken_than_a_scanner_allows(void **state)
{
	struct world *world = *state;
	struct mail many = { 0 };
	struct scan_request request = {
		.message = &many.body, .quarantine_id = "", .answer = take
	};
	struct err err = { 0 };
	uint64_t id;

	begin(world, 1);
	for (int i = 0; i < 4; i++) {
		assert_true(scan_ready(world->scan));
		(void)send(world, "a mail");
	}
	assert_false(scan_ready(world->scan));
	fill(&many, span_str("one too many"));
	assert_int_equal(scan_send(world->scan, &request, &id, &err), -1);
	body_done(&many.body);
	assert_int_equal(err.kind, ERR_AGAIN);
	UNTIL(world, world->fakes[0].count == 4);
	fake_clean(&world->fakes[0], world->fakes[0].list[0].id);
	UNTIL(world, scan_ready(world->scan));
}

/* Each may be what killed it: they go to the other, one at a time, beside nothing else. */
static void what_a_dead_scanner_held_goes_to_the_other_alone(void **state)
{
	struct world *world = *state;
	size_t first;

	begin(world, 2);
	for (int i = 0; i < 6; i++)
		(void)send(world, "a mail");
	UNTIL(world, world->fakes[0].count + world->fakes[1].count == 6);
	first = world->fakes[1].count;
	fake_close(&world->fakes[0]);
	UNTIL(world, !there(world, 0));
	go_on(world);
	assert_int_equal(world->fakes[1].count, first); /* it is not empty yet */
	for (size_t i = 0; i < first; i++)
		fake_clean(&world->fakes[1], world->fakes[1].list[i].id);
	for (size_t i = first; i < 6; i++) {
		UNTIL(world, world->fakes[1].count == i + 1);
		go_on(world);
		assert_int_equal(fake_open_requests(&world->fakes[1]), 1);
		assert_false(scan_ready(world->scan));
		fake_clean(&world->fakes[1], world->fakes[1].list[i].id);
	}
	UNTIL(world, scan_outstanding(world->scan) == 0);
	for (size_t i = 0; i < 6; i++)
		answered(&world->mails[i], VERDICT_CLEAN, "");
	UNTIL(world, scan_ready(world->scan));
}

static void a_restarted_scanner_gets_the_same_request_again(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count == 1);
	restart(world, 0, 200);
	UNTIL(world, world->fakes[0].count == 1);
	assert_int_equal(world->fakes[0].list[0].id, mail->id);
	fake_clean(&world->fakes[0], world->fakes[0].list[0].id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void what_is_allowed_goes_with_each_try(void **state)
{
	struct world *world = *state;
	struct mail *mail = &world->mails[world->mail_count++];
	auto_allow struct allow allow = { 0 };
	struct scan_request request = { .message = &mail->body,
		.quarantine_id = "",
		.allow = &allow,
		.answer = take,
		.arg = mail };
	struct hash hash = { { 1 } };
	struct err err = { 0 };

	fill(mail, span_str("a mail"));
	assert_int_equal(allow_add_hash(&allow, &hash, &err), 0);
	assert_int_equal(allow_add_name(&allow, "One", &err), 0);
	assert_int_equal(allow_add_name(&allow, "Two", &err), 0);
	begin(world, 1);
	assert_int_equal(scan_send(world->scan, &request, &mail->id, &err), 0);
	for (uint64_t session = 200; session < 202; session++) {
		UNTIL(world, world->fakes[0].count == 1);
		assert_int_equal(world->fakes[0].list[0].sums, 1);
		assert_int_equal(world->fakes[0].list[0].signatures, 2);
		restart(world, 0, session);
	}
	UNTIL(world, world->fakes[0].count == 1);
	fake_clean(&world->fakes[0], mail->id);
	UNTIL(world, mail->answers);
	(void)send(world, "another");
	UNTIL(world, world->fakes[0].count == 2);
	assert_int_equal(world->fakes[0].list[1].sums, 0);
	assert_int_equal(world->fakes[0].list[1].signatures, 0);
}

static void a_message_with_which_the_scanner_dies_is_given_up_the_others_not(void **state)
{
	struct world *world = *state;
	struct mail *poison, *good;
	uint64_t session = 200;

	world->settings.scan_timeout_ms = 1600; /* and so the pauses are short */
	begin(world, 1);
	poison = send(world, "poison");
	good = send(world, "good");
	/* The fake dies whenever it has the poison; the first time it is not alone. */
	LOOP_UNTIL(world, poison->answers && good->answers)
	{
		struct fake *fake = &world->fakes[0];

		if (fake_find(fake, poison->id))
			restart(world, 0, session++);
		else if (fake_waits(fake, good->id))
			fake_clean(fake, good->id);
		assert_true(session <= 200 + 1 + REQUEST_DEATHS_MAX);
	}
	assert_int_equal(session, 200 + 1 + REQUEST_DEATHS_MAX);
	answered(poison, VERDICT_RETRY, "died 5 times with this message");
	answered(good, VERDICT_CLEAN, "");
}

/* What a scanner cannot end between two deaths must not hold up what it can. */
static void what_was_lost_twice_lets_others_go_first(void **state)
{
	static const size_t order[] = { 1, 2, 0 };
	struct world *world = *state;
	struct fake *fake = &world->fakes[0];

	begin(world, 1);
	for (int i = 0; i < 3; i++)
		(void)send(world, "a mail");
	UNTIL(world, fake->count == 3);
	restart(world, 0, 200);
	UNTIL(world, fake->count == 1);
	assert_int_equal(fake->list[0].id, world->mails[0].id);
	restart(world, 0, 201);
	for (size_t i = 0; i < 3; i++) {
		UNTIL(world, fake->count == i + 1);
		assert_int_equal(fake->list[i].id, world->mails[order[i]].id);
		fake_clean(fake, fake->list[i].id);
	}
	UNTIL(world, scan_outstanding(world->scan) == 0);
}

/* Who kills them without it as well is not the message. */
static void a_message_is_acquitted_when_the_scanner_dies_without_it(void **state)
{
	struct world *world = *state;
	struct mail *mail;
	uint64_t session = 200;

	world->settings.scan_timeout_ms = 3200;
	begin(world, 1);
	mail = send(world, "a mail");
	for (int death = 0; death < REQUEST_DEATHS_MAX + 2; death++) {
		UNTIL(world, fake_waits(&world->fakes[0], mail->id));
		restart(world, 0, session++);
		UNTIL(world, !there(world, 0));
		UNTIL(world, there(world, 0));
		if (death % 2 == 0)
			continue;
		/* After the second it waits a while, and meanwhile: */
		for (int i = 0; i < 4; i++)
			turn(world);
		assert_int_equal(world->fakes[0].count, 0);
		restart(world, 0, session++);
		UNTIL(world, !there(world, 0));
	}
	UNTIL(world, fake_waits(&world->fakes[0], mail->id));
	fake_clean(&world->fakes[0], mail->id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void say_retry(struct fake *fake, uint64_t id, const char *why)
{
	struct verdict verdict = { .kind = VERDICT_RETRY };

	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s", why);
	fake_verdict(fake, id, &verdict);
}

static void a_scanner_without_a_verdict_is_asked_again(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	mail = send(world, "a mail");
	for (size_t times = 1; times <= 2; times++) {
		UNTIL(world, world->fakes[0].count == times);
		say_retry(&world->fakes[0], mail->id, "no room");
		go_on(world);
		assert_int_equal(mail->answers, 0);
	}
	world->fakes[0].clean = true;
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void a_scanner_that_is_unable_is_asked_by_one_message_at_a_time(void **state)
{
	struct world *world = *state;
	struct fake *fake = &world->fakes[0];

	begin(world, 1);
	for (int i = 0; i < 4; i++)
		(void)send(world, "a mail");
	UNTIL(world, fake->count == 4);
	for (size_t i = 0; i < 4; i++)
		say_retry(fake, world->mails[i].id, "no room");
	UNTIL(world, !scan_ready(world->scan));
	fake->most = 0;
	for (size_t times = 5; times <= 6; times++) {
		UNTIL(world, fake->count == times);
		assert_false(scan_ready(world->scan));
		say_retry(fake, fake->list[times - 1].id, "no room");
	}
	assert_int_equal(fake->most, 1);
	/* Able again, it has all the others at once. */
	UNTIL(world, fake->count == 7);
	fake_clean(fake, fake->list[6].id);
	UNTIL(world, fake->count == 10);
	assert_int_equal(fake->most, 3);
	for (size_t i = 7; i < 10; i++)
		fake_clean(fake, fake->list[i].id);
	UNTIL(world, scan_outstanding(world->scan) == 0);
	for (size_t i = 0; i < 4; i++)
		answered(&world->mails[i], VERDICT_CLEAN, "");
}

static void what_never_gets_a_verdict_is_held_with_its_reason(void **state)
{
	struct world *world = *state;
	struct mail *first, *next;
	int64_t from = clock_ms();

	world->settings.scanner_wait_ms = 1500;
	begin(world, 1);
	first = send(world, "a mail");
	LOOP_UNTIL(world, first->answers)
	{
		if (fake_waits(&world->fakes[0], first->id))
			say_retry(&world->fakes[0], first->id, "no room");
	}
	answered(first, VERDICT_RETRY, "no room");
	assert_true(clock_ms() - from >= 1500);
	/* That it cannot is known by now: each asks once more, and none waits as long again. */
	next = send(world, "another");
	UNTIL(world, fake_waits(&world->fakes[0], next->id));
	say_retry(&world->fakes[0], next->id, "no room");
	UNTIL(world, next->answers);
	answered(next, VERDICT_RETRY, "no room");
	assert_true(clock_ms() - from < 3500);
}

static void another_takes_what_a_scanner_has_no_verdict_on(void **state)
{
	struct world *world = *state;
	struct fake *full, *able;
	struct mail *mail;

	begin(world, 2);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count + world->fakes[1].count == 1);
	full = &world->fakes[world->fakes[0].count ? 0 : 1];
	able = &world->fakes[full == &world->fakes[0] ? 1 : 0];
	say_retry(full, mail->id, "no room");
	UNTIL(world, able->count == 1);
	/* The one that answers so fast gets no more just because it is idle, */
	for (int i = 0; i < 3; i++)
		(void)send(world, "a mail");
	assert_false(scan_ready(world->scan));
	UNTIL(world, able->count == 4);
	assert_int_equal(full->count, 1);
	/* nor does its no count against the message that another scans. */
	say_retry(full, mail->id, "still no room");
	go_on(world);
	assert_int_equal(mail->answers, 0);
	fake_clean(able, mail->id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

/* Announced: nobody killed it, so what it held is not to blame and goes together. */
static void what_a_stopping_scanner_held_is_no_suspect(void **state)
{
	struct world *world = *state;

	begin(world, 1);
	for (int i = 0; i < 4; i++)
		(void)send(world, "a mail");
	UNTIL(world, world->fakes[0].count == 4);
	world->fakes[0].state.state = WIRE_STOPPING;
	fake_say_state(&world->fakes[0]);
	go_on(world);
	restart(world, 0, 200);
	UNTIL(world, fake_open_requests(&world->fakes[0]) == 4);
	assert_int_equal(world->fakes[0].most, 4);
}

/* Only the line was cut: the session is the same. */
static void what_a_cut_connection_held_is_no_suspect_once_the_session_is_known(
	void **state)
{
	struct world *world = *state;

	begin(world, 1);
	for (int i = 0; i < 4; i++)
		(void)send(world, "a mail");
	UNTIL(world, world->fakes[0].count == 4);
	restart(world, 0, world->fakes[0].state.session);
	UNTIL(world, fake_open_requests(&world->fakes[0]) == 4);
	assert_int_equal(world->fakes[0].most, 4);
}

static void a_scanner_that_hangs_is_lost_though_its_socket_answers(void **state)
{
	struct world *world = *state;
	struct mail *mail;
	struct fake *hung, *other;

	world->settings.scan_timeout_ms = 1000;
	begin(world, 2);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count + world->fakes[1].count == 1);
	hung = &world->fakes[world->fakes[0].count ? 0 : 1];
	other = &world->fakes[hung == &world->fakes[0] ? 1 : 0];
	hung->mute = true;
	UNTIL(world, other->count == 1);
	fake_clean(other, mail->id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void a_request_without_an_answer_goes_to_the_other_and_the_first_verdict_counts(
	void **state)
{
	struct world *world = *state;
	struct mail *mail;
	struct fake *slow, *other;

	world->settings.scan_timeout_ms = 600;
	begin(world, 2);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count + world->fakes[1].count == 1);
	slow = &world->fakes[world->fakes[0].count ? 0 : 1];
	other = &world->fakes[slow == &world->fakes[0] ? 1 : 0];
	UNTIL(world, other->count == 1 && slow->cancels == 1);
	assert_int_equal(other->list[0].id, mail->id);
	fake_clean(slow, mail->id); /* late, but true */
	UNTIL(world, mail->answers && other->cancels == 1);
	fake_clean(other, mail->id);
	go_on(world);
	answered(mail, VERDICT_CLEAN, "");
}

static void a_request_that_no_one_answers_is_held(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	world->settings.scan_timeout_ms = 400;
	begin(world, 1);
	mail = send(world, "a mail");
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_RETRY, "no answer from scanner ipc://");
	UNTIL(world, world->fakes[0].cancels == 1);
	assert_true(scan_ready(world->scan));
}

static void a_busy_scanner_is_asked_again_later(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	mail = send(world, "a mail");
	for (size_t i = 1; i <= 3; i++) {
		UNTIL(world, world->fakes[0].count == i);
		fake_refuse(&world->fakes[0], mail->id, WIRE_BUSY, "the queue is full");
		go_on(world);
		assert_int_equal(mail->answers, 0);
	}
	UNTIL(world, world->fakes[0].count == 4);
	fake_clean(&world->fakes[0], mail->id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void another_takes_what_a_busy_scanner_refuses(void **state)
{
	struct world *world = *state;
	struct mail *mail;
	struct fake *busy, *other;

	begin(world, 2);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count + world->fakes[1].count == 1);
	busy = &world->fakes[world->fakes[0].count ? 0 : 1];
	other = &world->fakes[busy == &world->fakes[0] ? 1 : 0];
	other->clean = true;
	fake_refuse(busy, mail->id, WIRE_BUSY, "");
	UNTIL(world, mail->answers);
	assert_int_equal(busy->count, 1);
	answered(mail, VERDICT_CLEAN, "");
}

static void scanners_busy_for_ever_end_in_a_hold(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	world->settings.scan_timeout_ms = 400;
	begin(world, 1);
	mail = send(world, "a mail");
	LOOP_UNTIL(world, mail->answers)
	{
		if (fake_waits(&world->fakes[0], mail->id))
			fake_refuse(&world->fakes[0], mail->id, WIRE_BUSY, "");
	}
	answered(mail, VERDICT_RETRY, "no scanner had room");
}

static void a_request_unknown_there_is_sent_whole_again(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count == 1);
	fake_refuse(&world->fakes[0], mail->id, WIRE_UNKNOWN, "who?");
	UNTIL(world, world->fakes[0].count == 2);
	assert_true(fake_whole(&world->fakes[0].list[1]));
	/* But not for ever. */
	LOOP_UNTIL(world, mail->answers)
	{
		if (fake_waits(&world->fakes[0], mail->id))
			fake_refuse(&world->fakes[0], mail->id, WIRE_UNKNOWN, "who?");
	}
	answered(mail, VERDICT_RETRY, "40 times");
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

static void a_cancelled_request_is_forgotten_on_both_sides(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count == 1);
	scan_cancel(world->scan, mail->id);
	scan_cancel(world->scan, mail->id);
	assert_int_equal(scan_outstanding(world->scan), 0);
	UNTIL(world, world->fakes[0].cancels == 1);
	fake_clean(&world->fakes[0], world->fakes[0].list[0].id);
	go_on(world);
	assert_int_equal(mail->answers, 0);
}

static void hope_for_an_absent_scanner_ends_with_what_to_do(void **state)
{
	struct world *world = *state;
	char text[256];
	struct err err = { 0 };

	world->settings.scanners.count = 2;
	world->settings.scanner_wait_ms = 200;
	assert_int_equal(scan_open(&world->settings, &world->scan, &err), 0);
	assert_false(scan_hopeless(world->scan, text, sizeof(text)));
	turn(world);
	assert_false(scan_hopeless(world->scan, text, sizeof(text)));
	assert_string_equal(text, "");
	assert_false(scan_ready(world->scan));
	UNTIL(world, scan_hopeless(world->scan, text, sizeof(text)));
	assert_non_null(strstr(text, world->endpoint[0]));
	assert_non_null(strstr(text, world->endpoint[1]));
	assert_non_null(strstr(text, "start it, or correct `scanners`"));
	fake_open(&world->fakes[1], world->endpoint[1], 7);
	UNTIL(world, scan_ready(world->scan));
	assert_false(scan_hopeless(world->scan, text, sizeof(text)));
	assert_true(there(world, 1));
	assert_false(there(world, 0));
}

static void without_hope_what_waits_is_answered_with_the_reason(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	world->settings.scanner_wait_ms = 300;
	begin(world, 1);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count == 1);
	fake_close(&world->fakes[0]);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_RETRY, "no scanner answers at ipc://");
}

static void hope_for_a_loading_scanner_ends_later_and_with_its_own_words(void **state)
{
	struct world *world = *state;
	char text[256];
	int64_t begin_ms = clock_ms();

	world->settings.scanner_wait_ms = 100;
	world->settings.scanner_start_ms = 500;
	fake_open(&world->fakes[0], world->endpoint[0], 7);
	world->fakes[0].state.state = WIRE_LOADING;
	(void)snprintf(world->fakes[0].state.trouble,
		sizeof(world->fakes[0].state.trouble),
		"no signatures in /var/lib/clamav: run freshclam");
	assert_int_equal(scan_open(&world->settings, &world->scan, NULL), 0);
	UNTIL(world, scan_hopeless(world->scan, text, sizeof(text)));
	assert_true(clock_ms() - begin_ms >= 500);
	assert_non_null(strstr(text, world->endpoint[0]));
	assert_non_null(strstr(text, "run freshclam"));
	world->fakes[0].state.state = WIRE_READY;
	fake_say_state(&world->fakes[0]);
	UNTIL(world, scan_ready(world->scan));
	assert_false(scan_hopeless(world->scan, text, sizeof(text)));
}

static void a_scanner_of_another_version_is_named(void **state)
{
	struct world *world = *state;
	char text[256];

	world->settings.scanner_wait_ms = 300;
	fake_open(&world->fakes[0], world->endpoint[0], 7);
	world->fakes[0].mute = true;
	assert_int_equal(scan_open(&world->settings, &world->scan, NULL), 0);
	UNTIL(world, world->fakes[0].hellos == 1);
	fake_refuse(&world->fakes[0], 0, WIRE_PROTOCOL, "its version is not known here");
	UNTIL(world, scan_hopeless(world->scan, text, sizeof(text)));
	assert_non_null(strstr(text, "its version is not known here"));
	assert_non_null(strstr(text, "bring both to one version"));
}

static void what_scanners_say_of_themselves_can_be_asked(void **state)
{
	struct world *world = *state;
	struct wire_state said = { 0 };
	bool alive = false;

	begin(world, 2);
	assert_string_equal(
		scan_scanner(world->scan, 1, &alive, &said), world->endpoint[1]);
	assert_true(alive);
	assert_int_equal(said.session, 101);
	assert_null(scan_scanner(world->scan, 2, &alive, &said));
}

static void wait_sees_the_descriptors_of_its_owner(void **state)
{
	struct world *world = *state;
	int pipes[2];
	struct pollfd fd = { .events = POLLIN };
	struct err err = { 0 };

	begin(world, 1);
	assert_int_equal(pipe(pipes), 0);
	fd.fd = pipes[0];
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(scan_wait(world->scan, &fd, 1, -1, &err), 0);
	assert_int_equal(fd.revents, POLLIN);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

static void bad_settings_are_refused(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	world->settings.scanners.count = 0;
	assert_int_equal(scan_open(&world->settings, &world->scan, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	world->settings.scanners.count = 2;
	(void)snprintf(
		world->endpoint[1], sizeof(world->endpoint[1]), "tcp://192.0.2.1:1");
	assert_int_equal(scan_open(&world->settings, &world->scan, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_null(world->scan);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_clean_verdict_comes_back),
		IN_WORLD(of_a_generation_that_was_not_told_the_signatures_are_not_known),
		IN_WORLD(an_empty_message_is_scanned_too),
		IN_WORLD(a_large_message_goes_in_chunks_under_credit),
		IN_WORLD(an_infected_verdict_brings_findings_and_edits),
		IN_WORLD(a_hostile_reply_holds_its_message_and_no_other),
		IN_WORLD(a_malformed_reply_holds_the_message_that_it_names),
		IN_WORLD(a_message_nobody_can_scan_keeps_its_reason),
		IN_WORLD(replies_to_unknown_answered_or_foreign_requests_are_ignored),
		IN_WORLD(two_scanners_share_the_work),
		IN_WORLD(no_more_is_taken_than_a_scanner_allows),
		IN_WORLD(what_a_dead_scanner_held_goes_to_the_other_alone),
		IN_WORLD(a_restarted_scanner_gets_the_same_request_again),
		IN_WORLD(what_is_allowed_goes_with_each_try),
		IN_WORLD(
			a_message_with_which_the_scanner_dies_is_given_up_the_others_not),
		IN_WORLD(what_was_lost_twice_lets_others_go_first),
		IN_WORLD(a_message_is_acquitted_when_the_scanner_dies_without_it),
		IN_WORLD(a_scanner_without_a_verdict_is_asked_again),
		IN_WORLD(a_scanner_that_is_unable_is_asked_by_one_message_at_a_time),
		IN_WORLD(what_never_gets_a_verdict_is_held_with_its_reason),
		IN_WORLD(another_takes_what_a_scanner_has_no_verdict_on),
		IN_WORLD(what_a_stopping_scanner_held_is_no_suspect),
		IN_WORLD(
			what_a_cut_connection_held_is_no_suspect_once_the_session_is_known),
		IN_WORLD(a_scanner_that_hangs_is_lost_though_its_socket_answers),
		IN_WORLD(
			a_request_without_an_answer_goes_to_the_other_and_the_first_verdict_counts),
		IN_WORLD(a_request_that_no_one_answers_is_held),
		IN_WORLD(a_busy_scanner_is_asked_again_later),
		IN_WORLD(another_takes_what_a_busy_scanner_refuses),
		IN_WORLD(scanners_busy_for_ever_end_in_a_hold),
		IN_WORLD(a_request_unknown_there_is_sent_whole_again),
		IN_WORLD(a_message_that_is_too_large_is_not_even_sent),
		IN_WORLD(refusals_for_good_end_in_their_verdict),
		IN_WORLD(a_cancelled_request_is_forgotten_on_both_sides),
		IN_WORLD(hope_for_an_absent_scanner_ends_with_what_to_do),
		IN_WORLD(without_hope_what_waits_is_answered_with_the_reason),
		IN_WORLD(hope_for_a_loading_scanner_ends_later_and_with_its_own_words),
		IN_WORLD(a_scanner_of_another_version_is_named),
		IN_WORLD(what_scanners_say_of_themselves_can_be_asked),
		IN_WORLD(wait_sees_the_descriptors_of_its_owner),
		IN_WORLD(bad_settings_are_refused),
	};

	log_start("", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
