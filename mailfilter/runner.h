/* SPDX-License-Identifier: ISC
 *
 * Who runs an account's commands. A worker that talks to servers may not start programs (confine.h);
 * so before it gives that up it forks a runner, which talks to nobody else. The worker says which
 * command, never what it is: the runner has the settings, and runs those of this account alone. It
 * ends with the worker, however that ends, and takes with it what it was running. Without a runner
 * (outside of workers) commands are run by who asks. */
#ifndef MAILFILTER_RUNNER_H
#define MAILFILTER_RUNNER_H

#include "mailfilter/command.h"
#include "mailfilter/settings.h"

struct runner;

enum runner_command {
	RUNNER_PASSWORD,         /* password-command */
	RUNNER_DELIVER,          /* deliver-command */
	RUNNER_DELIVER_PASSWORD, /* deliver-password-command */
};

enum {
	RUNNER_OUTPUT_MAX = 16 * 1024, /* of a command that is run for what it prints */
	RUNNER_PASSWORD_MS = 30000,
	RUNNER_SLACK_MS = 5000, /* for its answer, beyond the command's own time */
};

/* Fork a runner, if the account has a command; else *runner_r is NULL. Its process has none of our
 * descriptors. The account must outlive it. */
int runner_start(const struct account_settings *account, struct runner **runner_r,
	struct err *err);

/* Waits for its end. */
void runner_stop(struct runner *runner);

/* Is its process no more, or of no use any more? Then only another worker has one. NULL: no. */
bool runner_is_gone(const struct runner *runner);

/* Run a command for what it prints, at most RUNNER_OUTPUT_MAX bytes, added to output; errors as
 * command_read. Reserve the room and wipe it if that is a secret. */
int runner_read(const struct account_settings *account, enum runner_command command,
	const struct stream_wait *wait, struct buf *output, struct err *err);

/* Give the message that can be read from input to deliver-command, with its envelope; as
 * command_give, with what that tells. */
struct runner_end {
	int status;
	char line[COMMAND_LINE_MAX];
};
int runner_give(const struct account_settings *account, int input, const char *sender,
	const struct stream_wait *wait, struct runner_end *end_r, struct err *err);

#endif
