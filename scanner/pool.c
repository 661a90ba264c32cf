/* SPDX-License-Identifier: ISC */
#include "scanner/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"

int pool_init(struct pool *pool, size_t size, struct err *err)
{
	pool->workers = calloc(size, sizeof(*pool->workers));
	if (!pool->workers)
		return err_memory(err);
	pool->size = size;
	for (size_t i = 0; i < size; i++)
		pool->workers[i].fd = -1;
	return 0;
}

void pool_done(struct pool *pool)
{
	for (size_t i = 0; i < pool->size; i++)
		if (pool->workers[i].state != WORKER_NONE)
			(void)worker_remove(&pool->workers[i]);
	free(pool->workers);
	*pool = (struct pool){ 0 };
}

struct worker *pool_add(struct pool *pool, pid_t pid, int *fd, int64_t deadline)
{
	for (size_t i = 0; i < pool->size; i++) {
		struct worker *worker = &pool->workers[i];

		if (worker->state != WORKER_NONE)
			continue;
		*worker = (struct worker){ .state = WORKER_STARTING,
			.pid = pid,
			.fd = take_fd(fd),
			.deadline = deadline };
		buf_init(&worker->prefix, JOB_START_MAX);
		job_in_init(&worker->in, JOB_REPLY_MAX, false);
		return worker;
	}
	return NULL;
}

struct worker *pool_find(const struct pool *pool, pid_t pid)
{
	for (size_t i = 0; i < pool->size; i++)
		if (pool->workers[i].state != WORKER_NONE && pool->workers[i].pid == pid)
			return &pool->workers[i];
	return NULL;
}

size_t pool_count(const struct pool *pool, enum worker_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < pool->size; i++)
		count += pool->workers[i].state == state;
	return count;
}

bool worker_serves(const struct worker *worker)
{
	return worker->state == WORKER_IDLE || worker->state == WORKER_BUSY ||
	       (worker->state == WORKER_STARTING && worker->served);
}

size_t pool_able(const struct pool *pool)
{
	size_t count = 0;

	for (size_t i = 0; i < pool->size; i++)
		count += worker_serves(&pool->workers[i]);
	return count;
}

struct worker *pool_idle(const struct pool *pool, bool fresh)
{
	for (size_t i = 0; i < pool->size; i++)
		if (pool->workers[i].state == WORKER_IDLE &&
			(!fresh || pool->workers[i].jobs == 0))
			return &pool->workers[i];
	return NULL;
}

static enum job_type job_of(const struct request *request)
{
	if (request->verifying)
		return JOB_VERIFY;
	return request->is_tough ? JOB_CLEAN : JOB_SCAN;
}

int worker_give(
	struct worker *worker, struct request *request, int64_t deadline, struct err *err)
{
	struct span spans[2];

	assert(worker->state == WORKER_IDLE);
	if (request_bytes(request, &spans[1], err) < 0)
		return -1;
	buf_clear(&worker->prefix);
	if (job_scan_start(
		    request->quarantine_id, &request->allow, &worker->prefix, err) < 0)
		return -1;
	spans[0] = buf_span(&worker->prefix);
	job_out_start(&worker->out, job_of(request), request->level, spans, 2);
	/* At once, so that it works while we go on; what fails now fails again in worker_step. */
	worker->sending = job_out_step(&worker->out, worker->fd, NULL) <= 0;
	worker->request = request;
	worker->deadline = deadline;
	worker->jobs++;
	worker->state = WORKER_BUSY;
	return 0;
}

void worker_probe(struct worker *worker, int64_t deadline)
{
	assert(worker->state == WORKER_IDLE);
	job_out_start(&worker->out, JOB_PROBE, 0, NULL, 0);
	worker->sending = true;
	worker->deadline = deadline;
	worker->state = WORKER_STARTING;
}

/* One whole message came: does it fit the state? */
static enum worker_event understand(struct worker *worker, struct err *err)
{
	uint32_t type = worker->in.head.type;

	if (type == JOB_FAILED && worker->state != WORKER_IDLE) {
		(void)err_set(err, worker->in.head.level > 0 ? ERR_FATAL : ERR_AGAIN,
			"%.*s", (int)worker->in.payload.len,
			(const char *)worker->in.payload.data);
		return WORKER_FAILED;
	}
	if (type == JOB_READY && worker->state == WORKER_STARTING && !worker->sending) {
		worker->served = true;
		worker->proved_at = clock_ms();
		worker->state = WORKER_IDLE;
		worker->deadline = -1;
		return WORKER_READY;
	}
	if (type == JOB_VERDICT && worker->state == WORKER_BUSY && !worker->sending) {
		worker->state = WORKER_IDLE;
		worker->deadline = -1;
		return WORKER_ANSWER;
	}
	(void)err_set(err, ERR_MESSAGE, "it sent what may not be now (type %u)", type);
	return WORKER_LOST;
}

enum worker_event worker_step(struct worker *worker, struct err *err)
{
	struct err send_err = { 0 };
	int sent = 0, got;

	if (worker->sending)
		sent = job_out_step(&worker->out, worker->fd, &send_err);
	if (sent > 0)
		worker->sending = false;
	/* What it said before it died comes first. */
	got = job_in_step(&worker->in, worker->fd, err);
	if (got > 0)
		return understand(worker, err);
	if (got == 0 && sent < 0)
		got = err_set(err, send_err.kind, "%s", send_err.text);
	return got < 0 ? WORKER_LOST : WORKER_NOTHING;
}

struct request *worker_remove(struct worker *worker)
{
	struct request *request = worker->request;

	if (worker->fd >= 0)
		(void)close(worker->fd);
	buf_done(&worker->prefix);
	job_in_done(&worker->in);
	*worker = (struct worker){ .fd = -1 };
	return request;
}

void worker_close(struct worker *worker, int64_t deadline)
{
	if (worker->fd >= 0)
		(void)close(take_fd(&worker->fd));
	worker->watched = 0; /* closed, it is waited for no more */
	worker->sending = false;
	worker->deadline = deadline;
	worker->state = WORKER_ENDING;
}
