/* SPDX-License-Identifier: ISC
 *
 * The scanner over its life: how it begins, and how it ends. */
#include "tests/scanner/processes.h"

static void it_answers_while_it_loads_and_says_when_it_is_ready(void **state)
{
	struct scanner scanner;
	struct wire_state ready;

	(void)state;
	start(&scanner, ONE_WORKER);
	ready = await_generation(&scanner, 1);
	assert_true(ready.session != 0);
	assert_int_equal(ready.signatures, 1);
	assert_int_equal(ready.message_max, 50 << 20);
	assert_true(ready.jobs >= 1);
	assert_non_null(strstr(ready.engine, "libclamav"));
	assert_string_not_equal(ready.unprotected, "");
	assert_string_equal(ready.trouble, "");
	assert_int_equal(stop(&scanner), 0);
}

static void without_signatures_it_says_to_run_freshclam_and_waits(void **state)
{
	char lines[PATHS * 2];
	struct scanner scanner;
	struct wire_state told;

	(void)state;
	start(&scanner, "signatures = { \"/nonexistent/clamav\" }\nworkers = 1\n");
	for (told = ask_state(&scanner); told.trouble[0] == '\0';)
		told = hear_state(&scanner);
	assert_int_equal(told.state, WIRE_LOADING);
	assert_non_null(strstr(told.trouble, "freshclam"));
	request(&scanner, 1, span_str(CLEAN_MAIL));
	catch_up(&scanner);
	assert_int_equal(ask_state(&scanner).queued, 1);
	(void)snprintf(lines, sizeof(lines), ONE_WORKER);
	settings_are(&scanner, lines);
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	assert_int_equal(stop(&scanner), 0);
}

static void a_second_scanner_is_told_who_is_there(void **state)
{
	char pid[32], path[PATHS + 64];
	struct scanner scanner;

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	assert_int_equal(wait_for(spawn_one(&scanner)), EX_TEMPFAIL);
	(void)snprintf(pid, sizeof(pid), "%d", (int)scanner.pid);
	assert_true(log_says(&scanner, pid));
	/* And leaves the first one's folders alone. */
	(void)snprintf(path, sizeof(path), "%s/temp/e.%d/w.%d", scanner.folder,
		(int)engine_host(&scanner), (int)only_worker(&scanner));
	assert_int_equal(access(path, F_OK), 0);
	request(&scanner, 1, span_str(INFECTED_MAIL));
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	assert_int_equal(stop(&scanner), 0);
}

static int left_over;

static int count_one(
	const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)where;
	left_over += type == FTW_F && strcmp(strrchr(path, '/'), "/lock") != 0 &&
		     strcmp(strrchr(path, '/'), "/signatures-count") != 0;
	left_over += type == FTW_DP && where->level > 0;
	return 0;
}

static void a_stop_ends_everything_and_leaves_nothing(void **state)
{
	char temp[PATHS + 8];
	pid_t host, workers[PIDS_MAX] = { 0 };
	size_t count;
	struct scanner scanner;

	(void)state;
	start_ready(&scanner, "signatures = { \"test\" }\nworkers = 3\n");
	request(&scanner, 1, span_str(INFECTED_MAIL));
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	while (ask_state(&scanner).workers < 3)
		;
	host = engine_host(&scanner);
	/* One that found something ends first. */
	while ((count = children(host, workers)) != 3)
		(void)ask_state(&scanner);
	assert_int_equal(kill(scanner.pid, SIGTERM), 0);
	while (hear_state(&scanner).state != WIRE_STOPPING)
		;
	assert_int_equal(wait_for(scanner.pid), 0);
	await_end(host);
	for (size_t i = 0; i < count; i++)
		await_end(workers[i]);
	(void)snprintf(temp, sizeof(temp), "%s/temp", scanner.folder);
	left_over = 0;
	assert_int_equal(nftw(temp, count_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(left_over, 0);
	/* And the next one finds everything as it needs it. */
	scanner.pid = spawn_one(&scanner);
	(void)ask_state(&scanner);
	assert_int_equal(stop(&scanner), 0);
}

static void a_killed_parent_takes_all_with_it_and_the_next_one_tidies_up(void **state)
{
	char path[PATHS + 32];
	pid_t host, worker;
	struct scanner scanner;
	struct err err = { 0 };

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	host = engine_host(&scanner);
	worker = only_worker(&scanner);
	assert_int_equal(kill(scanner.pid, SIGKILL), 0);
	assert_int_equal(wait_for(scanner.pid), 128 + SIGKILL);
	link_close(scanner.link);
	scanner.pid = spawn_one(&scanner);
	assert_int_equal(
		link_connect(scanner.endpoint, WIRE_HEAD_MAX, &scanner.link, &err), 0);
	(void)await_generation(&scanner, 1);
	await_end(host);
	await_end(worker);
	(void)snprintf(path, sizeof(path), "%s/temp/e.%d", scanner.folder, (int)host);
	assert_int_equal(access(path, F_OK), -1);
	request(&scanner, 1, span_str(CLEAN_MAIL));
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	assert_int_equal(stop(&scanner), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_answers_while_it_loads_and_says_when_it_is_ready),
		cmocka_unit_test(without_signatures_it_says_to_run_freshclam_and_waits),
		cmocka_unit_test(a_second_scanner_is_told_who_is_there),
		cmocka_unit_test(a_stop_ends_everything_and_leaves_nothing),
		cmocka_unit_test(
			a_killed_parent_takes_all_with_it_and_the_next_one_tidies_up),
	};

	return RUN_OR_SERVE(argc, argv, tests);
}
