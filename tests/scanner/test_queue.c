/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "scanner/queue.h"

enum {
	SIZE = 1000
};

static struct link_peer peer(char name)
{
	struct link_peer peer = { .len = 1 };

	peer.id[0] = (uint8_t)name;
	return peer;
}

static struct request *add(struct queue *queue, char client, uint64_t id)
{
	struct wire_request asked = { .size = SIZE };
	struct link_peer from = peer(client);
	struct request *request = NULL;
	struct err err = { 0 };

	assert_int_equal(request_new(&from, id, &asked, "/tmp", &request, &err), 0);
	request->stage = REQUEST_WAITING;
	queue_add(queue, request);
	return request;
}

static void add_many(struct queue *queue, char client, uint64_t first, uint64_t count)
{
	for (uint64_t id = first; id < first + count; id++)
		(void)add(queue, client, id);
}

/* The next to be worked on: it is, and is done. */
static struct request *serve(struct queue *queue)
{
	struct request *request = queue_waiting(queue, NULL);

	assert_non_null(request);
	request->stage = REQUEST_WORKING;
	return request;
}

/* "a1b1": the clients and ids in the order in which they are served. */
static void assert_order(struct queue *queue, const char *order)
{
	for (; *order; order += 2) {
		struct request *request = serve(queue);

		assert_int_equal(request->peer.id[0], order[0]);
		assert_int_equal(request->id, order[1] - '0');
		queue_remove(queue, request);
	}
}

static void those_of_one_client_go_as_they_came(void **state)
{
	DEFER(queue_done) struct queue queue = { 0 };

	(void)state;
	add_many(&queue, 'a', 1, 5);
	assert_order(&queue, "a1a2a3a4a5");
	assert_int_equal(queue.count, 0);
}

static void clients_take_turns(void **state)
{
	DEFER(queue_done) struct queue queue = { 0 };

	(void)state;
	add_many(&queue, 'a', 1, 4);
	add_many(&queue, 'b', 1, 2);
	add_many(&queue, 'c', 1, 3);
	assert_order(&queue, "a1b1c1a2b2c2a3c3a4");
}

static void a_thousand_of_one_do_not_hold_up_one_of_another(void **state)
{
	DEFER(queue_done) struct queue queue = { 0 };
	struct request *mine;

	(void)state;
	add_many(&queue, 'a', 1, 1000);
	for (int i = 0; i < 100; i++)
		queue_remove(&queue, serve(&queue));
	mine = add(&queue, 'b', 1);
	queue_remove(&queue, serve(&queue));
	assert_ptr_equal(serve(&queue), mine);
}

static void whoever_comes_late_gets_no_more_than_its_turn(void **state)
{
	DEFER(queue_done) struct queue queue = { 0 };

	(void)state;
	add_many(&queue, 'a', 1, 8);
	assert_order(&queue, "a1a2a3a4");
	add_many(&queue, 'b', 1, 3);
	assert_order(&queue, "a5b1a6b2a7b3a8");
}

static void one_in_work_counts_as_its_turn(void **state)
{
	DEFER(queue_done) struct queue queue = { 0 };
	struct request *working;

	(void)state;
	add_many(&queue, 'a', 1, 1);
	working = serve(&queue);
	add_many(&queue, 'b', 1, 1);
	add_many(&queue, 'a', 2, 1);
	assert_order(&queue, "b1a2");
	queue_remove(&queue, working);
}

static void one_that_still_arrives_holds_no_turn_up(void **state)
{
	DEFER(queue_done) struct queue queue = { 0 };
	struct request *slow;

	(void)state;
	slow = add(&queue, 's', 1);
	slow->stage = REQUEST_ARRIVING;
	add_many(&queue, 'a', 1, 4);
	assert_order(&queue, "a1a2");
	add_many(&queue, 'b', 1, 2);
	assert_order(&queue, "a3b1a4b2");
	slow->stage = REQUEST_WAITING;
	assert_order(&queue, "s1");
}

static void one_that_is_scanned_again_keeps_its_place(void **state)
{
	DEFER(queue_done) struct queue queue = { 0 };
	struct request *first;

	(void)state;
	add_many(&queue, 'a', 1, 3);
	first = serve(&queue);
	add_many(&queue, 'b', 1, 1);
	first->stage = REQUEST_WAITING;
	assert_order(&queue, "a1");
	assert_int_equal(queue.count, 3);
}

static void weight_and_count_are_by_client(void **state)
{
	DEFER(queue_done) struct queue queue = { 0 };
	struct link_peer a = peer('a'), b = peer('b'), none = peer('c');

	(void)state;
	add_many(&queue, 'a', 1, 3);
	add_many(&queue, 'b', 1, 1);
	assert_int_equal(queue_count_of(&queue, &a), 3);
	assert_int_equal(queue_weight_of(&queue, &a), 3 * SIZE);
	assert_int_equal(queue_weight_of(&queue, &b), SIZE);
	assert_int_equal(queue_weight_of(&queue, &none), 0);
	assert_int_equal(queue_weight(&queue), 4 * SIZE);
	assert_ptr_equal(queue_find(&queue, &none, 1), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_of_one_client_go_as_they_came),
		cmocka_unit_test(clients_take_turns),
		cmocka_unit_test(a_thousand_of_one_do_not_hold_up_one_of_another),
		cmocka_unit_test(whoever_comes_late_gets_no_more_than_its_turn),
		cmocka_unit_test(one_in_work_counts_as_its_turn),
		cmocka_unit_test(one_that_still_arrives_holds_no_turn_up),
		cmocka_unit_test(one_that_is_scanned_again_keeps_its_place),
		cmocka_unit_test(weight_and_count_are_by_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
