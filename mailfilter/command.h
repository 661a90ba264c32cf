/* SPDX-License-Identifier: ISC
 *
 * A command that the settings name, run for what it prints: argv as it stands, no shell, nothing
 * to read, a small environment, its own process group, which is killed if it takes too long or
 * prints too much. Blocks; the process has no other child of this pid to mix it up with. */
#ifndef MAILFILTER_COMMAND_H
#define MAILFILTER_COMMAND_H

#include "common/buf.h"
#include "common/schema.h"

enum {
	COMMAND_WORDS_MAX = 64
};

/* Append its output, at most max bytes and what buf allows. Not found, not done within
 * timeout_ms, more output, an exit status but 0: ERR_ACCOUNT with its name; no process or
 * descriptor to be had: ERR_AGAIN. Its error output is ours. */
int command_read(const struct schema_list *argv, size_t max, int timeout_ms,
	struct buf *output, struct err *err);

#endif
