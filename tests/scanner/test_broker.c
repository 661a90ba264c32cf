/* SPDX-License-Identifier: ISC
 *
 * What a client may ask of the scanner, and what it gets. */
#include "tests/scanner/running.h"

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

static void what_was_clean_is_known_without_a_worker(void **state)
{
	struct scanner scanner;
	struct wire_state told;
	pid_t worker;

	(void)state;
	start(&scanner, "signatures = { \"test\" }\nworkers = 1\n");
	(void)await_generation(&scanner, 1);
	request(&scanner, 1, span_str(CLEAN_MAIL));
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	/* The only worker has another in hand. */
	worker = stop_worker_with(&scanner, 2, span_str(INFECTED_MAIL));
	for (uint64_t id = 3; id < 10; id++) {
		struct wire_message message;
		struct hash hash;

		request(&scanner, id, span_str(CLEAN_MAIL));
		await_verdict(&scanner, id, &message);
		assert_int_equal(message.verdict.kind, VERDICT_CLEAN);
		assert_int_equal(message.verdict.generation, 1);
		assert_int_equal(hash_span(span_str(CLEAN_MAIL), &hash, NULL), 0);
		assert_true(hash_equal(&message.verdict.message, &hash));
		wire_message_done(&message);
	}
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_verdict(&scanner, 2, VERDICT_INFECTED);
	/* What was found is looked for again. */
	request(&scanner, 20, span_str(INFECTED_MAIL));
	assert_verdict(&scanner, 20, VERDICT_INFECTED);
	do /* an answer may be a moment ahead of what is told */
		told = ask_state(&scanner);
	while (told.lookups < 10);
	assert_int_equal(told.lookups, 10);
	assert_int_equal(told.hits, 7);
	assert_int_equal(stop(&scanner), 0);
}

static void allowed_by(struct scanner *scanner, uint64_t id, const struct allow *allow,
	const char *detail)
{
	struct wire_message message;

	request_allowing(scanner, id, span_str(INFECTED_MAIL), allow);
	await_verdict(scanner, id, &message);
	assert_string_equal(verdict_name(message.verdict.kind), "clean");
	assert_string_equal(message.verdict.detail, detail);
	wire_message_done(&message);
}

static void what_one_client_allows_is_clean_for_it_alone(void **state)
{
	auto_allow struct allow names = { 0 }, sums = { 0 }, other = { 0 };
	char detail[VERDICT_DETAIL_MAX], text[HASH_TEXT_MAX];
	struct wire_message message;
	struct scanner scanner;
	struct wire_state told;

	(void)state;
	start(&scanner, "signatures = { \"test\" }\nworkers = 2\n");
	(void)await_generation(&scanner, 1);
	assert_int_equal(allow_add_name(&names, "Eicar-Test-Signature", NULL), 0);
	assert_int_equal(allow_add_name(&other, "Another", NULL), 0);
	request_allowing(&scanner, 1, span_str(INFECTED_MAIL), &other);
	await_verdict(&scanner, 1, &message);
	assert_int_equal(message.verdict.kind, VERDICT_INFECTED);
	assert_int_equal(
		allow_add_hash(&sums, &message.verdict.findings[0].hash, NULL), 0);
	wire_message_done(&message);
	(void)snprintf(detail, sizeof(detail), VERDICT_ALLOWED "%s",
		hash_text(&sums.hashes[0], text));
	for (uint64_t id = 2; id < 20; id += 3) {
		allowed_by(&scanner, id, &names, VERDICT_ALLOWED "Eicar-Test-Signature");
		allowed_by(&scanner, id + 1, &sums, detail);
		request(&scanner, id + 2, span_str(INFECTED_MAIL));
		assert_verdict(&scanner, id + 2, VERDICT_INFECTED);
	}
	/* What is clean for all is known, whatever is allowed. */
	request_allowing(&scanner, 30, span_str(CLEAN_MAIL), &names);
	assert_verdict(&scanner, 30, VERDICT_CLEAN);
	request(&scanner, 31, span_str(CLEAN_MAIL));
	assert_verdict(&scanner, 31, VERDICT_CLEAN);
	do
		told = ask_state(&scanner);
	while (told.lookups < 21);
	assert_int_equal(told.hits, 1);
	assert_int_equal(stop(&scanner), 0);
}

static void lists_sent_again_with_the_same_id_are_those_that_came_first(void **state)
{
	auto_allow struct allow allow = { 0 };
	struct wire_message message;
	struct scanner scanner;
	pid_t worker;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	assert_int_equal(allow_add_name(&allow, "Eicar-Test-Signature", NULL), 0);
	worker = stop_worker_with(&scanner, 1, span_str(CLEAN_MAIL));
	request(&scanner, 2, span_str(INFECTED_MAIL));
	request_allowing(&scanner, 2, span_str(INFECTED_MAIL), &allow);
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	assert_verdict(&scanner, 2, VERDICT_INFECTED);
	/* Exactly one: the next that comes is of the next. */
	request_allowing(&scanner, 3, span_str(INFECTED_MAIL), &allow);
	await_verdict(&scanner, 3, &message);
	assert_int_equal(message.verdict.kind, VERDICT_CLEAN);
	wire_message_done(&message);
	assert_int_equal(stop(&scanner), 0);
}

static void other_options_make_it_forget_what_was_clean(void **state)
{
	struct scanner scanner;

	(void)state;
	start(&scanner, "signatures = { \"test\" }\nworkers = 1\n");
	(void)await_generation(&scanner, 1);
	request(&scanner, 1, span_str(CLEAN_MAIL));
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	/* The same signatures, loaded anew. */
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	(void)await_generation(&scanner, 2);
	request(&scanner, 2, span_str(CLEAN_MAIL));
	assert_verdict(&scanner, 2, VERDICT_CLEAN);
	while (ask_state(&scanner).hits < 1)
		;
	settings_are(
		&scanner, "signatures = { \"test\" }\nworkers = 1\nrecursion-max = 16\n");
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	(void)await_generation(&scanner, 3);
	request(&scanner, 3, span_str(CLEAN_MAIL));
	assert_verdict(&scanner, 3, VERDICT_CLEAN);
	while (ask_state(&scanner).lookups < 3)
		;
	assert_int_equal(ask_state(&scanner).hits, 1);
	assert_int_equal(stop(&scanner), 0);
}

static void a_request_sent_twice_is_answered_once(void **state)
{
	struct scanner scanner;
	pid_t worker;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
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

static void what_is_too_much_or_out_of_order_is_refused_and_the_rest_served(void **state)
{
	struct wire_message chunk = { .type = WIRE_CHUNK, .data = { NULL, 0 } };
	uint8_t bytes[1000] = { 0 };
	struct scanner scanner;

	(void)state;
	start(&scanner, ONE_WORKER "message-max = 1M\nqueue = 2\n");
	(void)await_generation(&scanner, 1);
	chunk.data = (struct span){ bytes, 10 };
	chunk.id = 1;
	say(&scanner, &chunk);
	assert_refused(&scanner, 1, WIRE_UNKNOWN);
	say(&scanner, &(struct wire_message){ .type = WIRE_REQUEST,
			      .id = 2,
			      .request = { .size = (1 << 20) + 1 } });
	assert_refused(&scanner, 2, WIRE_TOO_LARGE);
	/* Two that do not end fill the queue. */
	for (uint64_t id = 3; id < 6; id++)
		say(&scanner, &(struct wire_message){ .type = WIRE_REQUEST,
				      .id = id,
				      .request = { .size = 500 },
				      .data = { bytes, 100 } });
	assert_refused(&scanner, 5, WIRE_BUSY);
	chunk.id = 3;
	chunk.offset = 101;
	say(&scanner, &chunk);
	assert_refused(&scanner, 3, WIRE_PROTOCOL);
	chunk.id = 4;
	chunk.offset = 100;
	chunk.data.len = 401;
	say(&scanner, &chunk);
	assert_refused(&scanner, 4, WIRE_PROTOCOL);
	say(&scanner, &(struct wire_message){ .type = WIRE_REQUEST,
			      .id = 6,
			      .request = { .size = 500 },
			      .data = { bytes, 100 } });
	say(&scanner, &(struct wire_message){ .type = WIRE_CANCEL, .id = 6 });
	chunk.id = 6;
	chunk.data.len = 400;
	say(&scanner, &chunk);
	assert_refused(&scanner, 6, WIRE_UNKNOWN);
	request(&scanner, 7, span_str(CLEAN_MAIL));
	assert_verdict(&scanner, 7, VERDICT_CLEAN);
	assert_int_equal(stop(&scanner), 0);
}

static void send_raw(struct scanner *scanner, struct span head, struct span data)
{
	int64_t until = clock_ms() + PATIENCE_MS;
	struct err err = { 0 };

	while (link_send(scanner->link, NULL, head, data.data != NULL, data, &err) < 0) {
		if (clock_ms() > until)
			fail_msg("%s", err.text);
		assert_int_equal(
			link_wait(&scanner->link, 1, NULL, NULL, 0, 100, &err), 0);
	}
}

static void garbage_is_refused_and_the_rest_served(void **state)
{
	struct scanner scanner;
	uint8_t bytes[300];
	uint32_t seed = 1;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	for (int i = 0; i < 500; i++) {
		size_t len = (size_t)i % sizeof(bytes);

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		send_raw(&scanner, (struct span){ bytes, len },
			i % 2 ? (struct span){ bytes, 5 } : (struct span){ 0 });
	}
	/* What only a scanner may say. */
	say(&scanner, &(struct wire_message){
			      .type = WIRE_STATE, .state = { .state = WIRE_READY } });
	request(&scanner, 9, span_str(INFECTED_MAIL));
	assert_verdict(&scanner, 9, VERDICT_INFECTED);
	assert_int_equal(stop(&scanner), 0);
}

static void a_client_that_goes_takes_its_requests_with_it(void **state)
{
	struct wire_message message = { 0 };
	struct scanner scanner;
	struct err err = { 0 };
	pid_t worker;

	(void)state;
	start(&scanner, ONE_WORKER "queue = 1\n");
	(void)await_generation(&scanner, 1);
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
		cmocka_unit_test(what_was_clean_is_known_without_a_worker),
		cmocka_unit_test(what_one_client_allows_is_clean_for_it_alone),
		cmocka_unit_test(
			lists_sent_again_with_the_same_id_are_those_that_came_first),
		cmocka_unit_test(other_options_make_it_forget_what_was_clean),
		cmocka_unit_test(a_request_sent_twice_is_answered_once),
		cmocka_unit_test(a_large_mail_comes_in_chunks_under_credit),
		cmocka_unit_test(
			what_is_too_much_or_out_of_order_is_refused_and_the_rest_served),
		cmocka_unit_test(garbage_is_refused_and_the_rest_served),
		cmocka_unit_test(a_client_that_goes_takes_its_requests_with_it),
	};

	return RUN_OR_SERVE(argc, argv, tests);
}
