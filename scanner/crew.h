/* SPDX-License-Identifier: ISC
 *
 * The workers of one engine host at work: forked in time, given jobs, believed or not,
 * retired, ended at their deadline. Their requests hear what became of them (request.h). */
#ifndef SCANNER_CREW_H
#define SCANNER_CREW_H

#include "scanner/host.h"

enum {
	CREW_START_MS = 60 * 1000, /* so long a worker's probe may take */
	CREW_GRACE_MS = 5000,      /* beyond scan_timeout_ms, until a worker is killed */
	CREW_END_MS = 2000, /* a worker that closed its socket has this long to be dead */
	CREW_REAP_MS = 10 * 1000 /* and the engine host so long to say that it is */
};

/* Ask for workers until so many are there; and, for a suspect that waits, for a fresh one. */
void crew_fill(struct host *host, size_t workers, bool need_fresh);

/* Have those that wait for work pass their self-test again when the last one is so long ago, one at a
 * time. Returns when the next is due, or -1. */
int64_t crew_probe(struct host *host, int64_t interval_ms);

/* How many jobs are in work? */
size_t crew_busy(const struct host *host);

/* Is one there to take this request? Give it; false: not now. */
bool crew_give(struct host *host, struct request *request);

/* A worker was forked, could not be, or has ended: messages of the host, in host->in. */
void crew_joined(struct host *host);
void crew_not_joined(struct host *host);
void crew_reaped(struct host *host);

/* Take what a worker sent. */
void crew_hear(struct host *host, struct worker *worker);

/* End what is past its deadline. Returns the next deadline, or -1. */
int64_t crew_deadlines(struct host *host);

/* The host is dead, and with it all its workers: their requests go back. */
void crew_lost(struct host *host);

#endif
