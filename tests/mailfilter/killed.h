/* SPDX-License-Identifier: ISC
 *
 * Runs of a delivery that a kill ends after any step, and the runs after them: each over the same
 * messages, with a record that is a file for each message and state. */
#ifndef TESTS_KILLED_H
#define TESTS_KILLED_H

#include "tests/mailfilter/delivery.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum {
	MESSAGES = 4
};

struct run {
	/* What is in message i; its name is its number. */
	void (*fill)(struct message *message, unsigned i);
	unsigned kill_after, steps; /* 0: it comes to its end */
	rlim_t size_max; /* once it shows them, no file may grow over it, unless 0 */
	struct deliver *deliver;
	struct message *messages[MESSAGES]; /* NULL: done by an earlier run */
	bool there[MESSAGES];
};

static inline void step(struct run *run)
{
	if (++run->steps == run->kill_after)
		(void)raise(SIGKILL);
}

static inline void must(bool done)
{
	if (!done)
		_exit(1);
}

static inline void record_path(char path[static 128], const char *state, unsigned i)
{
	(void)snprintf(path, 128, "%s/%s.%u", top, state, i);
}

static inline bool recorded(const char *state, unsigned i)
{
	char path[128];

	record_path(path, state, i);
	return access(path, F_OK) == 0;
}

static inline void record(struct run *run, const char *state)
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		char path[128];

		record_path(path, state, i);
		if (run->messages[i])
			(void)close(open(path, O_WRONLY | O_CREAT, 0600));
	}
	step(run);
}

static inline int forget_recorded(void *arg, const char *name, struct err *err)
{
	struct run *run = arg;

	(void)err;
	if (recorded("done", (unsigned)(name[0] - '0')))
		run->deliver->ops->forget(run->deliver, name);
	return 0;
}

static inline void run_write(struct run *run)
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		const char name[2] = { (char)('0' + i), '\0' };
		int done;

		if (recorded("done", i))
			continue;
		run->messages[i] = a_message(name, "");
		run->messages[i]->repeat = recorded("intent", i);
		run->fill(run->messages[i], i);
		done = run->deliver->ops->write(run->deliver, run->messages[i], NULL);
		must(done >= 0);
		run->there[i] = done > 0;
		step(run);
	}
	must(run->deliver->ops->sync(run->deliver, NULL) == 0);
	step(run);
}

static inline void run_show(struct run *run)
{
	const struct rlimit limit = { run->size_max, run->size_max };

	/* A write that would go over it is cut short, and the next one kills. */
	if (run->size_max > 0) {
		(void)signal(SIGXFSZ, SIG_DFL);
		must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	}
	for (unsigned i = 0; i < MESSAGES; i++)
		if (run->messages[i] && !run->there[i]) {
			must(run->deliver->ops->show(
				     run->deliver, run->messages[i], NULL) == 0);
			step(run);
		}
	must(run->deliver->ops->shown(run->deliver, NULL) == 0);
	step(run);
}

static inline void work(struct run *run)
{
	must(deliver_open(&tools, &run->deliver, NULL) == 0);
	must(run->deliver->ops->leftovers(run->deliver, forget_recorded, run, NULL) == 0);
	run_write(run);
	record(run, "intent");
	run_show(run);
	record(run, "done");
	for (unsigned i = 0; i < MESSAGES; i++)
		if (run->messages[i]) {
			run->deliver->ops->forget(run->deliver, run->messages[i]->name);
			message_free(run->messages[i]);
		}
	run->deliver->ops->close(run->deliver);
}

/* In a process of its own. True: killed; false: it came to its end. */
static inline bool is_killed(struct run run)
{
	const struct rlimit no_core = { 0, 0 };
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		work(&run);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) &&
		(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXFSZ))
		return true;
	assert_int_equal(status, 0);
	return false;
}

#endif
