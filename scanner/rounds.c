/* SPDX-License-Identifier: ISC */
#include "scanner/rounds.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"

#include "scanner/deadline.h"

enum {
	HANG_AGAIN = 10 /* intervals that a check that hung is left out */
};

void rounds_init(struct rounds *rounds, const struct settings *settings,
	const struct hosts *hosts, const struct clients *clients,
	const struct watch *watch)
{
	*rounds = (struct rounds){ .settings = settings };
	facts_init(&rounds->facts, settings, hosts, clients, watch);
	inspection_init(&rounds->inspection, settings);
	for (size_t i = 0; i < CHECKS_MAX; i++)
		rounds->list[i].told_at = -1;
}

static int64_t interval(const struct rounds *rounds, const struct check *check)
{
	return check->interval_ms < rounds->settings->check_interval_ms
		       ? check->interval_ms
		       : rounds->settings->check_interval_ms;
}

static void take(struct rounds *rounds, size_t i, const struct check_result *result)
{
	struct round *round = &rounds->list[i];
	enum check_level before = round->known ? round->result.level : CHECK_OK;
	const char *name = check_table[i].name;

	if (!round->known || result->level != before)
		round->since_s = clock_wall_s();
	round->known = true;
	round->result = *result;
	if (result->level == before)
		return;
	if (result->level == CHECK_CRITICAL)
		log_error("check=%s level=critical: %s", name, result->text);
	else if (result->level == CHECK_WARNING)
		log_warning("check=%s level=warning: %s", name, result->text);
	else
		log_info("check=%s level=ok: %s", name, result->text);
}

static void fill_facts(struct rounds *rounds, struct check_facts *facts_r)
{
	facts_fill(&rounds->facts, facts_r);
	(void)snprintf(facts_r->inspector, sizeof(facts_r->inspector), "%s",
		rounds->inspection.trouble);
	if (rounds->inspection.died_at >= 0)
		facts_r->inspector_died_ago_ms =
			facts_r->now_ms - rounds->inspection.died_at;
}

static void run_inside(struct rounds *rounds, const struct check_facts *facts)
{
	for (size_t i = 0; check_table[i].name; i++) {
		struct check_result result = { 0 };

		if (check_table[i].outside || rounds->list[i].due > facts->now_ms)
			continue;
		check_table[i].run(facts, &result);
		take(rounds, i, &result);
		rounds->list[i].due = facts->now_ms + interval(rounds, &check_table[i]);
	}
}

bool round_alerts(const struct round *round, int64_t now_ms)
{
	if (!round->known || round->result.level == round->told)
		return false;
	if (round->result.level == CHECK_OK || round->told_at < 0)
		return true;
	return now_ms - round->told_at >= ROUNDS_ALERT_MS;
}

/* Into the order, if there is one to be told of: one at a time. */
static void add_alert(struct rounds *rounds, int64_t now, struct inspector_order *order)
{
	rounds->alerting = NULL;
	for (size_t i = 0; check_table[i].name && !order->alert; i++) {
		struct round *round = &rounds->list[i];

		if (rounds->settings->on_alert.count == 0 || !round_alerts(round, now))
			continue;
		order->alert = true;
		order->about.since_s = round->since_s;
		order->about.result = round->result;
		(void)snprintf(order->about.name, sizeof(order->about.name), "%s",
			check_table[i].name);
		rounds->alerting = round;
		rounds->alerting_level = round->result.level;
	}
}

/* The command was run. Until then nobody was told: what is lost is told by the next inspector. */
static void told(struct rounds *rounds)
{
	struct round *round = rounds->alerting;

	if (!round)
		return;
	rounds->alerting = NULL;
	round->told = rounds->alerting_level;
	/* That all is well again does not postpone what comes next. */
	if (round->told != CHECK_OK)
		round->told_at = clock_ms();
}

static void order_outside(struct rounds *rounds, const struct check_facts *facts)
{
	struct inspector_order order = { .facts = *facts };

	if (!inspection_is_free(&rounds->inspection))
		return;
	/* An alert goes alone: a check that hangs does not take it along. */
	add_alert(rounds, facts->now_ms, &order);
	for (size_t i = 0; check_table[i].name && !order.alert; i++)
		if (check_table[i].outside && rounds->list[i].due <= facts->now_ms)
			order.checks |= 1U << i;
	if ((order.checks == 0 && !order.alert) ||
		!inspection_give(&rounds->inspection, &order))
		return;
	for (size_t i = 0; check_table[i].name; i++)
		if ((order.checks & 1U << i) != 0) {
			rounds->list[i].ordered = true;
			rounds->list[i].due =
				facts->now_ms + interval(rounds, &check_table[i]);
		}
}

/* The inspector works in the order of the table: the first that is not answered is what it is at. */
static struct round *at_work(struct rounds *rounds)
{
	for (size_t i = 0; check_table[i].name; i++)
		if (rounds->list[i].ordered)
			return &rounds->list[i];
	return NULL;
}

/* What it was at is the finding, and left alone for a while, so that the others go on. */
static void lost(struct rounds *rounds, struct round *at)
{
	struct check_result result = { 0 };
	int64_t now = clock_ms();
	size_t i = at ? (size_t)(at - rounds->list) : 0;

	for (size_t j = 0; check_table[j].name; j++)
		if (rounds->list[j].ordered) {
			rounds->list[j].ordered = false;
			rounds->list[j].due = now;
		}
	if (!at)
		return;
	at->due = now + HANG_AGAIN * interval(rounds, &check_table[i]);
	check_say(&result, CHECK_CRITICAL, "this check does not end: %s",
		rounds->inspection.died_at >= now - INSPECTION_LEAST_MS
			? "the inspector died of it, or was killed"
			: "does a file system not answer (mount)?");
	take(rounds, i, &result);
}

static void hear(struct rounds *rounds)
{
	for (;;) {
		struct inspector_answer answer;
		struct round *round = at_work(rounds);

		switch (inspection_step(&rounds->inspection, &answer)) {
		case INSPECTION_NOTHING:
			return;
		case INSPECTION_RESULT:
			if (answer.check < 0 || answer.check >= CHECKS_MAX ||
				!rounds->list[answer.check].ordered)
				continue;
			rounds->list[answer.check].ordered = false;
			take(rounds, (size_t)answer.check, &answer.result);
			continue;
		case INSPECTION_DONE:
			told(rounds);
			continue;
		case INSPECTION_LOST:
			lost(rounds, round);
			return;
		}
	}
}

/* Other signatures serve, by other workers: what was found is of those before. */
static void look_anew(struct rounds *rounds)
{
	const struct host *host = rounds->facts.hosts->serving;
	uint64_t generation = host ? host->generation : 0;

	if (generation == rounds->generation)
		return;
	rounds->generation = generation;
	for (size_t i = 0; generation > 0 && check_table[i].name; i++)
		rounds->list[i].due = clock_ms();
}

int64_t rounds_turn(struct rounds *rounds)
{
	struct check_facts facts;
	int64_t now, next;
	bool due = false;

	hear(rounds);
	inspection_reap(&rounds->inspection);
	look_anew(rounds);
	now = clock_ms();
	for (size_t i = 0; check_table[i].name; i++)
		due |= rounds->list[i].due <= now;
	if (due) {
		fill_facts(rounds, &facts);
		run_inside(rounds, &facts);
		order_outside(rounds, &facts);
	}
	next = rounds->inspection.deadline;
	for (size_t i = 0; check_table[i].name; i++)
		/* What the inspector is not free for waits for it to be. */
		if (rounds->list[i].due > now)
			next = deadline_sooner(next, rounds->list[i].due);
	return next;
}

int rounds_fd(const struct rounds *rounds)
{
	return rounds->inspection.fd;
}

void rounds_fill(const struct rounds *rounds, struct checks *checks_r)
{
	checks_r->count = 0;
	for (size_t i = 0; check_table[i].name; i++) {
		struct checks_entry *entry = &checks_r->list[checks_r->count];
		const struct round *round = &rounds->list[i];

		if (!round->known)
			continue;
		(void)snprintf(
			entry->name, sizeof(entry->name), "%s", check_table[i].name);
		entry->since_s = round->since_s;
		entry->result = round->result;
		checks_r->count++;
	}
}

void rounds_done(struct rounds *rounds)
{
	inspection_done(&rounds->inspection);
}
