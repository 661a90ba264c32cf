/* SPDX-License-Identifier: ISC
 *
 * All checks, each in its turn: run here or by the inspector, what they found kept for clients, told in
 * the log when it changes, and to the command of on-alert when it gets worse or well again. Nothing
 * here waits. */
#ifndef SCANNER_ROUNDS_H
#define SCANNER_ROUNDS_H

#include "scanner/facts.h"
#include "scanner/inspection.h"

enum {
	ROUNDS_ALERT_MS =
		60 * 60 *
		1000 /* between two alerts of a check, but for that it is well */
};

/* One check of the table. */
struct round {
	int64_t due;  /* clock_ms() */
	bool ordered; /* the inspector has not answered yet */
	bool known;   /* it has run */
	int64_t since_s;
	struct check_result result;
	enum check_level told; /* to the command */
	int64_t told_at;       /* clock_ms(), -1: never */
};

struct rounds {
	const struct settings *settings;
	struct facts facts;
	struct inspection inspection;
	uint64_t generation; /* of the signatures that served at the last look; 0: none */
	struct round *alerting; /* whose command the inspector runs, or NULL */
	enum check_level alerting_level;
	struct round list[CHECKS_MAX];
};

void rounds_init(struct rounds *rounds, const struct settings *settings,
	const struct hosts *hosts, const struct clients *clients,
	const struct watch *watch);

/* Run and order what is due, take what has been answered. Returns when to come again, clock_ms(). */
int64_t rounds_turn(struct rounds *rounds);

/* Readable when the inspector has something to say; or -1. */
int rounds_fd(const struct rounds *rounds);

/* What they found last. */
void rounds_fill(const struct rounds *rounds, struct checks *checks_r);

void rounds_done(struct rounds *rounds);

/* Is the command to be run for this one now? */
bool round_alerts(const struct round *round, int64_t now_ms);

#endif
