/* SPDX-License-Identifier: ISC
 *
 * The engine hosts: one serves; beside it, after new signatures, one loads and one drains. Started,
 * started again when they die, replaced when told; what is wrong is kept as a sentence for the
 * clients. Where memory is short, or the settings want it, the old one ends before the new one loads,
 * and requests wait for that. Nothing here waits. */
#ifndef SCANNER_HOSTS_H
#define SCANNER_HOSTS_H

#include "scanner/host.h"

enum {
	HOSTS_MAX = 4, /* loading, serving, draining, ending */
	HOSTS_RETRY_MS = 60 * 1000,
	/* New signatures that did not load load no better, but for short memory or the like. */
	HOSTS_RELOAD_AGAIN_MS = 15 * 60 * 1000,
	HOSTS_TEST_MS = 10 * 60 * 1000 /* between two self-tests of a worker, at most */
};

struct hosts {
	const struct settings *settings;
	const struct schema_list
		*signatures; /* folders that are loaded by now; borrowed */
	size_t workers;      /* to serve at once */
	int events; /* readable when a host or worker has something to say or take */
	struct host list[HOSTS_MAX];
	struct host *serving; /* or NULL */
	uint64_t generation;  /* of the last that was loaded */
	int64_t reload_at;  /* clock_ms(): start another for the one that serves; or -1 */
	bool serial;        /* none is started before all have ended */
	bool failed_before; /* what is to be loaded did not load the last time */
	bool log_again;     /* trouble is logged though it is the same */
	bool stopping;
	int64_t start_after;     /* clock_ms(): none is started before */
	unsigned deaths;         /* in a row, of such as did no work */
	int64_t unsettled_since; /* signatures are being written since then, or -1 */
	int64_t sweep_at; /* temp folders of the dead are to be removed then, or -1 */
	uint64_t counts[HEALTH_COUNTS]; /* of those that ended */
	int64_t wrong_at;               /* the same, as of struct host_test; or -1 */
	char trouble[JOB_TEXT_MAX];     /* why none serves, or not the newest; or "" */
};

int hosts_init(struct hosts *hosts, const struct settings *settings, struct err *err);

/* Load the signatures anew, in another host that takes over if they load. If they do not, they are
 * tried again every now and then, and whenever this is called. */
void hosts_reload(struct hosts *hosts);

/* Start, replace, fill and end what is due. need_fresh: a suspect message waits. Returns when to
 * come again, clock_ms(), or -1. */
int64_t hosts_turn(struct hosts *hosts, bool need_fresh);

/* Another number after each thing that hosts and workers did or suffered. */
uint64_t hosts_moved(const struct hosts *hosts);

/* Before waiting for hosts->events: see to it that nobody is left out. */
void hosts_watch(struct hosts *hosts);

/* Hear, and send to, whoever is ready. */
void hosts_hear(struct hosts *hosts);

/* After SIGCHLD. */
void hosts_reap(struct hosts *hosts);

/* What they and their workers did since the start; the rest is 0. */
void hosts_count(const struct hosts *hosts, uint64_t counts_r[static HEALTH_COUNTS]);

/* When one of their workers last found nothing any more, as of struct host_test; -1: never. */
int64_t hosts_wrong_at(const struct hosts *hosts);

/* Jobs in work, in all of them. */
size_t hosts_busy(const struct hosts *hosts);

/* Is nothing in work, and has all that was left its temp folder empty? One that is ending has not; but a
 * worker of the sweep that was killed, and cannot die, is waited for HOST_SWEEPER_MS. */
bool hosts_are_quiet(const struct hosts *hosts);

/* Give the request to a worker of the host that serves; false: not now. */
bool hosts_give(struct hosts *hosts, struct request *request);

/* Tell all to end, now. True once none is left. */
bool hosts_stop(struct hosts *hosts);

/* Kill what is left; waits for that, for a moment. */
void hosts_done(struct hosts *hosts);

#endif
