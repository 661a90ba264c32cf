/* SPDX-License-Identifier: ISC */
#include "scanner/broker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/random.h"
#include "common/stop.h"
#include "common/watchdog.h"

#include "scanner/cache.h"
#include "scanner/clients.h"
#include "scanner/deadline.h"
#include "scanner/guard.h"
#include "scanner/hosts.h"
#include "scanner/metrics_file.h"
#include "scanner/pulse.h"
#include "scanner/room.h"
#include "scanner/rounds.h"
#include "scanner/state.h"
#include "scanner/sweeper.h"
#include "scanner/temp.h"
#include "scanner/watch.h"

enum {
	STOP_MS = 5000,       /* for jobs in work, after SIGTERM */
	STOP_HOSTS_MS = 4000, /* then for the engine hosts to end */
};

struct broker {
	const struct settings *settings;
	int lock; /* of the temp folder */
	int signals;
	struct clients clients;
	struct hosts hosts;
	struct watch watch;
	struct cache cache;
	struct watchdog watchdog;
	struct pulse pulse;
	struct rounds rounds;
	uint64_t lookups, hits; /* of messages, in the cache */
	int64_t doubted_at; /* clock_ms(): what was in the cache by then was dropped */
	uint64_t session;
	int64_t stop_by; /* clock_ms(): then jobs are given up; -1 while we serve */
	int64_t end_by;  /* and then we go */
	bool need_fresh; /* a suspect request waits for a fresh worker */
	char trouble[WIRE_TEXT_MAX]; /* with settings that were read again, or "" */
	struct metrics_file metrics;
	struct sweeper sweeper;
};

/* The host whose word on a message is the newest, or NULL. */
static const struct host *judge(const struct broker *broker)
{
	const struct host *host = broker->hosts.serving;

	return host && host->state == HOST_SERVING ? host : NULL;
}

/* Another worker's verdict, on the same bytes and by the same signatures, is as good as a new one. */
static void answer_known(struct broker *broker)
{
	struct queue *queue = &broker->clients.queue;
	const struct host *host = judge(broker);
	struct request *next;

	if (!host)
		return;
	cache_use(&broker->cache, &host->loaded.digest);
	/* Another host may serve by now, and the same signatures. */
	if (hosts_wrong_at(&broker->hosts) > broker->doubted_at) {
		broker->doubted_at = hosts_wrong_at(&broker->hosts);
		cache_empty(&broker->cache);
	}
	for (struct request *at = queue->first; at; at = at->next)
		if (request_is_plainly_clean(at, host->generation))
			cache_add(&broker->cache, &at->hash);
	for (struct request *at = queue_waiting(queue, NULL); at; at = next) {
		next = queue_waiting(queue, at);
		if (at->unwanted || at->started > 0 ||
			!cache_has(&broker->cache, &at->hash))
			continue;
		broker->lookups++;
		broker->hits++;
		request_known_clean(at, host->generation);
	}
}

/* Requests that wait to workers that are idle, in the order of the queue. */
static void dispatch(struct broker *broker)
{
	struct queue *queue = &broker->clients.queue;
	struct request *next;
	bool first;

	broker->need_fresh = false;
	answer_known(broker);
	if (queue_is_occupied(queue))
		return;
	for (struct request *at = queue_waiting(queue, NULL); at; at = next) {
		next = queue_waiting(queue, at);
		if (at->unwanted)
			continue;
		if (request_is_alone(at) && !hosts_are_quiet(&broker->hosts))
			return;
		if (!room_has(broker->settings->temp_dir, judge(broker) != NULL, at))
			continue;
		first = at->started == 0;
		if (!hosts_give(&broker->hosts, at)) {
			/* Those behind it would take each fresh worker before it. */
			broker->need_fresh = request_is_suspect(at);
			return;
		}
		broker->lookups += first && broker->settings->cache > 0;
		if (request_is_alone(at))
			return;
	}
}

static void tell_state(struct broker *broker)
{
	struct wire_state state;

	state_fill(&broker->hosts, broker->stop_by >= 0, &state);
	state.session = broker->session;
	state.lookups = broker->lookups;
	state.hits = broker->hits;
	state_add_trouble(&state, broker->trouble);
	rounds_fill(&broker->rounds, &state.checks);
	state.swept = broker->sweeper.swept;
	state_announce(&broker->clients.state, &state);
	clients_tell(&broker->clients, &state);
}

/* What has not begun is given back at once, what is in work has STOP_MS. */
static void hold_what_waits(struct broker *broker)
{
	bool late = broker->stop_by <= clock_ms();

	for (struct request *at = broker->clients.queue.first; at; at = at->next)
		if (at->stage == REQUEST_ARRIVING ||
			(at->stage == REQUEST_WAITING && (late || at->started == 0)))
			request_hold(at, "the scanner is stopping");
}

/* True: nothing is left to do. */
static bool stopping(struct broker *broker)
{
	hold_what_waits(broker);
	if (broker->stop_by > clock_ms() &&
		queue_count(&broker->clients.queue, REQUEST_WORKING) +
				queue_count(&broker->clients.queue, REQUEST_WAITING) >
			0)
		return false;
	if (broker->stop_by > clock_ms())
		broker->stop_by = clock_ms();
	if (broker->end_by < 0)
		broker->end_by = clock_ms() + STOP_HOSTS_MS;
	return hosts_stop(&broker->hosts) || broker->end_by <= clock_ms();
}

static void look_at_signatures(struct broker *broker)
{
	struct err err = { 0 };
	bool changed = false;

	if (watch_turn(&broker->watch, clock_ms(), &changed, &err) < 0)
		log_warning("cannot look for new signatures: %s", err.text);
	if (!changed)
		return;
	log_info("the signatures changed: loading them");
	hosts_reload(&broker->hosts);
}

/* Whatever is there now. */
static void load_signatures(struct broker *broker)
{
	struct err err = { 0 };

	if (watch_take(&broker->watch, clock_ms(), &err) < 0)
		log_warning("cannot look for new signatures: %s", err.text);
	broker->hosts.signatures = watch_folders(&broker->watch);
	hosts_reload(&broker->hosts);
}

/* Who may connect, as the file says by now. */
static int reload_guard(struct broker *broker)
{
	struct err err = { 0 };

	broker->trouble[0] = '\0';
	if (guard_reload(broker->settings, broker->clients.link, &err) == 0)
		return 0;
	(void)snprintf(broker->trouble, sizeof(broker->trouble),
		"the settings are not read again, who could connect before still can: "
		"%.180s",
		err.text);
	log_error("%s", broker->trouble);
	return -1;
}

static void obey(struct broker *broker, int number)
{
	switch (number) {
	case SIGCHLD:
		hosts_reap(&broker->hosts);
		sweeper_reap(&broker->sweeper, &broker->hosts);
		return;
	case SIGHUP:
		/* An engine host reads the same settings: its signatures are not to blame. */
		if (reload_guard(broker) < 0)
			return;
		log_info("loading the signatures anew");
		load_signatures(broker);
		return;
	case SIGTERM:
	case SIGINT:
		/* The second one does not wait for jobs. */
		broker->stop_by = clock_ms() + (broker->stop_by < 0 ? STOP_MS : 0);
		return;
	default:
		return;
	}
}

/* That the loop turns is not enough: what waits must get on. Returns when to come again. */
static int64_t say_alive(struct broker *broker)
{
	const struct queue *queue = &broker->clients.queue;
	bool waits = queue_count(queue, REQUEST_WAITING) > 0 ||
		     queue_count(queue, REQUEST_WORKING) > 0;
	uint64_t moved = hosts_moved(&broker->hosts);

	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		moved += broker->clients.tally.counts[i];
	return watchdog_turn(&broker->watchdog,
		pulse_beats(&broker->pulse, waits, moved,
			broker->settings->scan_timeout_ms, clock_ms()));
}

static int wait_and_hear(struct broker *broker, int64_t until, struct err *err)
{
	struct pollfd fds[] = { { .fd = broker->signals, .events = POLLIN },
		{ .fd = broker->hosts.events, .events = POLLIN },
		{ .fd = -1, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
	const int more[] = { rounds_fd(&broker->rounds), sweeper_fd(&broker->sweeper) };
	size_t count = 2;
	int number;

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i] >= 0)
			fds[count++].fd = more[i];
	hosts_watch(&broker->hosts);
	if (link_wait(&broker->clients.link, 1, NULL, fds, count, clock_left(until),
		    err) < 0)
		return -1;
	hosts_hear(&broker->hosts);
	while ((number = stop_next(broker->signals)) > 0)
		obey(broker, number);
	return clients_hear(&broker->clients, err);
}

static int serve(struct broker *broker, struct err *err)
{
	enum sweeper_way way;
	int64_t next;

	for (;;) {
		look_at_signatures(broker);
		next = hosts_turn(&broker->hosts, broker->need_fresh);
		tell_state(broker);
		if (broker->stop_by >= 0 && stopping(broker)) {
			(void)clients_turn(&broker->clients);
			return 0;
		}
		dispatch(broker);
		next = deadline_sooner(next, clients_turn(&broker->clients));
		next = deadline_sooner(next, broker->watch.look_at);
		next = deadline_sooner(
			next, broker->stop_by > clock_ms() ? broker->stop_by : -1);
		next = deadline_sooner(next, broker->end_by);
		next = deadline_sooner(next, rounds_turn(&broker->rounds));
		next = deadline_sooner(
			next, metrics_file_turn(&broker->metrics, &broker->clients));
		next = deadline_sooner(next, say_alive(broker));
		way = sweeper_way(&broker->clients.queue, broker->stop_by >= 0);
		next = deadline_sooner(
			next, sweeper_turn(&broker->sweeper, &broker->hosts, way));
		if (wait_and_hear(broker, next, err) < 0)
			return -1;
	}
}

static int start(struct broker *broker, struct err *err)
{
	const struct settings *settings = broker->settings;

	if (stop_start(&broker->signals, err) < 0)
		return -1;
	if (temp_open(settings->temp_dir, &broker->lock, err) < 0)
		return settings_blame(settings, settings->temp_dir_line, err);
	if (getrandom(&broker->session, sizeof(broker->session), 0) !=
		(ssize_t)sizeof(broker->session))
		return err_errno(err, ERR_FATAL, "getrandom");
	if (cache_init(&broker->cache, settings->cache, random_number(), err) < 0 ||
		watch_take(&broker->watch, clock_ms(), err) < 0)
		return -1;
	/* Of a scanner that was killed; what cannot be removed now is tried again at the end. */
	if (temp_sweep(settings->temp_dir, NULL, 0, err) < 0)
		log_warning("%s", err->text);
	if (temp_check_size(settings->temp_dir, settings->message_max,
		    settings->scan_size_max, err) < 0)
		log_warning("%s", err->text);
	if (clients_open(&broker->clients, settings, err) < 0)
		return settings_blame(settings, settings->listen_line, err);
	for (size_t i = 0; i < settings->listen.count; i++)
		log_info("listening at %s", settings->listen.items[i]);
	notify_send("READY=1\nSTATUS=loading signatures");
	watchdog_start(&broker->watchdog);
	return 0;
}

int broker_run(const struct settings *settings)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	struct err err = { 0 };
	int result;

	if (!broker) {
		log_error("out of memory");
		return EX_OSERR;
	}
	*broker = (struct broker){ .settings = settings,
		.lock = -1,
		.signals = -1,
		.stop_by = -1,
		.end_by = -1 };
	watch_init(&broker->watch, settings);
	rounds_init(&broker->rounds, settings, &broker->hosts, &broker->clients,
		&broker->watch);
	metrics_file_init(&broker->metrics, settings);
	sweeper_init(&broker->sweeper, settings);
	result = hosts_init(&broker->hosts, settings, &err);
	if (result == 0)
		result = start(broker, &err);
	if (result == 0)
		result = serve(broker, &err);
	if (result < 0)
		log_error("%s", err.text);
	rounds_done(&broker->rounds);
	metrics_file_done(&broker->metrics);
	sweeper_done(&broker->sweeper);
	hosts_done(&broker->hosts);
	clients_done(&broker->clients);
	watch_done(&broker->watch);
	cache_done(&broker->cache);
	/* Only what is ours: without the lock another scanner lives there. */
	if (broker->lock >= 0)
		(void)temp_sweep(settings->temp_dir, NULL, 0, NULL);
	if (broker->signals >= 0)
		(void)close(broker->signals);
	if (broker->lock >= 0)
		(void)close(broker->lock);
	free(broker);
	return result < 0 ? err_exit_code(err.kind) : EX_OK;
}
