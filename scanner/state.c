/* SPDX-License-Identifier: ISC */
#include "scanner/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/notify.h"

enum {
	/* Requests a client may have outstanding, for each worker: with fewer the workers wait for a
	 * client that itself waits for a processor. */
	JOBS_EACH_MIN = 4,
	JOBS_EACH_MAX = 8,
	CLIENTS_AT_ONCE = 4 /* that fit into the queue, each with all it may have */
};

static size_t jobs_of_a_client(const struct hosts *hosts)
{
	size_t queue = (size_t)hosts->settings->queue, jobs = queue / CLIENTS_AT_ONCE;

	if (jobs > JOBS_EACH_MAX * hosts->workers)
		jobs = JOBS_EACH_MAX * hosts->workers;
	if (jobs < JOBS_EACH_MIN * hosts->workers)
		jobs = JOBS_EACH_MIN * hosts->workers;
	return jobs < queue ? jobs : queue;
}

static void fill_loaded(const struct host *host, struct wire_state *state)
{
	size_t busy = pool_count(&host->pool, WORKER_BUSY);
	size_t able = pool_able(&host->pool);

	state->generation = host->generation;
	state->signatures = host->loaded.signatures;
	state->digest = host->loaded.digest;
	state->workers = (uint32_t)able;
	state->busy = (uint32_t)busy;
	state->dated_s = host->loaded.dated_s;
	(void)snprintf(state->engine, sizeof(state->engine), "%s", host->loaded.engine);
	(void)snprintf(state->unprotected, sizeof(state->unprotected), "%.255s",
		host->loaded.unprotected);
	/* Between two workers it is ready all the same. */
	if (able > 0 || host->failures == 0)
		state->state = WIRE_READY;
}

void state_fill(const struct hosts *hosts, bool stopping, struct wire_state *state_r)
{
	const struct settings *settings = hosts->settings;
	const struct host *host = hosts->serving;
	const char *trouble = hosts->trouble;

	*state_r = (struct wire_state){ .state = WIRE_LOADING,
		.message_max = settings->message_max,
		.jobs = (uint32_t)jobs_of_a_client(hosts) };
	if (host && host->state == HOST_SERVING)
		fill_loaded(host, state_r);
	if (host && state_r->state != WIRE_READY)
		trouble = host->trouble;
	else if (host && trouble[0] == '\0')
		trouble = host->loaded.left_out;
	(void)snprintf(state_r->trouble, sizeof(state_r->trouble), "%.255s", trouble);
	hosts_count(hosts, state_r->health.counts);
	if (stopping)
		state_r->state = WIRE_STOPPING;
}

void state_add_trouble(struct wire_state *state, const char *text)
{
	char all[2 * WIRE_TEXT_MAX + 4];

	if (text[0] == '\0')
		return;
	(void)snprintf(all, sizeof(all), "%.255s%s%s", text,
		state->trouble[0] ? "; " : "", state->trouble);
	(void)snprintf(state->trouble, sizeof(state->trouble), "%.255s", all);
}

/* The worst of the checks, or NULL if all are well. */
static const struct checks_entry *worst(const struct wire_state *state)
{
	enum check_level level = checks_worst(&state->checks);

	for (size_t i = 0; level != CHECK_OK && i < state->checks.count; i++)
		if (state->checks.list[i].result.level == level)
			return &state->checks.list[i];
	return NULL;
}

/* Is it another one, or as bad in another way? What its sentence counts may change all the time. */
static bool is_as_well(const struct wire_state *before, const struct wire_state *now)
{
	const struct checks_entry *was = worst(before), *is = worst(now);

	if (!was || !is)
		return was == is;
	return was->result.level == is->result.level && strcmp(was->name, is->name) == 0;
}

void state_announce(const struct wire_state *before, const struct wire_state *now)
{
	const struct checks_entry *check = worst(now);

	if (before->state == now->state && strcmp(before->trouble, now->trouble) == 0 &&
		is_as_well(before, now))
		return;
	switch (now->state) {
	case WIRE_LOADING:
		notify_send("STATUS=%s",
			now->trouble[0] ? now->trouble : "loading signatures");
		break;
	case WIRE_READY:
		if (before->state != WIRE_READY)
			log_info("ready signatures=%" PRIu64 " generation=%" PRIu64,
				now->signatures, now->generation);
		notify_send("STATUS=ready, %" PRIu64 " signatures%s%s%s%s%s%s",
			now->signatures, now->trouble[0] ? "; " : "", now->trouble,
			check ? "; " : "", check ? check->name : "", check ? ": " : "",
			check ? check->result.text : "");
		break;
	case WIRE_STOPPING:
		log_info("stopping");
		notify_send("STOPPING=1\nSTATUS=stopping");
		break;
	}
}
