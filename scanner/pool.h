/* SPDX-License-Identifier: ISC
 *
 * The workers of one engine host, as the parent sees them: a socket, at most one job, a
 * deadline. Nothing here waits. A worker is not trusted: whatever it sends at the wrong time
 * or in the wrong form makes it LOST, and the caller has it killed. */
#ifndef SCANNER_POOL_H
#define SCANNER_POOL_H

#include "scanner/job.h"
#include "scanner/request.h"

enum worker_state {
	WORKER_NONE,     /* a free place */
	WORKER_STARTING, /* probing its engine, for the first time or again */
	WORKER_IDLE,
	WORKER_BUSY,
	WORKER_ENDING /* to be killed or dead, not reaped yet */
};

struct worker {
	enum worker_state state;
	pid_t pid;
	int fd;
	bool served;             /* it said that it is ready */
	int64_t proved_at;       /* it last said so */
	uint64_t jobs;           /* taken so far */
	int64_t deadline;        /* of the present state, clock_ms(), or -1 */
	bool killed;             /* by us: the order is out */
	bool killed_late;        /* for its deadline */
	bool killed_wrong;       /* for what it sent */
	struct request *request; /* borrowed: in work, also while it is ENDING */
	uint32_t watched;        /* epoll(7) events that are waited for, 0: not yet */
	bool sending;
	struct buf prefix;
	struct job_out out;
	struct job_in in;
};

struct pool {
	struct worker *workers;
	size_t size;
};

enum worker_event {
	WORKER_NOTHING,
	WORKER_READY, /* it may take its first job */
	WORKER_FAILED, /* it says that it cannot serve: text in err; ERR_FATAL: it would lie */
	WORKER_ANSWER, /* the payload of a verdict is in worker->in */
	WORKER_LOST    /* closed, or sent what may not be: why in err */
};

int pool_init(struct pool *pool, size_t size, struct err *err);
void pool_done(struct pool *pool);

/* A worker that was forked; takes fd over. NULL: no place. */
struct worker *pool_add(struct pool *pool, pid_t pid, int *fd, int64_t deadline);
struct worker *pool_find(const struct pool *pool, pid_t pid);
size_t pool_count(const struct pool *pool, enum worker_state state);

/* Those that serve, one that passes its self-test again included. */
bool worker_serves(const struct worker *worker);
size_t pool_able(const struct pool *pool);

/* An idle worker, if there is one; a fresh one has had no job. */
struct worker *pool_idle(const struct pool *pool, bool fresh);

/* Hand the request's job to an idle worker. The request is BUSY's until it is taken back. */
int worker_give(struct worker *worker, struct request *request, int64_t deadline,
	struct err *err);

/* Have an idle worker pass its self-test again. */
void worker_probe(struct worker *worker, int64_t deadline);

/* Send and receive what can be without waiting. */
enum worker_event worker_step(struct worker *worker, struct err *err);

/* Its place becomes free; the request is given back, or NULL. */
struct request *worker_remove(struct worker *worker);

/* Close its socket, which tells it to end; it holds its place until it is reaped. */
void worker_close(struct worker *worker, int64_t deadline);

#endif
