/* SPDX-License-Identifier: ISC
 *
 * What the scanner refuses of a client. */
#include "tests/scanner/running.h"

static void what_is_too_much_or_out_of_order_is_refused_and_the_rest_served(void **state)
{
	struct wire_message chunk = { .type = WIRE_CHUNK, .data = { NULL, 0 } };
	uint8_t bytes[1000] = { 0 };
	struct scanner scanner;

	(void)state;
	start_ready(&scanner, ONE_WORKER "message-max = 1M\nqueue = 2\n");
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
	start_ready(&scanner, ONE_WORKER);
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_is_too_much_or_out_of_order_is_refused_and_the_rest_served),
		cmocka_unit_test(garbage_is_refused_and_the_rest_served),
	};

	return RUN_OR_SERVE(argc, argv, tests);
}
