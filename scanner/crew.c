/* SPDX-License-Identifier: ISC */
#include "scanner/crew.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"

#include "scanner/memory.h"
#include "scanner/temp.h"

enum {
	FORK_ANSWER_MS = 30 * 1000,
	BACKOFF_MAX_MS = 60 * 1000,
	BACKOFF_MIN_MS = 500,
	START_BYTES = 4 * 1024 * 1024 /* of temp space, to start in */
};

size_t crew_busy(const struct host *host)
{
	size_t busy = 0;

	/* One that is ending may have left its request to be given back. */
	for (size_t i = 0; i < host->pool.size; i++)
		busy += host->pool.workers[i].request != NULL;
	return busy;
}

static size_t alive(const struct host *host)
{
	return pool_count(&host->pool, WORKER_STARTING) +
	       pool_count(&host->pool, WORKER_IDLE) +
	       pool_count(&host->pool, WORKER_BUSY);
}

/* Its end is ordered, and its place kept until it is reaped. */
static void retire(struct host *host, struct worker *worker)
{
	worker_close(worker, clock_ms() + CREW_REAP_MS);
	worker->killed = true;
	host_order(host, HOST_KILL, worker->pid);
}

/* It sent what a worker does not send: whatever runs there may not be ours any more. */
static void end_wrong(struct host *host, struct worker *worker, const char *why)
{
	log_warning("worker=%d: %s: it is replaced", (int)worker->pid, why);
	worker->killed_wrong = true;
	retire(host, worker);
}

/* A worker could not start: wait longer each time. Short of temp space none can, whatever its
 * signatures are, and all can once there is some. */
static void failed(struct host *host, const char *why)
{
	bool full = temp_has_room(host->settings->temp_dir, START_BYTES, NULL) < 0;
	int64_t wait = BACKOFF_MIN_MS;

	for (unsigned i = 0; !full && i < host->failures && wait < BACKOFF_MAX_MS; i++)
		wait *= 2;
	if (strcmp(host->trouble, why) != 0)
		log_error("a worker cannot serve: %s", why);
	(void)snprintf(host->trouble, sizeof(host->trouble), "%s", why);
	host->failures += full ? 0 : 1;
	host->fork_after = clock_ms() + (wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS);
}

static void test_failed(struct host *host, const char *why)
{
	host->test.failed_at = clock_ms();
	(void)snprintf(host->test.why, sizeof(host->test.why), "%s", why);
}

/* What had served is replaced at once; if it lied, what it called clean may not be. */
static void disproved(
	struct host *host, const struct worker *worker, const char *why, bool wrong)
{
	test_failed(host, why);
	if (!worker->served) {
		failed(host, why);
		return;
	}
	if (wrong)
		host->test.wrong_at = host->test.failed_at;
	log_error("worker=%d: %s: it is replaced", (int)worker->pid, why);
}

int64_t crew_probe(struct host *host, int64_t interval_ms)
{
	struct worker *oldest = NULL;
	int64_t due;

	if (host->state != HOST_SERVING ||
		pool_count(&host->pool, WORKER_STARTING) + host->forks > 0)
		return -1; /* it says so when it is done */
	for (size_t i = 0; i < host->pool.size; i++) {
		struct worker *worker = &host->pool.workers[i];

		if (worker->state == WORKER_IDLE &&
			(!oldest || worker->proved_at < oldest->proved_at))
			oldest = worker;
	}
	if (!oldest)
		return -1;
	due = oldest->proved_at + interval_ms;
	if (due <= clock_ms())
		worker_probe(oldest, clock_ms() + CREW_START_MS);
	return due <= clock_ms() ? -1 : due;
}

void crew_fill(struct host *host, size_t workers, bool need_fresh)
{
	struct worker *stale;

	if (host->state != HOST_SERVING)
		return;
	stale = need_fresh ? pool_idle(&host->pool, false) : NULL;
	if (stale && !pool_idle(&host->pool, true) &&
		pool_count(&host->pool, WORKER_STARTING) + host->forks == 0)
		retire(host, stale);
	if (clock_ms() < host->fork_after)
		return;
	while (alive(host) + host->forks < workers &&
		pool_count(&host->pool, WORKER_NONE) > host->forks) {
		host->forks++;
		host->forks_deadline = clock_ms() + FORK_ANSWER_MS;
		host_order(host, HOST_FORK, 0);
		/* One at a time while they fail. */
		if (host->failures > 0 || host->state != HOST_SERVING)
			break;
	}
}

bool crew_give(struct host *host, struct request *request)
{
	struct worker *worker = pool_idle(&host->pool, request_is_suspect(request));
	int64_t deadline = clock_ms() + host->settings->scan_timeout_ms + CREW_GRACE_MS;
	struct err err = { 0 };

	if (!worker)
		return false;
	request_begin(request, host->generation);
	request->worker = worker->pid;
	if (worker_give(worker, request, deadline, &err) < 0)
		request_hold(request, err.text);
	return true;
}

/* Not ours: its socket is handed on. */
static void sweeper_joined(struct host *host, const struct job_worker *forked)
{
	if (!host->sweeper.asked || forked->pid <= 0) {
		host_order(host, HOST_KILL, forked->pid);
		return;
	}
	host->sweeper.asked = false;
	host->sweeper.pid = forked->pid;
	host->sweeper.fd = take_fd(&host->in.fd);
}

void crew_joined(struct host *host)
{
	struct job_worker forked;

	memcpy(&forked, host->in.payload.data, sizeof(forked));
	if (forked.status != 0) {
		sweeper_joined(host, &forked);
		return;
	}
	if (host->forks > 0)
		host->forks--;
	/* Twice, or without a place: not one that we asked for. */
	if (forked.pid <= 0 || pool_find(&host->pool, forked.pid) ||
		!pool_add(&host->pool, forked.pid, &host->in.fd,
			clock_ms() + CREW_START_MS))
		host_order(host, HOST_KILL, forked.pid);
	else
		host->counts[HEALTH_WORKERS]++;
}

void crew_not_joined(struct host *host)
{
	char why[JOB_TEXT_MAX];

	if (host->forks > 0)
		host->forks--;
	(void)snprintf(why, sizeof(why), "%.*s", (int)host->in.payload.len,
		(const char *)host->in.payload.data);
	failed(host, why);
}

/* What the wait status, and what we did ourselves, say of the message that was in work. */
static enum request_death judge(
	struct host *host, const struct worker *worker, int status)
{
	if (worker->killed_late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
		return DEATH_TIMEOUT;
	if (worker->killed_wrong || WIFEXITED(status))
		return DEATH_CRASH;
	switch (WTERMSIG(status)) {
	case SIGSEGV:
	case SIGABRT:
	case SIGBUS:
	case SIGSYS:
	case SIGXFSZ:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
		return DEATH_CRASH;
	case SIGKILL:
		return memory_ran_out(&host->oom_kills) ? DEATH_MEMORY : DEATH_KILLED;
	default:
		return DEATH_KILLED;
	}
}

/* Its request goes back, and what is told of us knows why. */
static void worker_died(
	struct host *host, const struct worker *worker, enum request_death death)
{
	static const enum health_count counts[] = { [DEATH_CRASH] = HEALTH_CRASHES,
		[DEATH_TIMEOUT] = HEALTH_LATE,
		[DEATH_MEMORY] = HEALTH_KILLED,
		[DEATH_KILLED] = HEALTH_KILLED };

	host->counts[counts[death]]++;
	if (!worker->request)
		return;
	request_worker_died(worker->request, death);
	host->counts[HEALTH_AGAIN] += worker->request->stage == REQUEST_WAITING;
}

void crew_reaped(struct host *host)
{
	char how[JOB_TEXT_MAX];
	struct job_worker ended;
	struct request *request;
	struct worker *worker;
	bool early;

	memcpy(&ended, host->in.payload.data, sizeof(ended));
	if (ended.pid > 0 && ended.pid == host->sweeper.pid) {
		host_sweeper_ended(host, ended.status);
		return;
	}
	worker = pool_find(&host->pool, ended.pid);
	if (!worker)
		return;
	/* What it still said counts: it may have answered before it died. */
	if (worker->fd >= 0)
		crew_hear(host, worker);
	(void)host_status_text(ended.status, how);
	early = !worker->served && !worker->killed;
	if (!worker->killed || worker->request)
		log_warning("worker=%d ended: %s%s", (int)ended.pid, how,
			worker->request ? " during a scan" : "");
	/* One that was retired did nothing wrong. */
	if (!worker->killed || worker->killed_late || worker->killed_wrong ||
		worker->request)
		worker_died(host, worker, judge(host, worker, ended.status));
	request = worker_remove(worker);
	if (early) {
		test_failed(host, how);
		failed(host, how);
	}
	if (request && request->stage == REQUEST_WAITING)
		log_info(
			"size=%ju tries=%u shortages=%u kills=%u: it is scanned again by a fresh "
			"worker",
			(uintmax_t)request->size, request->tries, request->shortages,
			request->kills);
}

/* A verdict came. Believed, it is the request's; else the worker is what is wrong. */
static void answered(struct host *host, struct worker *worker)
{
	struct request *request = worker->request;
	struct verdict verdict = { 0 };
	struct err err = { 0 };
	bool clean;

	if (wire_decode_verdict(buf_span(&worker->in.payload), &verdict, &err) == 0) {
		clean = verdict.kind == VERDICT_CLEAN;
		if (request_answer(request, &verdict, &err) == 0) {
			worker->request = NULL;
			host->served = true;
			/* Nothing that saw a virus lives on. */
			if (!clean || worker->jobs >= host->settings->worker_jobs)
				retire(host, worker);
			return;
		}
	}
	verdict_done(&verdict);
	end_wrong(host, worker, err.text);
}

void crew_hear(struct host *host, struct worker *worker)
{
	struct err err = { 0 };

	switch (worker_step(worker, &err)) {
	case WORKER_NOTHING:
		break;
	case WORKER_READY:
		host->test.passed_at = worker->proved_at;
		log_debug("worker=%d is ready", (int)worker->pid);
		host->failures = 0;
		host->trouble[0] = '\0';
		break;
	case WORKER_FAILED:
		if (worker->state == WORKER_STARTING) {
			disproved(host, worker, err.text, err.kind == ERR_FATAL);
			retire(host, worker);
		} else {
			end_wrong(host, worker, err.text);
		}
		break;
	case WORKER_ANSWER:
		answered(host, worker);
		break;
	case WORKER_LOST:
		/* Closed: its wait status will say why. */
		if (err.kind == ERR_SESSION)
			worker_close(worker, clock_ms() + CREW_END_MS);
		else
			end_wrong(host, worker, err.text);
		break;
	}
}

static void too_late(struct host *host, struct worker *worker)
{
	switch (worker->state) {
	case WORKER_NONE:
	case WORKER_IDLE:
		return;
	case WORKER_STARTING:
		disproved(host, worker, "its self-test did not end in time", false);
		retire(host, worker);
		return;
	case WORKER_BUSY:
		worker->killed_late = true;
		retire(host, worker);
		return;
	case WORKER_ENDING:
		if (worker->killed) {
			log_error("worker=%d was not reaped: the engine host is replaced",
				(int)worker->pid);
			host_kill(host);
			return;
		}
		end_wrong(host, worker, "it closed its socket and lives on");
		return;
	}
}

int64_t crew_deadlines(struct host *host)
{
	int64_t now = clock_ms(), next = -1;

	for (size_t i = 0; i < host->pool.size; i++) {
		struct worker *worker = &host->pool.workers[i];

		if (worker->state == WORKER_NONE || worker->deadline < 0)
			continue;
		if (worker->deadline <= now && host->state != HOST_ENDING)
			too_late(host, worker);
		if (worker->deadline >= 0 && (next < 0 || worker->deadline < next))
			next = worker->deadline;
	}
	if (host->forks > 0 && host->forks_deadline <= now &&
		host->state != HOST_ENDING) {
		log_error("the engine host starts no workers: it is replaced");
		host_kill(host);
	}
	return next;
}

void crew_lost(struct host *host)
{
	enum request_death death =
		memory_ran_out(&host->oom_kills) ? DEATH_MEMORY : DEATH_KILLED;

	for (size_t i = 0; i < host->pool.size; i++) {
		struct worker *worker = &host->pool.workers[i];

		if (worker->request ||
			(worker->state != WORKER_NONE && !worker->killed && !host->told))
			worker_died(host, worker, death);
		if (worker->state != WORKER_NONE)
			(void)worker_remove(worker);
	}
}
