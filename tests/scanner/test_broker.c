/* SPDX-License-Identifier: ISC
 *
 * What a client may ask of the scanner, and what it gets. */
#include "tests/scanner/processes.h"

static void a_clean_mail_is_clean_and_named_by_its_hash(void **state)
{
	struct span mail = span_str(CLEAN_MAIL);
	struct wire_message message;
	struct scanner scanner;
	struct hash hash;

	(void)state;
	start(&scanner, ONE_WORKER);
	/* Sent while it loads: it waits. */
	request(&scanner, 7, mail);
	await_verdict(&scanner, 7, &message);
	assert_int_equal(message.verdict.kind, VERDICT_CLEAN);
	assert_int_equal(message.verdict.generation, 1);
	assert_int_equal(hash_span(mail, &hash, NULL), 0);
	assert_true(hash_equal(&message.verdict.message, &hash));
	wire_message_done(&message);
	assert_int_equal(stop(&scanner), 0);
}

static void an_infected_mail_comes_back_with_edits_that_clean_it(void **state)
{
	struct span mail = span_str(INFECTED_MAIL), cleaned;
	auto_body struct body body;
	struct wire_message message;
	struct scanner scanner;
	struct hash hash;

	(void)state;
	body_init(&body, "/tmp", 1 << 20);
	start(&scanner, ONE_WORKER);
	request(&scanner, 1, mail);
	await_verdict(&scanner, 1, &message);
	assert_int_equal(message.verdict.kind, VERDICT_INFECTED);
	assert_int_equal(message.verdict.finding_count, 1);
	assert_string_equal(message.verdict.findings[0].name, "e.com");
	assert_int_equal(edits_check(&message.verdict.edits, mail.len, NULL), 0);
	assert_int_equal(edits_apply(&message.verdict.edits, mail, &body, NULL), 0);
	assert_int_equal(body_span(&body, &cleaned, NULL), 0);
	assert_int_equal(hash_span(cleaned, &hash, NULL), 0);
	assert_true(hash_equal(&message.verdict.cleaned, &hash));
	assert_true(span_find(cleaned, span_str("EICAR-STANDARD")) < 0);
	assert_true(span_find(cleaned, span_str("Look at this.")) > 0);
	assert_true(span_find(cleaned, span_str("Q-1")) > 0);
	wire_message_done(&message);
	assert_int_equal(stop(&scanner), 0);
}

static void many_requests_at_once_are_all_answered_once(void **state)
{
	enum {
		COUNT = 200
	};
	bool answered[COUNT] = { false };
	struct scanner scanner;
	uint64_t sent = 1, outstanding = 0, done = 1, jobs;

	(void)state;
	start(&scanner, "signatures = { \"test\" }\nworkers = 3\nworker-jobs = 7\n"
			"cache = 0\n");
	jobs = await_generation(&scanner, 1).jobs;
	while (done < COUNT) {
		struct wire_message message;

		while (sent < COUNT && outstanding < jobs) {
			request(&scanner, sent,
				span_str(sent % 5 == 0 ? INFECTED_MAIL : CLEAN_MAIL));
			sent++;
			outstanding++;
		}
		hear(&scanner, WIRE_VERDICT, &message);
		assert_true(message.id < COUNT && !answered[message.id]);
		answered[message.id] = true;
		assert_int_equal(message.verdict.kind,
			message.id % 5 == 0 ? VERDICT_INFECTED : VERDICT_CLEAN);
		wire_message_done(&message);
		outstanding--;
		done++;
	}
	assert_int_equal(stop(&scanner), 0);
}

static void a_request_sent_twice_is_answered_once(void **state)
{
	struct scanner scanner;
	pid_t worker;

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	worker = stop_worker_with(&scanner, 5, span_str(CLEAN_MAIL));
	request(&scanner, 5, span_str(CLEAN_MAIL));
	request(&scanner, 6, span_str(CLEAN_MAIL));
	catch_up(&scanner);
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_verdict(&scanner, 5, VERDICT_CLEAN);
	assert_verdict(&scanner, 6, VERDICT_CLEAN);
	assert_int_equal(stop(&scanner), 0);
}

static void a_large_mail_comes_in_chunks_under_credit(void **state)
{
	enum {
		LARGE = 20971520
	};
	uint8_t *bytes = malloc(LARGE);
	struct span mail = { bytes, LARGE };
	struct wire_message message;
	struct scanner scanner;
	uint64_t sent = WIRE_CHUNK_MAX, credit = 0;
	struct hash hash;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', LARGE);
	for (size_t i = 72; i < LARGE; i += 73)
		bytes[i] = '\n';
	memcpy(bytes, CLEAN_MAIL, sizeof(CLEAN_MAIL) - 1);
	start(&scanner, ONE_WORKER "scan-timeout = 60s\n");
	request(&scanner, 3, mail);
	while (sent < LARGE) {
		while (credit <= sent) {
			hear(&scanner, WIRE_CREDIT, &message);
			assert_int_equal(message.id, 3);
			credit = message.offset;
			assert_true(credit <= sent + REQUEST_CREDIT);
		}
		message = (struct wire_message){ .type = WIRE_CHUNK,
			.id = 3,
			.offset = sent,
			.data = span_part(
				span_part(mail, 0, credit), sent, WIRE_CHUNK_MAX) };
		say(&scanner, &message);
		sent += message.data.len;
	}
	await_verdict(&scanner, 3, &message);
	assert_int_equal(message.verdict.kind, VERDICT_CLEAN);
	assert_int_equal(hash_span(mail, &hash, NULL), 0);
	assert_true(hash_equal(&message.verdict.message, &hash));
	wire_message_done(&message);
	assert_int_equal(stop(&scanner), 0);
	free(bytes);
}

static void a_client_that_goes_takes_its_requests_with_it(void **state)
{
	struct wire_message message = { 0 };
	struct scanner scanner;
	struct err err = { 0 };
	pid_t worker;

	(void)state;
	start_ready(&scanner, ONE_WORKER "queue = 1\n");
	worker = stop_worker_with(&scanner, 1, span_str(CLEAN_MAIL));
	link_close(scanner.link);
	assert_int_equal(
		link_connect(scanner.endpoint, WIRE_HEAD_MAX, &scanner.link, &err), 0);
	/* The first of a client is taken though the queue is full. */
	request(&scanner, 1, span_str(CLEAN_MAIL));
	request(&scanner, 2, span_str(CLEAN_MAIL));
	assert_refused(&scanner, 2, WIRE_BUSY);
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	/* Its place becomes free once the worker is done with it. */
	do {
		wire_message_done(&message);
		request(&scanner, 3, span_str(CLEAN_MAIL));
		hear_either(&scanner, WIRE_VERDICT, WIRE_REFUSE, &message);
		assert_int_equal(message.id, 3);
	} while (message.type == WIRE_REFUSE);
	assert_int_equal(message.verdict.kind, VERDICT_CLEAN);
	wire_message_done(&message);
	assert_int_equal(stop(&scanner), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_mail_is_clean_and_named_by_its_hash),
		cmocka_unit_test(an_infected_mail_comes_back_with_edits_that_clean_it),
		cmocka_unit_test(many_requests_at_once_are_all_answered_once),
		cmocka_unit_test(a_request_sent_twice_is_answered_once),
		cmocka_unit_test(a_large_mail_comes_in_chunks_under_credit),
		cmocka_unit_test(a_client_that_goes_takes_its_requests_with_it),
	};

	return RUN_OR_SERVE(argc, argv, tests);
}
