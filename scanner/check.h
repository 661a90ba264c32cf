/* SPDX-License-Identifier: ISC
 *
 * The checks of the scanner and its system: each a file with one function, in one table. A check looks at
 * what the parent knows (the facts, a copy) and, if it is an outside one, at the system, and says how
 * it is in a sentence. The parent runs those that look at facts alone; the inspector, a process of its
 * own, runs the others, for a file system may hang. A check keeps nothing between two runs but what it
 * leaves in a file, logs nothing, and changes nothing of what it looks at. */
#ifndef SCANNER_CHECK_H
#define SCANNER_CHECK_H

#include <sys/types.h>

#include "common/checks.h"
#include "common/health.h"
#include "common/swept.h"

#include "scanner/check_limits.h"
#include "scanner/settings.h"

enum {
	CHECK_FACTS_TEXT_MAX = 256,
	CHECK_WORKERS_MAX = 16, /* pids that are told */
};

/* What the parent knows: plain data, and a copy in another process is as good. Times are of clock_ms()
 * but for wall_s; "ago" and "for" are milliseconds, -1: not at all. */
struct check_facts {
	const struct settings *settings; /* borrowed; each process has its own */
	int64_t now_ms, wall_s;
	int64_t up_ms; /* since the scanner's start */
	bool serving;  /* signatures are loaded, and scanned with */
	uint64_t signatures;
	uint64_t
		reads; /* of the settings: another number, and they name other folders of them */
	int64_t newer_for_ms;  /* other signatures than those that serve are on disk */
	int64_t jump_ms;       /* the last jump of the wall clock, + ahead, - back */
	int64_t jumped_ago_ms; /* it happened */
	uint64_t counts[HEALTH_COUNTS]; /* what happened in the last hour */
	struct health_times times[HEALTH_CLASSES];
	struct swept swept;
	uint32_t workers_wanted, workers_able;
	int64_t probed_ago_ms; /* a worker last passed its self-test */
	int64_t proved_for_ms; /* the oldest such proof of one that serves */
	/* As of struct host_test, of any host there was. */
	int64_t test_passed_ago_ms, test_failed_ago_ms, test_wrong_ago_ms;
	uint32_t waiting;      /* messages, for a worker */
	int64_t oldest_for_ms; /* the first of them waits */
	uint32_t pid_count;
	pid_t pids[CHECK_WORKERS_MAX];      /* of workers that serve */
	char trouble[CHECK_FACTS_TEXT_MAX]; /* why none serves or not the newest, or "" */
	char test_why[CHECK_FACTS_TEXT_MAX];  /* of the last self-test that failed */
	char isolation[CHECK_FACTS_TEXT_MAX]; /* sandbox_missing() */
	char inspector[CHECK_FACTS_TEXT_MAX]; /* why it does not check, or "" */
	int64_t inspector_died_ago_ms;        /* on its own, or because: */
	bool inspector_hung;
};

struct check {
	const char *
		name; /* lower case, shorter than CHECK_NAME_MAX, unique: scripts rely on it */
	int64_t interval_ms; /* between two runs; the setting check-interval can make it shorter */
	bool outside; /* it looks at the system: run by the inspector */
	void (*run)(const struct check_facts *facts, struct check_result *result);
};

/* The table, ended by a name of NULL. The last one, "inspector", is the parent's word on the process. */
extern const struct check check_table[];

/* Say how it is, if that is worse than what the result says already. A result begins zeroed; a text
 * too long is cut. */
void check_say(struct check_result *result, enum check_level level, const char *format,
	...) __attribute__((format(printf, 3, 4)));

/* "3 days", "2 hours", "40 minutes", "12 seconds". Returns text. */
enum {
	CHECK_SPAN_MAX = 32
};
const char *check_span(int64_t ms, char text[static CHECK_SPAN_MAX]);

/* So long something that happened is told of: ten intervals, 10 minutes at most. */
int64_t check_news_ms(const struct settings *settings);

void check_selftest(const struct check_facts *facts, struct check_result *result);
void check_workers(const struct check_facts *facts, struct check_result *result);
void check_queue(const struct check_facts *facts, struct check_result *result);
void check_times(const struct check_facts *facts, struct check_result *result);
void check_unscannable(const struct check_facts *facts, struct check_result *result);
void check_clock(const struct check_facts *facts, struct check_result *result);
void check_signatures(const struct check_facts *facts, struct check_result *result);
void check_freshclam(const struct check_facts *facts, struct check_result *result);
void check_space(const struct check_facts *facts, struct check_result *result);
void check_disk(const struct check_facts *facts, struct check_result *result);
void check_memory(const struct check_facts *facts, struct check_result *result);
void check_permissions(const struct check_facts *facts, struct check_result *result);
void check_isolation(const struct check_facts *facts, struct check_result *result);
void check_sweep(const struct check_facts *facts, struct check_result *result);
void check_inspector(const struct check_facts *facts, struct check_result *result);

#endif
