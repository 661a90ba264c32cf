/* SPDX-License-Identifier: ISC
 *
 * What a worker gives up before its first byte: descriptors, core dumps, new privileges, and more
 * memory, files and processor time than one message may need. */
#ifndef SCANNER_SANDBOX_H
#define SCANNER_SANDBOX_H

#include "scanner/settings.h"

/* Called once in a fresh worker, which is killed when its parent ends from now on. keep_fd stays
 * open, and 2; 0 and 1 become /dev/null. ERR_FATAL: the worker must not serve. */
int sandbox_enter(const struct settings *settings, int keep_fd, struct err *err);

/* Before each job: its processor time starts now, SIGXCPU ends the worker past it. */
int sandbox_begin_job(const struct settings *settings, struct err *err);

#endif
