/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#include "scanner/crew.h"
#include "scanner/deadline.h"
#include "scanner/hosts_inside.h"
#include "scanner/memory.h"
#include "scanner/role.h"
#include "scanner/temp.h"

enum {
	SWEEP_MS = 1000,      /* workers outlive their host by a moment */
	NEW_FAILURES_MAX = 3, /* workers that a new host may fail to start */
};

int hosts_init(struct hosts *hosts, const struct settings *settings, struct err *err)
{
	*hosts = (struct hosts){ .settings = settings,
		.signatures = &settings->signatures,
		.reload_at = -1,
		.sweep_at = -1,
		.unsettled_since = -1,
		.wrong_at = -1 };
	hosts->workers = settings->workers > 0 ? settings->workers : (size_t)get_nprocs();
	for (size_t i = 0; i < HOSTS_MAX; i++)
		hosts->list[i].control = hosts->list[i].sweeper.fd = -1;
	hosts->events = epoll_create1(EPOLL_CLOEXEC);
	return hosts->events < 0 ? err_errno(err, ERR_FATAL, "epoll") : 0;
}

/* The one that is to serve, or to replace the one that does. */
static struct host *coming(struct hosts *hosts)
{
	struct host *host = hosts_in_state(hosts, HOST_LOADING);

	return host ? host : hosts_in_state(hosts, HOST_SERVING);
}

static void take_over(struct hosts *hosts, struct host *host)
{
	if (hosts->serving) {
		log_info("generation=%" PRIu64 " takes over", host->generation);
		if (hosts->serving->state == HOST_SERVING)
			hosts->serving->state = HOST_DRAINING;
	}
	hosts->serving = host;
	hosts_set_trouble(hosts, "");
}

/* What does not load, or that nobody can scan with, is no reason to give up the old ones. */
static void keep_old(struct hosts *hosts, const char *why, int64_t again_ms)
{
	char text[JOB_TEXT_MAX];

	(void)snprintf(text, sizeof(text),
		"the signatures are not loaded anew, the old ones stay in use: %.400s",
		why);
	hosts_set_trouble(hosts, text);
	if (hosts->reload_at >= 0)
		return; /* there are newer ones */
	hosts->failed_before = true;
	hosts->reload_at = clock_ms() + again_ms;
}

void hosts_reload(struct hosts *hosts)
{
	hosts->reload_at = clock_ms();
	hosts->start_after = 0;
	hosts->failed_before = false;
	hosts->log_again = true;
}

/* Is there no room for two? */
static bool is_serial(const struct hosts *hosts)
{
	if (hosts->settings->reload == RELOAD_AUTO)
		return !memory_has_room_beside(hosts->serving->pid);
	return hosts->settings->reload == RELOAD_SERIAL;
}

/* Requests stay in the queue until the next one serves. */
static void make_way(struct hosts *hosts)
{
	log_info("the old signatures make way for the new ones: mail waits meanwhile");
	hosts->serving->state = HOST_DRAINING;
	hosts->serving = NULL;
	hosts->serial = true;
}

/* Is another to be started, at start_due()? */
static bool is_wanted(struct hosts *hosts)
{
	if (hosts->stopping || coming(hosts) || !hosts_in_state(hosts, HOST_NONE))
		return false;
	for (size_t i = 0; hosts->serial && i < HOSTS_MAX; i++)
		if (hosts->list[i].state != HOST_NONE)
			return false;
	return !hosts->serving || hosts->reload_at >= 0;
}

static int64_t start_due(const struct hosts *hosts)
{
	return hosts->serving && hosts->reload_at > hosts->start_after
		       ? hosts->reload_at
		       : hosts->start_after;
}

/* Its workers served once, and none that it starts passes its self-test any more: what it loaded is not
 * what it was. */
static bool is_spoiled(const struct hosts *hosts)
{
	const struct host *host = hosts->serving;

	return host && host->state == HOST_SERVING &&
	       host->failures >= NEW_FAILURES_MAX && pool_able(&host->pool) == 0 &&
	       host->test.failed_at > host->test.passed_at;
}

static void start_what_is_due(struct hosts *hosts)
{
	struct host *host = coming(hosts);

	if (!host && hosts->reload_at < 0 && is_spoiled(hosts)) {
		log_error("no worker passes its self-test any more: the signatures are "
			  "loaded anew");
		hosts->reload_at = clock_ms();
	}
	if (host && host->state == HOST_SERVING) {
		if (pool_count(&host->pool, WORKER_IDLE) > 0) {
			take_over(hosts, host);
		} else if (hosts->serving && host->failures >= NEW_FAILURES_MAX) {
			keep_old(hosts, host->trouble, HOSTS_RELOAD_AGAIN_MS);
			host_end(host);
		}
	} else if (is_wanted(hosts) && clock_ms() >= start_due(hosts)) {
		if (!hosts->serving || hosts->serving->state != HOST_SERVING ||
			!is_serial(hosts))
			hosts_start(hosts);
		else if (hosts->failed_before)
			/* Those that serve are not given up for such. */
			hosts->reload_at = clock_ms() + HOSTS_RELOAD_AGAIN_MS;
		else
			make_way(hosts);
	}
}

/* Ended ones leave nothing; those killed leave their folders to us. */
static void sweep(struct hosts *hosts)
{
	struct err err = { 0 };
	pid_t keep[HOSTS_MAX];
	size_t count = 0;

	if (hosts->sweep_at < 0 || clock_ms() < hosts->sweep_at)
		return;
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (hosts->list[i].state != HOST_NONE)
			keep[count++] = hosts->list[i].pid;
	hosts->sweep_at = -1;
	if (temp_sweep(hosts->settings->temp_dir, keep, count, &err) < 0) {
		log_debug("%s", err.text);
		hosts->sweep_at = clock_ms() + HOSTS_RETRY_MS;
	}
}

/* One that was killed and is not dead is held by a disk: that is not the engine host's fault. Returns when to
 * come again. */
static int64_t see_to_sweeper(struct host *host)
{
	int64_t due = host_sweeper_due(host);

	if (due > clock_ms())
		return due;
	if (due >= 0 && host->sweeper.asked && host->state != HOST_ENDING) {
		log_error("the engine host starts no worker for the sweep: it is "
			  "replaced");
		host_kill(host);
	}
	return -1;
}

static int64_t turn(struct hosts *hosts, struct host *host, bool need_fresh)
{
	int64_t test_ms = hosts->settings->check_interval_ms < HOSTS_TEST_MS
				  ? hosts->settings->check_interval_ms
				  : HOSTS_TEST_MS;
	int64_t next = crew_deadlines(host);

	if (host->state == HOST_DRAINING && crew_busy(host) == 0)
		host_end(host);
	if (host->state == HOST_LOADING || host->state == HOST_ENDING) {
		if (host->deadline <= clock_ms())
			host_kill(host);
		next = deadline_sooner(next, host->deadline);
	}
	next = deadline_sooner(next, see_to_sweeper(host));
	crew_fill(host, hosts->workers, need_fresh && host == hosts->serving);
	next = deadline_sooner(next, crew_probe(host, test_ms));
	if (host->state == HOST_SERVING && host->fork_after > clock_ms())
		next = deadline_sooner(next, host->fork_after);
	if (host->forks > 0)
		next = deadline_sooner(next, host->forks_deadline);
	return next;
}

int64_t hosts_turn(struct hosts *hosts, bool need_fresh)
{
	int64_t next = -1;

	if (!hosts->stopping)
		start_what_is_due(hosts);
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (hosts->list[i].state != HOST_NONE)
			next = deadline_sooner(
				next, turn(hosts, &hosts->list[i], need_fresh));
	sweep(hosts);
	if (is_wanted(hosts))
		next = deadline_sooner(next, start_due(hosts));
	return deadline_sooner(next, hosts->sweep_at);
}

static void loaded(struct hosts *hosts, struct host *host)
{
	const struct job_loaded *loaded = &host->loaded;
	char text[LOG_TEXT_MAX];

	host_take_loaded(host);
	host->generation = ++hosts->generation;
	host->state = HOST_SERVING;
	log_info("signatures=%" PRIu64 " generation=%" PRIu64 " engine=%s",
		loaded->signatures, host->generation,
		log_value(span_str(loaded->engine), text));
	if (loaded->unprotected[0] != '\0')
		log_warning("unprotected: %s", loaded->unprotected);
	if (loaded->left_out[0] != '\0')
		log_warning("%s", loaded->left_out);
}

/* It says that it cannot load, and ends. */
static void not_loaded(struct hosts *hosts, struct host *host)
{
	char text[JOB_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%.*s", (int)host->in.payload.len,
		(const char *)host->in.payload.data);
	if (hosts->serving) {
		keep_old(hosts, text, HOSTS_RELOAD_AGAIN_MS);
	} else {
		hosts_set_trouble(hosts, text);
		hosts_delay_start(hosts);
	}
	host_end(host);
}

void hosts_hear_one(struct hosts *hosts, struct host *host)
{
	struct err err = { 0 };
	int got;

	while ((got = host_receive(host, &err)) > 0) {
		switch (host->in.head.type) {
		case HOST_LOADED:
			loaded(hosts, host);
			break;
		case HOST_FAILED:
			if (host->state == HOST_LOADING)
				not_loaded(hosts, host);
			else
				crew_not_joined(host);
			break;
		case HOST_NO_SWEEP:
			host_no_sweeper(host);
			break;
		case HOST_WORKER:
			crew_joined(host);
			break;
		case HOST_REAPED:
			crew_reaped(host);
			break;
		}
	}
	if (got == 0)
		return;
	if (err.kind == ERR_SESSION) {
		host_lost(host); /* hosts_reap does the rest */
		return;
	}
	log_error("%s: it is replaced", err.text);
	host_kill(host);
}

/* It ended, and was not told to. One that drained had nothing to serve any more. */
static void failed(struct hosts *hosts, const struct host *host, const char *how)
{
	bool serves = hosts->serving && hosts->serving != host;
	bool drained = serves && host->generation > 0 &&
		       host->generation < hosts->serving->generation;
	char text[JOB_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "the engine host ended: %.100s", how);
	hosts->sweep_at = clock_ms() + SWEEP_MS;
	if (drained) {
		log_warning("%s", text);
	} else if (serves) {
		/* Not by its signatures, the first time: somebody killed it, or memory was short. */
		keep_old(hosts, text,
			hosts->failed_before ? HOSTS_RELOAD_AGAIN_MS : HOSTS_RETRY_MS);
	} else {
		hosts_set_trouble(hosts, text);
		if (host->served)
			hosts->deaths = 0;
		/* One that did its work, or might have, is missed at once; but not each time. */
		if (host->generation > 0 && hosts->deaths == 0)
			hosts->deaths = 1;
		else
			hosts_delay_start(hosts);
	}
}

static void ended(struct hosts *hosts, struct host *host, const char *how)
{
	crew_lost(host);
	host->counts[HEALTH_HOSTS] += !host->told;
	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		hosts->counts[i] += host->counts[i];
	hosts->wrong_at = hosts_wrong_at(hosts);
	if (!host->told)
		failed(hosts, host, how);
	if (host == hosts->serving)
		hosts->serving = NULL;
	host_done(host);
}

void hosts_reap(struct hosts *hosts)
{
	char how[JOB_TEXT_MAX];
	int status;

	for (size_t i = 0; i < HOSTS_MAX; i++) {
		struct host *host = &hosts->list[i];

		if (!host_reap(host, &status, how))
			continue;
		/* What it and its workers still said comes first. */
		if (host->control >= 0)
			hosts_hear_one(hosts, host);
		ended(hosts, host, how);
	}
}

bool hosts_give(struct hosts *hosts, struct request *request)
{
	return hosts->serving && hosts->serving->state == HOST_SERVING &&
	       crew_give(hosts->serving, request);
}

bool hosts_stop(struct hosts *hosts)
{
	bool none = true;

	hosts->stopping = true;
	for (size_t i = 0; i < HOSTS_MAX; i++) {
		struct host *host = &hosts->list[i];

		if (host->state == HOST_NONE)
			continue;
		none = false;
		if (host->state != HOST_ENDING)
			host_end(host);
	}
	return none;
}

void hosts_done(struct hosts *hosts)
{
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (hosts->list[i].state != HOST_NONE)
			host_kill(&hosts->list[i]);
	for (size_t i = 0; i < HOSTS_MAX; i++) {
		struct host *host = &hosts->list[i];

		if (host->state == HOST_NONE)
			continue;
		/* It reads signatures from a disk that may not answer. */
		role_end(host->pid, 0);
		crew_lost(host);
		host_done(host);
	}
	(void)close(hosts->events);
}
