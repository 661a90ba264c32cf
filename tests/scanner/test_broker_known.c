/* SPDX-License-Identifier: ISC
 *
 * What the scanner knows to be clean, or has from one client for that client alone. */
#include "tests/scanner/processes.h"

static void what_was_clean_is_known_without_a_worker(void **state)
{
	struct scanner scanner;
	struct wire_state told;
	pid_t worker;

	(void)state;
	start_ready(&scanner, "signatures = { \"test\" }\nworkers = 1\n");
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
	start_ready(&scanner, "signatures = { \"test\" }\nworkers = 2\n");
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
	start_ready(&scanner, ONE_WORKER);
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
	start_ready(&scanner, "signatures = { \"test\" }\nworkers = 1\n");
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_clean_is_known_without_a_worker),
		cmocka_unit_test(what_one_client_allows_is_clean_for_it_alone),
		cmocka_unit_test(
			lists_sent_again_with_the_same_id_are_those_that_came_first),
		cmocka_unit_test(other_options_make_it_forget_what_was_clean),
	};

	return RUN_OR_SERVE(argc, argv, tests);
}
