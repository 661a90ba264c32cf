/* SPDX-License-Identifier: ISC
 *
 * The walker's worker, as the walker sees it: asked for, given one open file at a time, believed if
 * what it says has the right form, ended at a deadline and after anything but a clean file. It
 * runs on nobody's word: how it died comes from the parent. Nothing here waits. */
#ifndef SCANNER_SWEEP_PAIR_H
#define SCANNER_SWEEP_PAIR_H

#include <poll.h>

#include "scanner/settings.h"
#include "scanner/sweep_worker.h"

enum {
	SWEEP_TRIES_MAX = 2, /* workers that one file may crash or hold up */
	SWEEP_LOST_MAX = 5,  /* killed under it from outside, or short of something */
	/* At this priority little of it may be the worker's own; its processor time is what counts, and is
	 * limited in the worker (sandbox.h). */
	SWEEP_PATIENCE = 10, /* times scan-timeout */
	SWEEP_PAIR_FDS = 2
};

enum sweep_event {
	SWEEP_NOTHING,
	SWEEP_ANSWERED, /* pair->answer is on the file; also for one that crashed or hung too often */
	SWEEP_AGAIN /* the file has none: give it again */
};

struct sweep_pair {
	const struct settings *settings;
	struct job_in control; /* of the parent */
	bool goes;             /* the parent says so */
	bool known;            /* signatures, once it has said which */
	struct hash digest;
	bool asked;
	int64_t ask_after; /* clock_ms() */
	pid_t pid;         /* 0: none */
	int fd;            /* -1: it is ending */
	bool ready, served, busy, late;
	struct hash its; /* digest of its signatures */
	struct job_in in;
	uint64_t jobs;
	int64_t deadline; /* of the scan; -1 while it does not count */
	unsigned tries, lost;
	struct sweep_answer answer;
	char why[JOB_TEXT_MAX]; /* there is no worker that serves, or "" */
};

void sweep_pair_init(struct sweep_pair *pair, const struct settings *settings);
void sweep_pair_done(struct sweep_pair *pair);

/* What it waits for. Returns how many are filled. */
size_t sweep_pair_poll(
	const struct sweep_pair *pair, struct pollfd fds_r[static SWEEP_PAIR_FDS]);

/* Take what came, see to deadlines, ask for a worker where one is wanted. -1: the parent is gone, or
 * what it says is wrong. */
int sweep_pair_turn(
	struct sweep_pair *pair, bool wanted, enum sweep_event *event_r, struct err *err);

/* May a file be given? */
bool sweep_pair_is_free(const struct sweep_pair *pair);

/* Scan this; fd stays the caller's. again: the one before had no answer. */
void sweep_pair_give(struct sweep_pair *pair, int fd, bool is_mail, bool again);

#endif
