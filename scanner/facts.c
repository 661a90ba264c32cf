/* SPDX-License-Identifier: ISC */
#include "scanner/facts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"

#include "scanner/sandbox.h"

enum {
	JUMP_LEAST_MS = 1000 /* what a clock that is only corrected does not do */
};

void facts_init(struct facts *facts, const struct settings *settings,
	const struct hosts *hosts, const struct clients *clients,
	const struct watch *watch)
{
	*facts = (struct facts){ .settings = settings,
		.hosts = hosts,
		.clients = clients,
		.watch = watch,
		.started = clock_ms(),
		.newer_since = -1,
		.jumped_at = -1,
		.test = { .passed_at = -1, .failed_at = -1, .wrong_at = -1 } };
}

void facts_note_offset(struct facts *facts, int64_t offset_ms, int64_t now_ms)
{
	int64_t jump = offset_ms - facts->offset_ms;

	if (facts->has_offset && (jump > JUMP_LEAST_MS || jump < -JUMP_LEAST_MS)) {
		facts->jump_ms = jump;
		facts->jumped_at = now_ms;
	}
	facts->has_offset = true;
	facts->offset_ms = offset_ms;
}

static int64_t ago(int64_t now, int64_t since)
{
	return since < 0 ? -1 : now - since;
}

static void fill_clock(struct facts *facts, struct check_facts *facts_r)
{
	struct timespec boot = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	facts_note_offset(facts,
		clock_wall_us() / 1000 -
			(boot.tv_sec * INT64_C(1000) + boot.tv_nsec / 1000000),
		facts_r->now_ms);
	facts_r->jump_ms = facts->jump_ms;
	facts_r->jumped_ago_ms = ago(facts_r->now_ms, facts->jumped_at);
}

static void fill_counts(struct facts *facts, struct check_facts *facts_r)
{
	struct health health = { 0 };

	hosts_count(facts->hosts, health.counts);
	tally_fill(&facts->clients->tally, facts_r->now_ms, &health);
	hour_turn(&facts->hour, facts_r->now_ms, health.counts, facts_r->counts);
	memcpy(facts_r->times, health.times, sizeof(facts_r->times));
}

static void fill_queue(const struct facts *facts, struct check_facts *facts_r)
{
	const struct queue *queue = &facts->clients->queue;

	for (struct request *at = queue_waiting(queue, NULL); at;
		at = queue_waiting(queue, at)) {
		facts_r->waiting++;
		if (facts_r->now_ms - at->arrived > facts_r->oldest_for_ms)
			facts_r->oldest_for_ms = facts_r->now_ms - at->arrived;
	}
}

static void fill_workers(const struct facts *facts, struct check_facts *facts_r)
{
	const struct host *host = facts->hosts->serving;

	facts_r->workers_wanted = (uint32_t)facts->hosts->workers;
	if (!host || host->state != HOST_SERVING)
		return;
	facts_r->serving = true;
	facts_r->signatures = host->loaded.signatures;
	for (size_t i = 0; i < host->pool.size; i++) {
		const struct worker *worker = &host->pool.workers[i];

		if (!worker_serves(worker))
			continue;
		if (facts_r->now_ms - worker->proved_at > facts_r->proved_for_ms)
			facts_r->proved_for_ms = facts_r->now_ms - worker->proved_at;
		facts_r->workers_able++;
		if (facts_r->pid_count < CHECK_WORKERS_MAX)
			facts_r->pids[facts_r->pid_count++] = worker->pid;
	}
}

/* What a host that has ended suffered is remembered. */
static void fill_tests(struct facts *facts, struct check_facts *facts_r)
{
	const struct host *serving = facts->hosts->serving;

	for (size_t i = 0; i < HOSTS_MAX; i++) {
		const struct host *host = &facts->hosts->list[i];

		if (host->state == HOST_NONE)
			continue;
		if (host->test.failed_at > facts->test.failed_at) {
			facts->test.failed_at = host->test.failed_at;
			memcpy(facts->test.why, host->test.why, sizeof(facts->test.why));
		}
		if (host->test.wrong_at > facts->test.wrong_at)
			facts->test.wrong_at = host->test.wrong_at;
		if (host->test.passed_at > facts->test.passed_at)
			facts->test.passed_at = host->test.passed_at;
	}
	facts_r->probed_ago_ms = serving && serving->state == HOST_SERVING
					 ? ago(facts_r->now_ms, serving->test.passed_at)
					 : -1;
	facts_r->test_passed_ago_ms = ago(facts_r->now_ms, facts->test.passed_at);
	facts_r->test_failed_ago_ms = ago(facts_r->now_ms, facts->test.failed_at);
	facts_r->test_wrong_ago_ms = ago(facts_r->now_ms, facts->test.wrong_at);
	(void)snprintf(
		facts_r->test_why, sizeof(facts_r->test_why), "%.250s", facts->test.why);
}

static void fill_newer(struct facts *facts, struct check_facts *facts_r)
{
	/* While one serves, what troubles the others is that they do not load. */
	bool newer = facts->watch->changed_since >= 0 ||
		     (facts_r->serving && facts->hosts->trouble[0] != '\0');

	if (!newer)
		facts->newer_since = -1;
	else if (facts->newer_since < 0)
		facts->newer_since = facts_r->now_ms;
	facts_r->newer_for_ms = ago(facts_r->now_ms, facts->newer_since);
}

void facts_fill(struct facts *facts, struct check_facts *facts_r)
{
	const struct host *host = facts->hosts->serving;
	const char *trouble = facts->hosts->trouble;

	*facts_r = (struct check_facts){ .settings = facts->settings,
		.now_ms = clock_ms(),
		.wall_s = clock_wall_s(),
		.reads = facts->watch->reads,
		.inspector_died_ago_ms = -1 };
	facts_r->up_ms = facts_r->now_ms - facts->started;
	if (trouble[0] == '\0' && host)
		trouble = host->trouble;
	(void)snprintf(facts_r->trouble, sizeof(facts_r->trouble), "%.250s", trouble);
	(void)snprintf(
		facts_r->isolation, sizeof(facts_r->isolation), "%s", sandbox_missing());
	facts_r->swept = facts->clients->state.swept;
	fill_clock(facts, facts_r);
	fill_counts(facts, facts_r);
	fill_queue(facts, facts_r);
	fill_workers(facts, facts_r);
	fill_tests(facts, facts_r);
	fill_newer(facts, facts_r);
}
