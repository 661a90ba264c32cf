/* SPDX-License-Identifier: ISC
 *
 * Delivered mail through a scanner of our own that answers by what is in a mail. What becomes of what is
 * infected is tried end to end. */
#include "tests/test.h"

#include "mailfilter/rescan_inside.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/stop.h"

#include "tests/mailfilter/fake_scanner.h"

#define NO_VERDICT "on this one the scanner has no verdict"

enum {
	PATIENCE_MS = 10000,
	TURN_MS = 20,
};

static char name[] = "work", top[64], endpoint[96], maildir[96];
static char nobody[] = "ipc:///nowhere/at/all";
static char *endpoints[] = { endpoint, nobody };
static struct settings settings = { .scanners = { endpoints, 1 },
	.state_dir = top,
	.scan_timeout_ms = 10000,
	.scanner_wait_ms = 500,
	.scanner_start_ms = 500 };
static struct account_settings account = { .name = name,
	.deliver_kind = DELIVER_MAILDIR,
	.deliver_path = maildir,
	.message_max = 1000000 };
static pid_t scanner;
static unsigned uid;

static void answer(struct fake *fake, const struct fake_request *request)
{
	const bool none = span_find(buf_span(&request->bytes), span_str(NO_VERDICT)) >= 0;
	struct verdict verdict =
		fake_verdict_of(request, none ? VERDICT_RETRY : VERDICT_CLEAN);

	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s",
		none ? "out of something" : "");
	fake_verdict(fake, request->id, &verdict);
}

/* Until its parent ends it. */
static _Noreturn void serve(void)
{
	static struct fake fake;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	fake_open(&fake, endpoint, 7);
	for (;;) {
		struct err err = { 0 };

		(void)link_wait(&fake.link, 1, NULL, NULL, 0, TURN_MS, &err);
		fake_turn(&fake);
		for (size_t i = 0; i < fake.count; i++)
			if (!fake.list[i].answered && fake_whole(&fake.list[i]))
				answer(&fake, &fake.list[i]);
	}
}

/* The state, a Maildir, and (before ZeroMQ is used here) the scanner. */
static int setup(void **state)
{
	char path[128];

	(void)state;
	uid = 0;
	(void)snprintf(top, sizeof(top), "/tmp/test_rescan.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/scanner", top);
	(void)snprintf(maildir, sizeof(maildir), "%s/Maildir", top);
	for (int i = 0; i < 4; i++) {
		static const char *const folders[] = { "", "/tmp", "/new", "/cur" };

		(void)snprintf(path, sizeof(path), "%s%s", maildir, folders[i]);
		if (mkdir(path, 0700) < 0)
			return -1;
	}
	scanner = fork();
	if (scanner == 0)
		serve();
	return scanner > 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	(void)kill(scanner, SIGKILL);
	(void)waitpid(scanner, NULL, 0);
	return file_remove_tree(top, true, NULL);
}

/* One more mail that was delivered as it came. */
static void deliver(const char *text)
{
	struct record_row row = { .state = RECORD_SETTLED,
		.action = ACTION_DELIVER,
		.key = { .folder = "INBOX", .uidvalidity = 7 },
		.size = strlen(text),
		.time_s = clock_wall_s() };
	struct record *record;
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/work", top);
	assert_int_equal(record_open(path, false, &record, NULL), 0);
	(void)snprintf(row.key.uid, sizeof(row.key.uid), "%u", ++uid);
	(void)snprintf(row.name, sizeof(row.name), "1700000000.M1P1_%u.host", uid);
	assert_int_equal(record_put(record, &row, NULL), 0);
	record_close(record);
	(void)snprintf(path, sizeof(path), "%s/new/%s", maildir, row.name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static struct rescan_report rescan_if(bool all)
{
	const struct rescan_job job = { .settings = &settings,
		.account = &account,
		.all = all,
		.since_s = clock_wall_s() - 1000,
		.stop_fd = -1,
		.starter_fd = -1 };
	struct rescan_report report;

	rescan_account(&job, &report);
	return report;
}

static struct rescan_report rescan(void)
{
	return rescan_if(false);
}

static void one_without_a_verdict_does_not_keep_the_others_from_theirs(void **state)
{
	struct rescan_report report;

	(void)state;
	deliver("one");
	deliver(NO_VERDICT);
	deliver(NO_VERDICT ", nor on its copy");
	deliver("two");
	report = rescan();
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.scanned, 2);
	assert_int_equal(report.left, 2);
	assert_true(rescan().known);
}

static void the_last_one_is_left_where_the_scanner_had_a_verdict_on_others(void **state)
{
	struct rescan_report report;

	(void)state;
	deliver("one");
	deliver(NO_VERDICT);
	report = rescan();
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.scanned, 1);
	assert_int_equal(report.left, 1);
	assert_true(rescan().known);
}

static void a_pass_goes_on_at_the_first_that_got_none(void **state)
{
	struct rescan_report report;

	(void)state;
	deliver("one");
	for (int i = 0; i < 5; i++)
		deliver(NO_VERDICT);
	for (int i = 0; i < 2; i++) {
		report = rescan();
		assert_int_equal(report.err.kind, ERR_AGAIN);
		assert_string_equal(report.err.text, "out of something");
		assert_int_equal(report.scanned, i == 0);
		assert_int_equal(report.left, 0);
	}
}

static void who_has_nothing_to_do_does_not_look_at_the_maildir(void **state)
{
	char away[128];

	(void)state;
	deliver("one");
	assert_int_equal(rescan().scanned, 1);
	(void)snprintf(away, sizeof(away), "%s.away", maildir);
	assert_int_equal(rename(maildir, away), 0);
	assert_int_equal(rescan().err.kind, ERR_NONE);
	assert_true(rescan().known);
}

static void one_that_never_answered_is_not_taken_for_the_other(void **state)
{
	struct rescan_report report;

	(void)state;
	deliver("one");
	settings.scanners.count = 2;
	report = rescan_if(true);
	assert_int_equal(report.err.kind, ERR_AGAIN);
	assert_string_equal(report.err.text, "not all scanners are ready");
	assert_false(report.told);
	report = rescan_if(false);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.scanned, 1);
	assert_false(report.all);
	settings.scanners.count = 1;
	report = rescan_if(true);
	assert_true(report.all);
	assert_true(report.known);
}

/* What a wait for a server sees of the world. */
struct ears {
	struct rescan_job job;
	struct rescan_report report;
	struct rescan rescan;
	int starter[2], server[2];
	unsigned told;
};

static void count_told(void *arg, const struct rescan_report *report)
{
	struct ears *ears = arg;

	(void)report;
	ears->told++;
}

static void make_ears(struct ears *ears)
{
	*ears = (struct ears){
		.job = { .stop_fd = -1, .progress = count_told, .progress_arg = ears }
	};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ears->starter), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ears->server), 0);
	ears->job.starter_fd = ears->starter[0];
	ears->rescan = (struct rescan){ .job = &ears->job, .report = &ears->report };
}

static void drop_ears(struct ears *ears)
{
	for (int i = 0; i < 2; i++) {
		(void)close(ears->starter[i]);
		(void)close(ears->server[i]);
	}
}

static int wait_for(struct ears *ears, int ms, struct err *err)
{
	return rescan_wait(&ears->rescan, ears->server[0], POLLIN, clock_ms() + ms, err);
}

static void bytes_of_a_server_are_waited_for_and_are_progress(void **state)
{
	struct ears ears;
	struct err err = { 0 };

	(void)state;
	make_ears(&ears);
	assert_int_equal(wait_for(&ears, 20, &err), 0);
	assert_int_equal(ears.told, 0);
	assert_int_equal(send(ears.starter[1], "\1", 1, 0), 1);
	assert_int_equal(wait_for(&ears, 20, &err), 0);
	assert_true(ears.rescan.yields);
	assert_int_equal(write(ears.server[1], "*", 1), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(wait_for(&ears, PATIENCE_MS, &err), 1);
	assert_int_equal(ears.told, 1); /* not for each byte */
	drop_ears(&ears);
}

static void a_signal_ends_the_wait_for_a_server(void **state)
{
	struct ears ears;
	struct err err = { 0 };
	int stop_fd = -1;

	(void)state;
	make_ears(&ears);
	assert_int_equal(stop_start(&stop_fd, &err), 0);
	ears.job.stop_fd = stop_fd;
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(wait_for(&ears, PATIENCE_MS, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_true(ears.rescan.stopped);
	(void)close(stop_fd);
	drop_ears(&ears);
}

static void so_does_the_end_of_who_started_it(void **state)
{
	struct ears ears;
	struct err err = { 0 };

	(void)state;
	make_ears(&ears);
	assert_int_equal(shutdown(ears.starter[1], SHUT_RDWR), 0);
	assert_int_equal(wait_for(&ears, PATIENCE_MS, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	drop_ears(&ears);
}

#define WITH_SCANNER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SCANNER(one_without_a_verdict_does_not_keep_the_others_from_theirs),
		WITH_SCANNER(
			the_last_one_is_left_where_the_scanner_had_a_verdict_on_others),
		WITH_SCANNER(a_pass_goes_on_at_the_first_that_got_none),
		WITH_SCANNER(who_has_nothing_to_do_does_not_look_at_the_maildir),
		WITH_SCANNER(one_that_never_answered_is_not_taken_for_the_other),
		cmocka_unit_test(bytes_of_a_server_are_waited_for_and_are_progress),
		cmocka_unit_test(so_does_the_end_of_who_started_it),
		cmocka_unit_test(a_signal_ends_the_wait_for_a_server),
	};

	/* What goes wrong on purpose is logged. */
	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
