/* SPDX-License-Identifier: ISC
 *
 * What the parent knows, gathered for the checks, and what of it has to be remembered for that. Only
 * looks; the system's clocks apart it asks nobody. */
#ifndef SCANNER_FACTS_H
#define SCANNER_FACTS_H

#include "scanner/check.h"
#include "scanner/clients.h"
#include "scanner/hosts.h"
#include "scanner/hour.h"
#include "scanner/watch.h"

struct facts {
	const struct settings *settings;
	const struct hosts *hosts;
	const struct clients *clients;
	const struct watch *watch;
	int64_t started;
	struct hour hour;
	int64_t newer_since; /* clock_ms(), as the others; -1: they are in use */
	bool has_offset;
	int64_t offset_ms; /* of the wall clock to that of the kernel */
	int64_t jump_ms, jumped_at;
	struct host_test test; /* of any host */
};

void facts_init(struct facts *facts, const struct settings *settings,
	const struct hosts *hosts, const struct clients *clients,
	const struct watch *watch);

/* All but what is of the inspector. To be called every few seconds: a jump of the clock is found by
 * comparison with the last call. */
void facts_fill(struct facts *facts, struct check_facts *facts_r);

/* The wall clock is so far ahead of the kernel's own, which goes on while the machine sleeps: a jump? */
void facts_note_offset(struct facts *facts, int64_t offset_ms, int64_t now_ms);

#endif
