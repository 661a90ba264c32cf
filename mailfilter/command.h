/* SPDX-License-Identifier: ISC
 *
 * A command that the settings name, run for what it prints or for what it does with a file: argv as
 * it stands, no shell, a small environment, no descriptor of ours but the first three, its own
 * process group, which is killed if it takes too long. The process has no other child of this pid
 * to mix it up with. */
#ifndef MAILFILTER_COMMAND_H
#define MAILFILTER_COMMAND_H

#include "common/buf.h"
#include "common/schema.h"

struct stream_wait;

enum {
	COMMAND_WORDS_MAX = 64,
	COMMAND_LINE_MAX = 200
};

struct command_task {
	const struct schema_list *argv;
	int input; /* its standard input, -1: nothing to read */
	const char *const
		*passed; /* names of our environment that it gets; NULL ends them */
	const char *const *extra; /* "NAME=value" besides; NULL ends them */
	const struct stream_wait *wait;
	int64_t timeout_ms;
};

/* Append its output, at most max bytes and what buf allows. Not done in time, more output, an exit
 * status but 0: ERR_ACCOUNT with its name, its status and the last line that it complained with, in
 * which what is not printable ASCII is a '?'. Not there: ERR_SETTINGS; no process or descriptor to be
 * had: ERR_AGAIN; we are to stop: the wait's own error. */
int command_read(
	const struct command_task *task, size_t max, struct buf *output, struct err *err);

/* Run it, with its output read and dropped but for the last line, likewise. 0: it ended, with
 * *status_r as of waitpid(2); 1: it did not in time, or we are to stop, and its group was killed; -1:
 * it could not be started, errors as above. */
int command_give(const struct command_task *task, int *status_r,
	char line[static COMMAND_LINE_MAX], struct err *err);

#endif
