/* SPDX-License-Identifier: ISC
 *
 * The two walls of the sandbox, each behind a kernel interface of its own: which system calls
 * (seccomp), and which files (Landlock). Both hold for the calling process and all it starts, and
 * cannot be taken down again. */
#ifndef SCANNER_SANDBOX_INSIDE_H
#define SCANNER_SANDBOX_INSIDE_H

#include <stdbool.h>

#include "common/err.h"

/* Is the filter of system calls part of this build? The sanitizers' own calls are not on the list:
 * a build with one of them does without. So does one with -DSANDBOX_UNFILTERED, for valgrind. */
bool sandbox_has_filter(void);

/* Does the kernel know Landlock, and let us use it? */
bool sandbox_has_paths(void);

/* For a worker: only what a scan needs; anything else kills the process with SIGSYS, but for a few
 * calls that libraries make in vain, which fail. */
int sandbox_filter_worker(struct err *err);

/* For the engine host, which still forks and loads: no network, no other program. */
int sandbox_filter_host(struct err *err);

/* Files below dir may be made, read, changed and removed, all others not even opened; no TCP port,
 * no signal and no abstract socket of others, as far as the kernel knows how. A kernel without
 * Landlock: nothing happens, and it is no error. */
int sandbox_confine(const char *dir, struct err *err);

#endif
