/* SPDX-License-Identifier: ISC */
#include "common/state_metrics.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	NUMBER_MAX = 24
};

static const struct metrics_label none = { NULL, NULL };

/* The scanners of one text. */
struct all {
	struct metrics *metrics;
	const struct state_metrics *list;
	size_t count;
};

static struct metrics_label scanner(const struct state_metrics *one)
{
	return (struct metrics_label){ "scanner", one->scanner };
}

const char *state_metrics_name(enum wire_scanner_state state)
{
	switch (state) {
	case WIRE_LOADING:
		return "loading";
	case WIRE_READY:
		return "ready";
	case WIRE_STOPPING:
		return "stopping";
	}
	return "unknown";
}

static void add_alive(const struct all *all)
{
	metrics_family(all->metrics, "mailfilter_scanner_up", METRICS_GAUGE,
		"1 where the scanner answers.");
	for (size_t i = 0; i < all->count; i++)
		metrics_number(
			all->metrics, scanner(&all->list[i]), none, all->list[i].alive);
}

static void add_state(const struct all *all)
{
	metrics_family(all->metrics, "mailfilter_scanner_state", METRICS_GAUGE,
		"1 for the state that the scanner is in.");
	for (size_t i = 0; i < all->count; i++)
		for (enum wire_scanner_state state = WIRE_LOADING; state <= WIRE_STOPPING;
			state++)
			if (all->list[i].alive)
				metrics_number(all->metrics, scanner(&all->list[i]),
					(struct metrics_label){
						"state", state_metrics_name(state) },
					all->list[i].state.state == state);
}

/* A number of STATE, that has no other label. */
enum number {
	WORKERS,
	BUSY,
	QUEUED,
	SIGNATURES,
	DATED,
	GENERATION,
	TROUBLE,
	UNPROTECTED,
	LOOKUPS,
	HITS,
	NUMBERS
};

static uint64_t number_of(const struct wire_state *state, enum number number)
{
	switch (number) {
	case WORKERS:
		return state->workers;
	case BUSY:
		return state->busy;
	case QUEUED:
		return state->queued;
	case SIGNATURES:
		return state->signatures;
	case DATED:
		return (uint64_t)state->dated_s;
	case GENERATION:
		return state->generation;
	case TROUBLE:
		return state->trouble[0] != '\0';
	case UNPROTECTED:
		return state->unprotected[0] != '\0';
	case LOOKUPS:
		return state->lookups;
	case HITS:
		return state->hits;
	case NUMBERS:
		break;
	}
	return 0;
}

static void add_numbers(const struct all *all)
{
	static const struct {
		const char *name;
		const char *help;
		enum metrics_type type;
	} families[NUMBERS] = {
		[WORKERS] = { "mailfilter_scanner_workers", "Workers that serve.",
			METRICS_GAUGE },
		[BUSY] = { "mailfilter_scanner_workers_busy",
			"Workers that have a message.", METRICS_GAUGE },
		[QUEUED] = { "mailfilter_scanner_queued_messages",
			"Messages that wait for a worker.", METRICS_GAUGE },
		[SIGNATURES] = { "mailfilter_scanner_signatures",
			"Signatures that are loaded.", METRICS_GAUGE },
		[DATED] = { "mailfilter_scanner_signatures_timestamp_seconds",
			"When the newest file of the loaded signatures was written.",
			METRICS_GAUGE },
		[GENERATION] = { "mailfilter_scanner_signatures_generation",
			"Sets of signatures loaded since the start.", METRICS_GAUGE },
		[TROUBLE] = { "mailfilter_scanner_trouble",
			"1 where a person should look at mailfilter status.",
			METRICS_GAUGE },
		[UNPROTECTED] = { "mailfilter_scanner_unprotected",
			"1 where official signatures are missing.", METRICS_GAUGE },
		[LOOKUPS] = { "mailfilter_scanner_cache_lookups_total",
			"Messages looked up among those known to be clean.",
			METRICS_COUNTER },
		[HITS] = { "mailfilter_scanner_cache_hits_total",
			"Messages that were known to be clean.", METRICS_COUNTER },
	};

	for (enum number number = 0; number < NUMBERS; number++) {
		metrics_family(all->metrics, families[number].name, families[number].type,
			families[number].help);
		for (size_t i = 0; i < all->count; i++) {
			const struct state_metrics *one = &all->list[i];

			if (one->alive && (number != DATED || one->state.dated_s > 0))
				metrics_number(all->metrics, scanner(one), none,
					number_of(&one->state, number));
		}
	}
}

/* Counts from first to last, each a value of one label. */
struct counts {
	const char *name;
	const char *help;
	const char *label;
	enum health_count first, last;
	size_t skip; /* of their names' beginning */
};

static void add_counts(const struct all *all)
{
	static const struct counts families[] = {
		{ "mailfilter_scanner_verdicts_total", "Verdicts given.", "verdict",
			HEALTH_RETRY, HEALTH_UNSCANNABLE, 0 },
		{ "mailfilter_scanner_unscannable_total",
			"Verdicts unscannable, by their reason.", "reason",
			HEALTH_ENCRYPTED, HEALTH_ERROR, sizeof("unscannable_") - 1 },
		{ "mailfilter_scanner_events_total",
			"What became of workers, engine hosts and clients.", "event",
			HEALTH_WORKERS, HEALTH_SWEEP, 0 },
	};

	for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
		const struct counts *family = &families[f];

		metrics_family(all->metrics, family->name, METRICS_COUNTER, family->help);
		for (size_t i = 0; i < all->count; i++)
			for (enum health_count count = family->first;
				all->list[i].alive && count <= family->last; count++)
				metrics_number(all->metrics, scanner(&all->list[i]),
					(struct metrics_label){ family->label,
						health_count_name(count) + family->skip },
					all->list[i].state.health.counts[count]);
	}
}

static const char *class_label(size_t index, char text[static NUMBER_MAX])
{
	uint64_t most = health_class_max(index);

	if (most == 0)
		return "+Inf";
	(void)snprintf(text, NUMBER_MAX, "%" PRIu64, most);
	return text;
}

static uint64_t time_of(const struct health_times *times, size_t index)
{
	const uint32_t all[] = { times->scans, times->all.p50, times->all.p95,
		times->all.p99, times->work.p50, times->work.p95, times->work.p99 };

	return all[index];
}

static void add_times(const struct all *all)
{
	static const struct {
		const char *name;
		const char *help;
	} families[] = {
		{ "mailfilter_scanner_recent_scans",
			"Scans that ended in the last 30 to 60 minutes, by size of message." },
		{ "mailfilter_scanner_scan_p50_seconds",
			"Half of them took at most this, from last byte to verdict." },
		{ "mailfilter_scanner_scan_p95_seconds",
			"95 % of them took at most this, from last byte to verdict." },
		{ "mailfilter_scanner_scan_p99_seconds",
			"99 % of them took at most this, from last byte to verdict." },
		{ "mailfilter_scanner_work_p50_seconds",
			"Half of them took at most this in workers." },
		{ "mailfilter_scanner_work_p95_seconds",
			"95 % of them took at most this in workers." },
		{ "mailfilter_scanner_work_p99_seconds",
			"99 % of them took at most this in workers." },
	};

	for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
		metrics_family(
			all->metrics, families[f].name, METRICS_GAUGE, families[f].help);
		for (size_t i = 0; i < all->count * HEALTH_CLASSES; i++) {
			const struct state_metrics *one = &all->list[i / HEALTH_CLASSES];
			const struct health_times *times =
				&one->state.health.times[i % HEALTH_CLASSES];
			char text[NUMBER_MAX];
			struct metrics_label label = { "size_max_bytes",
				class_label(i % HEALTH_CLASSES, text) };

			if (!one->alive)
				continue;
			if (f == 0)
				metrics_number(
					all->metrics, scanner(one), label, times->scans);
			else if (times->scans > 0)
				metrics_ms(all->metrics, scanner(one), label,
					time_of(times, f));
		}
	}
}

static void add_checks(const struct all *all)
{
	metrics_family(all->metrics, "mailfilter_scanner_check", METRICS_GAUGE,
		"What a check of the scanner found: 0 ok, 1 a warning, 2 critical.");
	for (size_t i = 0; i < all->count; i++) {
		const struct checks *checks = &all->list[i].state.checks;

		for (size_t j = 0; all->list[i].alive && j < checks->count; j++)
			metrics_number(all->metrics, scanner(&all->list[i]),
				(struct metrics_label){ "check", checks->list[j].name },
				checks->list[j].result.level);
	}
}

static uint64_t sweep_number(const struct swept_pass *pass, size_t index)
{
	const uint64_t all[] = { (uint64_t)pass->began_s, (uint64_t)pass->ended_s,
		pass->files, pass->bytes, pass->scanned, pass->infected,
		pass->unscannable, pass->unreadable, pass->large };

	return all[index];
}

static void add_sweep(const struct all *all)
{
	static const struct {
		const char *name;
		const char *help;
	} families[] = {
		{ "mailfilter_scanner_sweep_begin_timestamp_seconds",
			"When the pass of the sweep of directories began." },
		{ "mailfilter_scanner_sweep_end_timestamp_seconds",
			"When it ended; 0 while it goes on." },
		{ "mailfilter_scanner_sweep_files", "Files it looked at." },
		{ "mailfilter_scanner_sweep_bytes", "Bytes in these." },
		{ "mailfilter_scanner_sweep_scanned",
			"Those of them that it scanned; the others had not changed." },
		{ "mailfilter_scanner_sweep_infected", "Files that are infected." },
		{ "mailfilter_scanner_sweep_unscannable",
			"Files that could not be scanned." },
		{ "mailfilter_scanner_sweep_unreadable",
			"Files and directories that could not be read." },
		{ "mailfilter_scanner_sweep_large", "Files too large to be read." },
	};

	for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
		metrics_family(
			all->metrics, families[f].name, METRICS_GAUGE, families[f].help);
		for (size_t i = 0; i < all->count; i++) {
			const struct state_metrics *one = &all->list[i];
			const struct swept *swept = &one->state.swept;

			if (!one->alive || !swept->on)
				continue;
			if (swept->last.ended_s != 0)
				metrics_number(all->metrics, scanner(one),
					(struct metrics_label){ "pass", "last" },
					sweep_number(&swept->last, f));
			if (swept->pass > 0)
				metrics_number(all->metrics, scanner(one),
					(struct metrics_label){ "pass", "now" },
					sweep_number(&swept->now, f));
		}
	}
}

void state_metrics_add(
	struct metrics *metrics, const struct state_metrics *list, size_t count)
{
	const struct all all = { metrics, list, count };

	add_alive(&all);
	add_state(&all);
	add_numbers(&all);
	add_counts(&all);
	add_times(&all);
	add_checks(&all);
	add_sweep(&all);
}
