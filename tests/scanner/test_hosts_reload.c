/* SPDX-License-Identifier: ISC
 *
 * New signatures while the scanner runs: one engine host takes over from another. */
#include "tests/scanner/processes.h"

#include "scanner/signatures.h"

#define OTHER_SIGNATURE "Other:0:*:6e6576657220666f756e642068657265\n"

static void a_hangup_loads_the_signatures_anew_without_a_pause(void **state)
{
	struct scanner scanner;
	pid_t before, worker;

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	before = engine_host(&scanner);
	worker = stop_worker_with(&scanner, 1, span_str(CLEAN_MAIL));
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	(void)await_generation(&scanner, 2);
	/* The new one serves, the old one still has its job to end. */
	request(&scanner, 2, span_str(CLEAN_MAIL));
	assert_verdict(&scanner, 2, VERDICT_CLEAN);
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	while (kill(before, 0) == 0)
		(void)ask_state(&scanner);
	assert_true(engine_host(&scanner) != before);
	assert_int_equal(stop(&scanner), 0);
}

static void signatures_that_do_not_load_leave_the_old_ones_in_use(void **state)
{
	char bad[PATHS + 8], lines[PATHS + 64];
	struct scanner scanner;

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	(void)snprintf(bad, sizeof(bad), "%s/none", scanner.folder);
	(void)snprintf(
		lines, sizeof(lines), "signatures = { \"%s\" }\nworkers = 1\n", bad);
	settings_are(&scanner, lines);
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	for (uint64_t id = 1; !log_says(&scanner, "the old ones stay in use"); id++) {
		request(&scanner, id, span_str(INFECTED_MAIL));
		assert_verdict(&scanner, id, VERDICT_INFECTED);
	}
	catch_up(&scanner);
	assert_non_null(strstr(ask_state(&scanner).trouble, "the old ones stay in use"));
	/* Nor are signatures loaded by settings that cannot be read any more. */
	settings_are(&scanner, "nonsense");
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	for (uint64_t id = 1; !log_says(&scanner, "the settings are not read again");
		id++) {
		request(&scanner, id, span_str(INFECTED_MAIL));
		assert_verdict(&scanner, id, VERDICT_INFECTED);
	}
	assert_int_equal(ask_state(&scanner).state, WIRE_READY);
	assert_int_equal(ask_state(&scanner).generation, 1);
	settings_are(&scanner, ONE_WORKER);
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	assert_string_equal(await_generation(&scanner, 2).trouble, "");
	assert_int_equal(stop(&scanner), 0);
}

static void the_old_signatures_make_way_and_nobody_is_sent_away(void **state)
{
	struct scanner scanner;
	struct wire_state told;
	pid_t before, worker;

	(void)state;
	start_ready(&scanner, ONE_WORKER "reload = serial\n");
	before = engine_host(&scanner);
	worker = stop_worker_with(&scanner, 1, span_str(CLEAN_MAIL));
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	do
		told = ask_state(&scanner);
	while (told.state == WIRE_READY);
	assert_int_equal(told.state, WIRE_LOADING);
	/* The last job of the old ones is still in hand: nothing loads beside it. */
	assert_int_equal(engine_host(&scanner), before);
	request(&scanner, 2, span_str(INFECTED_MAIL));
	catch_up(&scanner);
	assert_int_equal(ask_state(&scanner).queued, 1);
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	assert_verdict(&scanner, 2, VERDICT_INFECTED);
	assert_int_equal(await_generation(&scanner, 2).generation, 2);
	assert_true(engine_host(&scanner) != before);
	assert_int_equal(stop(&scanner), 0);
}

static void an_engine_host_that_dies_while_it_loads_leaves_the_old_one(void **state)
{
	pid_t list[PIDS_MAX] = { 0 };
	struct scanner scanner;
	size_t count;
	pid_t before;

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	before = engine_host(&scanner);
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	do {
		(void)ask_state(&scanner);
		count = children(scanner.pid, list);
	} while (count < 2);
	assert_int_equal(kill(list[0] == before ? list[1] : list[0], SIGKILL), 0);
	while (strstr(ask_state(&scanner).trouble, "the old ones stay in use") == NULL)
		;
	request(&scanner, 1, span_str(INFECTED_MAIL));
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	assert_int_equal(engine_host(&scanner), before);
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	assert_string_equal(await_generation(&scanner, 2).trouble, "");
	assert_int_equal(stop(&scanner), 0);
}

/* Two generations live: the old one dies before, and after, the new one has taken over. */
static void an_old_engine_host_that_dies_leaves_its_mail_to_the_new_one(void **state)
{
	pid_t list[PIDS_MAX] = { 0 };
	struct scanner scanner;
	pid_t before, worker;

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	before = engine_host(&scanner);
	worker = stop_worker_with(&scanner, 1, span_str(INFECTED_MAIL));
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	do
		(void)ask_state(&scanner);
	while (children(scanner.pid, list) < 2);
	assert_int_equal(kill(before, SIGKILL), 0);
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	await_end(worker);
	/* The dead one is a child until it is reaped. */
	do
		assert_int_equal(ask_state(&scanner).generation, 2);
	while (children(scanner.pid, list) > 1);

	before = engine_host(&scanner);
	worker = stop_worker_with(&scanner, 2, span_str(CLEAN_MAIL));
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	(void)await_generation(&scanner, 3);
	assert_int_equal(kill(before, SIGKILL), 0);
	assert_verdict(&scanner, 2, VERDICT_CLEAN);
	await_end(worker);
	request(&scanner, 3, span_str(INFECTED_MAIL));
	assert_verdict(&scanner, 3, VERDICT_INFECTED);
	assert_int_equal(ask_state(&scanner).generation, 3);
	assert_string_equal(ask_state(&scanner).trouble, "");
	assert_int_equal(stop(&scanner), 0);
}

/* What did not load may load soon, and nobody else scans meanwhile. Half a file is no set. */
static void signatures_that_come_late_and_in_two_halves_serve_once_they_are_whole(
	void **state)
{
	char path[PATHS + 16], lines[PATHS * 2];
	struct scanner scanner;
	FILE *file;

	(void)state;
	start(&scanner, "signatures = { \"test\" }\n");
	assert_int_equal(kill(scanner.pid, SIGKILL), 0);
	assert_int_equal(wait_for(scanner.pid), 128 + SIGKILL);
	(void)snprintf(lines, sizeof(lines), "signatures = { \"%s/own\" }\nworkers = 1\n",
		scanner.folder);
	settings_are(&scanner, lines);
	scanner.pid = spawn_one(&scanner);
	while (ask_state(&scanner).trouble[0] == '\0')
		;
	(void)snprintf(path, sizeof(path), "%s/own", scanner.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/own/own.ndb", scanner.folder);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(OTHER_SIGNATURE, file) >= 0);
	assert_int_equal(fflush(file), 0);
	request(&scanner, 1, span_str(INFECTED_MAIL));
	while (!log_says(&scanner, "is being written"))
		(void)ask_state(&scanner);
	assert_true(fprintf(file, "%s\n", signatures_eicar) > 0);
	assert_int_equal(fclose(file), 0);
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	assert_int_equal(stop(&scanner), 0);
}

static void put_set(const char *path, const char *lines)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(lines, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Between the parent's look at the files and the engine host's. */
static void a_file_that_is_overwritten_while_it_is_loaded_does_not_serve(void **state)
{
	const struct timespec past[2] = { { .tv_sec = 1000000000 },
		{ .tv_sec = 1000000000 } };
	char path[PATHS + 16], lines[PATHS * 2], whole[512];
	pid_t list[PIDS_MAX] = { 0 };
	struct scanner scanner;
	pid_t before;

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	(void)snprintf(path, sizeof(path), "%s/own", scanner.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(
		lines, sizeof(lines), "signatures = { \"%s\" }\nworkers = 1\n", path);
	settings_are(&scanner, lines);
	(void)snprintf(path, sizeof(path), "%s/own/own.ndb", scanner.folder);
	(void)snprintf(whole, sizeof(whole), "%s%s\n", OTHER_SIGNATURE, signatures_eicar);
	/* Until it was stopped in time. */
	while (!log_says(&scanner, "is being written while it is loaded")) {
		put_set(path, whole);
		assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
		before = engine_host(&scanner);
		assert_int_equal(kill(scanner.pid, SIGHUP), 0);
		while (children(scanner.pid, list) < 2)
			(void)ask_state(&scanner);
		assert_int_equal(kill(list[list[0] == before], SIGSTOP), 0);
		put_set(path, OTHER_SIGNATURE);
		assert_int_equal(kill(list[list[0] == before], SIGCONT), 0);
		while (children(scanner.pid, list) > 1)
			(void)ask_state(&scanner);
	}
	request(&scanner, 1, span_str(INFECTED_MAIL));
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	assert_int_equal(stop(&scanner), 0);
}

/* Whoever adds a file of signatures and its folder to the settings reloads at once. */
static void what_a_reload_names_first_is_waited_for_while_it_is_written(void **state)
{
	char path[PATHS + 16], lines[PATHS * 2];
	struct scanner scanner;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	(void)snprintf(path, sizeof(path), "%s/own", scanner.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(lines, sizeof(lines),
		"signatures = { \"test\", \"%s\" }\nworkers = 1\n", path);
	settings_are(&scanner, lines);
	(void)snprintf(path, sizeof(path), "%s/own/own.ndb", scanner.folder);
	put_set(path, OTHER_SIGNATURE "\n");
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	(void)await_generation(&scanner, 2);
	assert_true(log_says(&scanner, "loading waits for it"));
	assert_false(log_says(&scanner, "the old ones stay in use"));
	assert_int_equal(stop(&scanner), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hangup_loads_the_signatures_anew_without_a_pause),
		cmocka_unit_test(signatures_that_do_not_load_leave_the_old_ones_in_use),
		cmocka_unit_test(the_old_signatures_make_way_and_nobody_is_sent_away),
		cmocka_unit_test(
			an_engine_host_that_dies_while_it_loads_leaves_the_old_one),
		cmocka_unit_test(
			an_old_engine_host_that_dies_leaves_its_mail_to_the_new_one),
		cmocka_unit_test(
			signatures_that_come_late_and_in_two_halves_serve_once_they_are_whole),
		cmocka_unit_test(
			a_file_that_is_overwritten_while_it_is_loaded_does_not_serve),
		cmocka_unit_test(
			what_a_reload_names_first_is_waited_for_while_it_is_written),
	};

	return RUN_OR_SERVE(argc, argv, tests);
}
