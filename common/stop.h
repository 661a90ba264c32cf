/* SPDX-License-Identifier: ISC
 *
 * Signals, read in one place. After stop_start they are blocked and arrive on a signalfd, so
 * call it before any thread or ZeroMQ context exists; children inherit the mask. */
#ifndef COMMON_STOP_H
#define COMMON_STOP_H

#include "common/err.h"

/* Block SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGCHLD, ignore SIGPIPE and SIGXFSZ (both are errors of a write); their fd in *fd_r. */
int stop_start(int *fd_r, struct err *err);

/* The next signal waiting on the fd, or 0. */
int stop_next(int fd);

/* In a child that will exec: unblock and reset what stop_start changed. */
void stop_reset(void);

#endif
