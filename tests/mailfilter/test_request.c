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

static void what_is_asked_again_waits_more_and_more_until_it_has_waited_enough(
	void **state)
{
	static struct requests requests;
	struct request *request;
	int64_t now = 1000;
	unsigned times = 0;

	(void)state;
	requests.count = 0;
	request = requests_add(&requests, &asked, 1, now);
	request_sent(request, 0, 0, now);
	while (request_again(request, now, 5000)) {
		assert_int_equal(request->at, REQUEST_NOWHERE);
		assert_true(request->not_before_ms > now);
		assert_true(request->not_before_ms <= now + REQUEST_AGAIN_MAX_MS);
		now = request->not_before_ms;
		request_sent(request, 0, 0, now);
		times++;
	}
	assert_int_equal(times, 7); /* 250 and 500 ms, then seconds */
	assert_true(now >= 6000);
	/* The scanner was away for long: no longer the same shortage. */
	now += REQUEST_AGAIN_GAP_MS + 1;
	request_sent(request, 0, 0, now);
	assert_true(request_again(request, now, 5000));
	assert_int_equal(request->not_before_ms, now + REQUEST_AGAIN_MS);
}

static void only_deaths_alone_count_and_one_without_it_acquits(void **state)
{
	static struct requests requests;
	struct request *request;

	(void)state;
	requests.count = 0;
	request = requests_add(&requests, &asked, 1, 0);
	for (int i = 0; i < 3 * REQUEST_DEATHS_MAX; i++) {
		bool alone = i % 3 != 0;

		if (i % 6 == 5)
			request_acquit(request);
		request_sent(request, 2, 0, i);
		request_lost(request, alone, i);
		assert_true(request_suspect(request));
		assert_false(request_found(request, 1, true, i, 9));
		assert_false(request_found(request, 2, true, i, 9));
	}
	request_acquit(request);
	for (int i = 1; i <= REQUEST_DEATHS_MAX; i++) {
		request_sent(request, 2, 0, i);
		request_lost(request, true, i);
		assert_int_equal(
			request_found(request, 2, true, i, 9), i == REQUEST_DEATHS_MAX);
		assert_true(request->not_before_ms <= 3 * REQUEST_DEATHS_MAX + 9);
	}
}

static void a_scanner_that_had_not_died_leaves_no_suspect(void **state)
{
	static struct requests requests;
	struct request *request;

	(void)state;
	requests.count = 0;
	request = requests_add(&requests, &asked, 1, 0);
	request_sent(request, 2, 0, 1);
	request_lost(request, true, 2);
	assert_true(request_suspect(request));
	assert_false(request_found(request, 2, false, 3, 9));
	assert_false(request_suspect(request));
	assert_int_equal(request->deaths, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_keep_their_order_and_are_found_by_id),
		cmocka_unit_test(a_full_table_takes_no_more),
		cmocka_unit_test(what_was_not_taken_waits_since_before_and_was_not_sent),
		cmocka_unit_test(
			what_is_asked_again_waits_more_and_more_until_it_has_waited_enough),
		cmocka_unit_test(only_deaths_alone_count_and_one_without_it_acquits),
		cmocka_unit_test(a_scanner_that_had_not_died_leaves_no_suspect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
