/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/request.h"

static const struct scan_request asked = { .quarantine_id = "" };

static void requests_keep_their_order_and_are_found_by_id(void **state)
{
	static struct requests requests;

	(void)state;
	requests.count = 0;
	for (uint64_t id = 1; id <= 5; id++)
		assert_non_null(requests_add(&requests, &asked, id * 10, 7));
	requests_remove(&requests, requests_find(&requests, 30));
	requests_remove(&requests, requests_find(&requests, 10));
	requests_remove(&requests, requests_find(&requests, 50));
	assert_int_equal(requests.count, 2);
	assert_int_equal(requests.list[0].id, 20);
	assert_int_equal(requests.list[1].id, 40);
	assert_null(requests_find(&requests, 30));
	assert_ptr_equal(requests_find(&requests, 40), &requests.list[1]);
}

static void a_full_table_takes_no_more(void **state)
{
	static struct requests requests;

	(void)state;
	requests.count = 0;
	for (uint64_t id = 1; id <= REQUESTS_MAX; id++)
		assert_non_null(requests_add(&requests, &asked, id, 0));
	assert_null(requests_add(&requests, &asked, REQUESTS_MAX + 1, 0));
	assert_int_equal(requests.count, REQUESTS_MAX);
}

static void what_was_not_taken_waits_since_before_and_was_not_sent(void **state)
{
	static struct requests requests;
	struct request *request = requests_add(&requests, &asked, 1, 100);

	(void)state;
	assert_int_equal(request->at, REQUEST_NOWHERE);
	request_sent(request, 3, 11, 200);
	assert_int_equal(request->at, 3);
	assert_int_equal(request->sent_to, 1U << 3);
	assert_int_equal(request->sent, 11);
	assert_int_equal(request->credit, 11);
	assert_int_equal(request->since_ms, 200);
	request_not_taken(request);
	assert_int_equal(request->at, REQUEST_NOWHERE);
	assert_int_equal(request->sent_to, 0);
	assert_int_equal(request->sends, 0);
	assert_int_equal(request->since_ms, 100);
	request_sent(request, 4, 0, 300);
	request_waits(request, 400);
	assert_int_equal(request->since_ms, 400);
	assert_int_equal(request->sent_to, 1U << 4); /* its verdict may still come */
	assert_int_equal(request->sends, 1);
	assert_false(request_suspect(request));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_keep_their_order_and_are_found_by_id),
		cmocka_unit_test(a_full_table_takes_no_more),
		cmocka_unit_test(what_was_not_taken_waits_since_before_and_was_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
