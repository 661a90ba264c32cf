/* SPDX-License-Identifier: ISC
 *
 * The sweep as the parent sees it: a walker, which is a process of its own (sweep.h), and the one worker
 * it has, forked by the engine host that serves. The parent brings the two together, says when mail is in
 * the way, and ends the worker when told; it sees no byte of a file. Nothing here waits. */
#ifndef SCANNER_SWEEPER_H
#define SCANNER_SWEEPER_H

#include "common/swept.h"

#include "scanner/hosts.h"
#include "scanner/queue.h"

enum {
	SWEEPER_CALM_MS = 300, /* without mail, before the sweep goes on */
	SWEEPER_RESTART_MS = 1000,
	SWEEPER_RESTART_MAX_MS = 60 * 1000
};

/* How much mail is in the way. */
enum sweeper_way {
	SWEEPER_FREE,
	SWEEPER_MAIL, /* begin no scan */
	SWEEPER_ALONE /* what is here needs all memory and temp space: end the worker, too */
};

struct sweeper {
	const struct settings *settings;
	pid_t walker; /* 0: none */
	int control;
	struct job_in in;
	struct host *host; /* that was asked for the worker, or has it; or NULL */
	bool handed;       /* it is the walker's */
	bool wants;        /* the walker waits for one */
	bool goes;         /* it was told so, with: */
	struct hash digest;
	int64_t busy_at; /* clock_ms(): when mail was last in the way */
	int64_t started, start_after;
	unsigned deaths;    /* in a row */
	struct swept swept; /* as a walker last told; its bounds are checked */
};

void sweeper_init(struct sweeper *sweeper, const struct settings *settings);
void sweeper_done(struct sweeper *sweeper);

/* How much of it is in these requests? Stopping is as all of it. */
enum sweeper_way sweeper_way(const struct queue *queue, bool stopping);

/* Start, hear, tell. Returns when to come again, clock_ms(), or -1. */
int64_t sweeper_turn(struct sweeper *sweeper, struct hosts *hosts, enum sweeper_way way);

/* Readable when the walker has something to say; -1: there is none. */
int sweeper_fd(const struct sweeper *sweeper);

/* After SIGCHLD. A walker that ended on its own is counted. */
void sweeper_reap(struct sweeper *sweeper, struct hosts *hosts);

#endif
