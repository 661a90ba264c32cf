/* SPDX-License-Identifier: ISC
 *
 * What a worker gives up before its first byte of mail: descriptors, capabilities, core dumps,
 * memory, files and processor time beyond what one message may need, all files outside its temp
 * folder, and every system call that a scan does not make (network, other programs and processes
 * above all). What is loaded when needed (charsets, time zone) must be loaded before. */
#ifndef SCANNER_SANDBOX_H
#define SCANNER_SANDBOX_H

#include "scanner/settings.h"

/* Called once in a fresh worker, which is killed when its parent ends from now on. keep_fd stays
 * open, and 2; 0 and 1 become /dev/null. temp_dir exists, and is all it may open. ERR_FATAL: the
 * worker must not serve. */
int sandbox_enter(const struct settings *settings, int keep_fd, const char *temp_dir,
	struct err *err);

/* Called once in the engine host, for itself and its workers: no network, no other program. */
int sandbox_enter_host(struct err *err);

/* In a worker: does the kernel say that it is shut in? Others may not see it in /proc. ERR_AGAIN: no, and
 * it must not serve. */
int sandbox_confirm(struct err *err);

/* Before each job: its processor time starts now, SIGXCPU ends the worker past it. */
int sandbox_begin_job(const struct settings *settings, struct err *err);

/* What of all this is missing here, as a sentence; "" if nothing is. */
const char *sandbox_missing(void);

#endif
