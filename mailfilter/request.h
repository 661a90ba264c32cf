/* SPDX-License-Identifier: ISC
 *
 * The requests that have no answer yet, in the order they came: what each was sent to whom, and
 * what it has cost so far. Pure bookkeeping; the scan module acts on it. */
#ifndef MAILFILTER_REQUEST_H
#define MAILFILTER_REQUEST_H

#include "mailfilter/scan.h"

enum {
	REQUESTS_MAX = 1024,
	REQUEST_DEATHS_MAX = 3, /* scanners that died with it */
	REQUEST_SENDS_MAX = 10, /* for whatever reason */
	REQUEST_NOWHERE = -1
};

struct request {
	struct scan_request asked;
	uint64_t id;
	int at; /* the scanner that has it; REQUEST_NOWHERE: it waits to be sent */
	uint32_t sent_to;   /* a bit for each scanner whose verdict would be ours */
	uint32_t failed_at; /* and for each that did not answer in time */
	uint64_t sent;      /* bytes */
	uint64_t credit;    /* bytes that may be sent */
	int64_t since_ms;   /* sent, or waiting, since then */
	int64_t waiting_ms; /* since when it waits, or waited before it was sent */
	unsigned sends;
	unsigned deaths;
	int blamed; /* the scanner that seemed to die with it last; may turn out not to have died */
};

/* Waiting, or at a scanner: one after the other. */
struct requests {
	struct request list[REQUESTS_MAX];
	size_t count;
};

/* NULL if it is full. The request waits from now_ms on. */
struct request *requests_add(struct requests *requests, const struct scan_request *asked,
	uint64_t id, int64_t now_ms);
struct request *requests_find(struct requests *requests, uint64_t id);

/* Those behind it move up by one. */
void requests_remove(struct requests *requests, struct request *request);

/* Has it been there when a scanner died? Then nothing else is sent beside it. */
bool request_suspect(const struct request *request);

/* It is sent, from the first byte; sent bytes went with it. */
void request_sent(struct request *request, int scanner, uint64_t sent, int64_t now_ms);

/* It waits again, from now on. */
void request_waits(struct request *request, int64_t now_ms);

/* It was not taken: as if it had not been sent, it waits since before. */
void request_not_taken(struct request *request);

#endif
