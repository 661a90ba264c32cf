/* SPDX-License-Identifier: ISC
 *
 * What the scanner says that a client may send. */
#include "tests/test.h"

#include "scanner/state.h"

static void a_client_may_have_more_requests_out_where_few_workers_leave_the_queue_room(
	void **state)
{
	static const struct {
		size_t workers;
		uint64_t queue;
		uint32_t jobs;
	} cases[] = {
		{ 1, 64, 8 }, /* more would gain nothing */
		{ 2, 64, 16 },
		{ 3, 64, 16 }, /* four of them fit into the queue */
		{ 4, 64, 16 }, /* no fewer, or its workers wait */
		{ 16, 64, 64 },
		{ 32, 64, 64 }, /* never more than the queue */
		{ 2, 1000, 16 },
		{ 2, 8, 8 },
		{ 2, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct settings settings = { .queue = cases[i].queue };
		struct hosts hosts = { .settings = &settings,
			.workers = cases[i].workers };
		struct wire_state said;

		state_fill(&hosts, false, &said);
		assert_int_equal(said.jobs, cases[i].jobs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_client_may_have_more_requests_out_where_few_workers_leave_the_queue_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
