/* SPDX-License-Identifier: ISC
 *
 * A program started beside us: argv as it stands, no shell, an environment of the caller's, no
 * descriptor of ours but the first three, its own process group, its signals as at login. For
 * command.c. */
#ifndef MAILFILTER_PROGRAM_H
#define MAILFILTER_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

struct program {
	const char *name;
	pid_t pid; /* -1: none, or reaped */
	int pidfd;
	int out;    /* what it prints, without blocking; -1 at its end */
	int errors; /* what it complains of, likewise; -1: that is in out */
};

/* input -1: nothing to read. apart: its complaints are not put among what it prints. Not there, not to
 * be run: ERR_SETTINGS; no process or descriptor to be had: ERR_AGAIN. On failure there may still be
 * something to release. */
int program_start(struct program *program, char *const *argv, char *const *environment,
	int input, bool apart, struct err *err);

/* Has it ended? Does not wait. */
bool program_has_ended(const struct program *program);

/* Wait for its end; status_r as of waitpid(2). */
int program_reap(struct program *program, int *status_r, struct err *err);

/* Whatever happened: nothing of it is left. */
void program_done(struct program *program);

#define PROGRAM_NONE                                                                     \
	{                                                                                \
		.name = "", .pid = -1, .pidfd = -1, .out = -1, .errors = -1              \
	}

#endif
