/* SPDX-License-Identifier: ISC
 *
 * The processes of a scanner that runs: its engine hosts and their workers. */
#ifndef TESTS_SCANNER_PROCESSES_H
#define TESTS_SCANNER_PROCESSES_H

#include "tests/scanner/running.h"

#include <errno.h>
#include <poll.h>
#include <sys/pidfd.h>

#include "common/parse.h"

enum {
	PIDS_MAX = 32
};

/* Or a worker, which is its copy; the inspector is neither. */
static inline bool is_engine_host(pid_t pid)
{
	char path[64], line[512];
	auto_fclose FILE *file = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	file = fopen(path, "re");
	return file &&
	       memmem(line, fread(line, 1, sizeof(line), file), "--engine-host", 13);
}

static inline size_t children(pid_t pid, pid_t list[static PIDS_MAX])
{
	char path[64], line[1024] = "";
	char *rest = line;
	size_t count = 0;
	auto_fclose FILE *file = NULL;

	(void)snprintf(
		path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file))
		return 0;
	for (char *word; count < PIDS_MAX && (word = strsep(&rest, " ")) && word[0];) {
		uint64_t child = 0;

		assert_int_equal(parse_number(word, 1, INT32_MAX, &child, NULL), 0);
		if (is_engine_host((pid_t)child))
			list[count++] = (pid_t)child;
	}
	return count;
}

static inline pid_t engine_host(const struct scanner *scanner)
{
	pid_t list[PIDS_MAX] = { 0 };

	assert_int_equal(children(scanner->pid, list), 1);
	return list[0];
}

static inline pid_t only_worker(const struct scanner *scanner)
{
	pid_t list[PIDS_MAX] = { 0 };

	assert_int_equal(children(engine_host(scanner), list), 1);
	return list[0];
}

/* A worker that stands still has the request in hand when this returns. */
static inline pid_t stop_worker_with(
	struct scanner *scanner, uint64_t id, struct span mail)
{
	pid_t worker = only_worker(scanner);

	assert_int_equal(kill(worker, SIGSTOP), 0);
	request(scanner, id, mail);
	do
		catch_up(scanner);
	while (ask_state(scanner).queued > 0);
	return worker;
}

/* Ended, reaped or not: whoever adopts an orphan takes its time. */
static inline void await_end(pid_t pid)
{
	auto_close int fd = pidfd_open(pid, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };

	if (fd >= 0)
		assert_int_equal(poll(&end, 1, PATIENCE_MS), 1);
	else /* the kernel says EINVAL of one that is just being reaped */
		assert_true(errno == ESRCH || errno == EINVAL);
}

#endif
