/* SPDX-License-Identifier: ISC
 *
 * What a person needs to judge how a scanner is: what it did since its start, and how long its scans
 * took lately. A part of STATE; plain data, to bytes and back. Pure. */
#ifndef COMMON_HEALTH_H
#define COMMON_HEALTH_H

#include "common/pack.h"

/* Since the start of the scanner. The order is that of the wire. */
enum health_count {
	HEALTH_RETRY, /* verdicts that were sent, by kind; messages known to be clean too */
	HEALTH_CLEAN,
	HEALTH_INFECTED,
	HEALTH_UNSCANNABLE,
	HEALTH_ENCRYPTED, /* the unscannable ones, by reason */
	HEALTH_UNSUPPORTED,
	HEALTH_LIMIT,
	HEALTH_TIMEOUT,
	HEALTH_CRASH,
	HEALTH_MALFORMED,
	HEALTH_ERROR,
	HEALTH_WORKERS,     /* started; each is replaced every now and then */
	HEALTH_CRASHES,     /* workers that ended on their own, or sent what may not be */
	HEALTH_LATE,        /* that passed their deadline */
	HEALTH_KILLED,      /* that somebody else killed, or that ended with their host */
	HEALTH_HOSTS,       /* engine hosts that ended on their own */
	HEALTH_AGAIN,       /* scans begun again, for the worker died */
	HEALTH_FRAMES,      /* messages of clients that were malformed, and dropped */
	HEALTH_CONNECTIONS, /* of clients, that were refused */
	HEALTH_SWEEP, /* processes of the sweep that ended on their own, or were killed */
	HEALTH_COUNTS
};

/* Sizes of messages: up to 10 KB, 100 KB, 1 MB, 10 MB, and larger. */
enum {
	HEALTH_CLASSES = 5
};

struct health_quantiles {
	uint32_t p50, p95,
		p99; /* milliseconds: so long half of them took, or less; 95 %; 99 % */
};

/* Of the messages of one class whose scan ended in the last 30 to 60 minutes. What was known to be
 * clean was not scanned, and what was held (retry) has no verdict: neither counts. */
struct health_times {
	uint32_t scans;
	struct health_quantiles all; /* from a message's last byte to its verdict */
	struct health_quantiles
		work; /* and of that, in workers: all their tries together */
};

struct health {
	uint64_t counts[HEALTH_COUNTS];
	struct health_times times[HEALTH_CLASSES];
};

/* "retry", "clean", ... "unscannable_limit", ... for scripts. */
const char *health_count_name(enum health_count count);

/* The class of a message; and its largest size in bytes, 0 for the last, which has none. */
size_t health_class(uint64_t size);
uint64_t health_class_max(size_t index);

void health_pack(struct pack *pack, const struct health *health);
void health_unpack(struct unpack *unpack, struct health *health);

#endif
