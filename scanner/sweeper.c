/* SPDX-License-Identifier: ISC */
#include "scanner/sweeper.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#include "scanner/deadline.h"
#include "scanner/role.h"
#include "scanner/sweep_worker.h"

void sweeper_init(struct sweeper *sweeper, const struct settings *settings)
{
	*sweeper = (struct sweeper){ .settings = settings, .control = -1 };
	sweeper->busy_at = -SWEEPER_CALM_MS;
	sweeper->swept.on = settings->sweep.count > 0;
}

/* The worker's end is ordered; it is told of when it is reaped. */
static void retire(const struct sweeper *sweeper)
{
	if (sweeper->host)
		host_sweeper_kill(sweeper->host);
}

/* Its worker goes with it. */
static void lose_walker(struct sweeper *sweeper)
{
	retire(sweeper);
	if (sweeper->control < 0)
		return;
	(void)close(take_fd(&sweeper->control));
	job_in_done(&sweeper->in);
	sweeper->wants = sweeper->goes = false;
}

void sweeper_done(struct sweeper *sweeper)
{
	lose_walker(sweeper);
	if (sweeper->walker <= 0)
		return;
	/* It stands on disks of others, which may not answer. */
	role_end(sweeper->walker, 0);
	sweeper->walker = 0;
}

/* Whoever does not take what it is told, or says what may not be, is replaced. */
static void end_walker(struct sweeper *sweeper, const char *why)
{
	log_warning("sweep: %s: its walker is replaced", why);
	if (sweeper->walker > 0)
		(void)kill(sweeper->walker, SIGKILL);
	lose_walker(sweeper);
}

static void tell(struct sweeper *sweeper, enum job_type type, const void *payload,
	size_t len, int passed)
{
	struct err err = { 0 };

	if (sweeper->control >= 0 &&
		job_post(sweeper->control, type, 0, (struct span){ payload, len }, passed,
			&err) < 0)
		end_walker(sweeper, err.text);
}

static int start_walker(struct sweeper *sweeper, struct err *err)
{
	auto_close int near = -1, far = -1;
	int fds[2];

	if (job_socketpair(fds, err) < 0)
		return -1;
	near = fds[0];
	far = fds[1];
	if (role_start("--sweep-walker", sweeper->settings->path, far, &sweeper->walker,
		    err) < 0)
		return -1;
	sweeper->control = take_fd(&near);
	return 0;
}

static void start(struct sweeper *sweeper)
{
	struct err err = { 0 };

	sweeper->started = clock_ms();
	if (start_walker(sweeper, &err) < 0) {
		log_warning("sweep: %s", err.text);
		(void)snprintf(sweeper->swept.trouble, sizeof(sweeper->swept.trouble),
			"%.255s", err.text);
		sweeper->walker = 0;
		sweeper->start_after = clock_ms() + SWEEPER_RESTART_MAX_MS;
		return;
	}
	job_in_init(&sweeper->in, sizeof(struct swept), false);
}

/* What it did so far, or why it does not. */
static bool take_told(struct sweeper *sweeper)
{
	const struct job_in *in = &sweeper->in;
	struct swept swept;

	if (in->head.type != SWEEP_TOLD || in->payload.len != sizeof(swept))
		return false;
	memcpy(&swept, in->payload.data, sizeof(swept));
	if (!swept_is_sound(&swept))
		return false;
	swept.on = true;
	sweeper->swept = swept;
	return true;
}

static void hear(struct sweeper *sweeper)
{
	struct err err = { 0 };
	int got = 0;

	while (sweeper->control >= 0 &&
		(got = job_in_step(&sweeper->in, sweeper->control, &err)) > 0) {
		if (sweeper->in.head.type == SWEEP_WANT)
			sweeper->wants = true;
		else if (sweeper->in.head.type == SWEEP_RETIRE)
			retire(sweeper);
		else if (!take_told(sweeper))
			end_walker(sweeper, "it sent what may not be");
	}
	if (got < 0 && err.kind != ERR_SESSION)
		end_walker(sweeper, err.text);
	else if (got < 0)
		lose_walker(sweeper);
}

void sweeper_reap(struct sweeper *sweeper, struct hosts *hosts)
{
	int64_t wait = SWEEPER_RESTART_MS;
	char how[JOB_TEXT_MAX];
	int status;

	if (sweeper->walker <= 0 ||
		waitpid(sweeper->walker, &status, WNOHANG) != sweeper->walker)
		return;
	log_warning("sweep: its walker ended: %s", host_status_text(status, how));
	hosts->counts[HEALTH_SWEEP]++;
	sweeper->walker = 0;
	/* It may have said why. */
	hear(sweeper);
	lose_walker(sweeper);
	if (clock_ms() - sweeper->started > SWEEPER_RESTART_MAX_MS)
		sweeper->deaths = 0;
	for (unsigned i = 0; i < sweeper->deaths && wait < SWEEPER_RESTART_MAX_MS; i++)
		wait *= 2;
	sweeper->deaths++;
	sweeper->start_after =
		clock_ms() +
		(wait < SWEEPER_RESTART_MAX_MS ? wait : SWEEPER_RESTART_MAX_MS);
}

int sweeper_fd(const struct sweeper *sweeper)
{
	return sweeper->control;
}

static void hand_on(struct sweeper *sweeper)
{
	struct host *host = sweeper->host;
	struct sweep_worker worker = { .pid = host->sweeper.pid,
		.digest = host->loaded.digest };

	sweeper->wants = false;
	sweeper->handed = true;
	tell(sweeper, SWEEP_WORKER, &worker, sizeof(worker), host->sweeper.fd);
	(void)close(take_fd(&host->sweeper.fd));
}

/* What became of the worker. */
static void look_after(struct sweeper *sweeper)
{
	struct host *host = sweeper->host;
	struct job_worker ended = { 0 };

	if (!host || (host->sweeper.asked && host->state == HOST_SERVING))
		return;
	if (host->sweeper.pid > 0 && !host->sweeper.ended) {
		if (sweeper->control >= 0 && host->sweeper.fd >= 0)
			hand_on(sweeper);
		/* A host of signatures that are old drains; it must not wait for a file. */
		if (host->state != HOST_SERVING)
			retire(sweeper);
		return;
	}
	/* Not handed on yet, or gone with its host: the walker asks again. */
	if (sweeper->handed && host->sweeper.pid > 0)
		ended = (struct job_worker){ host->sweeper.pid, host->sweeper.status };
	if (host->sweeper.why[0] != '\0')
		tell(sweeper, SWEEP_NO_WORKER, host->sweeper.why,
			strlen(host->sweeper.why), -1);
	else
		tell(sweeper, SWEEP_ENDED, &ended, sizeof(ended), -1);
	host_sweeper_done(host);
	sweeper->host = NULL;
	sweeper->handed = sweeper->wants = false;
}

static void say_when(struct sweeper *sweeper, const struct host *host, bool free)
{
	bool go = free && host;

	if (go &&
		(!sweeper->goes || !hash_equal(&sweeper->digest, &host->loaded.digest))) {
		sweeper->digest = host->loaded.digest;
		tell(sweeper, SWEEP_GO, &sweeper->digest, sizeof(sweeper->digest), -1);
	} else if (!go && sweeper->goes) {
		tell(sweeper, SWEEP_PAUSE, NULL, 0, -1);
	}
	sweeper->goes = go && sweeper->control >= 0;
}

enum sweeper_way sweeper_way(const struct queue *queue, bool stopping)
{
	enum sweeper_way way = stopping ? SWEEPER_ALONE : SWEEPER_FREE;

	for (const struct request *at = queue->first; at; at = at->next) {
		if (at->stage == REQUEST_DONE)
			continue;
		if (request_is_alone(at))
			return SWEEPER_ALONE;
		way = stopping ? SWEEPER_ALONE : SWEEPER_MAIL;
	}
	return way;
}

int64_t sweeper_turn(struct sweeper *sweeper, struct hosts *hosts, enum sweeper_way way)
{
	struct host *host = hosts->serving;
	int64_t now = clock_ms();
	bool free;

	if (sweeper->settings->sweep.count == 0)
		return -1;
	if (host && host->state != HOST_SERVING)
		host = NULL;
	if (way != SWEEPER_FREE)
		sweeper->busy_at = now;
	free = now - sweeper->busy_at >= SWEEPER_CALM_MS;
	if (sweeper->walker == 0 && host && now >= sweeper->start_after)
		start(sweeper);
	hear(sweeper);
	look_after(sweeper);
	if (way == SWEEPER_ALONE)
		retire(sweeper);
	if (sweeper->wants && free && host && !sweeper->host && sweeper->control >= 0) {
		sweeper->host = host;
		host_sweeper_ask(host);
	}
	say_when(sweeper, host, free);
	if (sweeper->walker == 0)
		return host ? sweeper->start_after : -1;
	return free ? -1 : sweeper->busy_at + SWEEPER_CALM_MS;
}
