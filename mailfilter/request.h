/* SPDX-License-Identifier: ISC
 *
 * The requests that have no answer yet, in the order they came: what each was sent to whom, and
 * what it has cost so far. Pure bookkeeping; the scan module acts on it.
 *
 * Is a message to blame for a scanner's death? What was there when one died is suspect: it goes
 * alone from then on. Only a death with the message alone counts, and only until a scanner dies
 * without it: then something else kills them, a person or the kernel, and all that waits is
 * acquitted. From the second such death on it waits, longer each time, while other mail goes and
 * the scanner has time to die without it. After REQUEST_DEATHS_MAX it is held. So a message that kills
 * every scanner ends after that many, and what was there by chance is scanned in the end. */
#ifndef MAILFILTER_REQUEST_H
#define MAILFILTER_REQUEST_H

#include "mailfilter/scan.h"

enum {
	REQUESTS_MAX = 1024,
	REQUEST_DEATHS_MAX = 5,  /* scanners that died with it alone */
	REQUEST_SENDS_MAX = 40,  /* for whatever reason */
	REQUEST_PAUSE_MS = 4000, /* after the second such death; doubled with each */
	REQUEST_AGAIN_MS = 250,  /* after the first answer without a verdict; doubled */
	REQUEST_AGAIN_MAX_MS = 1000, /* with each, to this */
	REQUEST_AGAIN_GAP_MS = 3000, /* what waits so much longer begins anew */
	REQUEST_NOWHERE = -1
};

struct request {
	struct scan_request asked;
	uint64_t id;
	int at; /* the scanner that has it; REQUEST_NOWHERE: it waits to be sent */
	uint32_t sent_to;      /* a bit for each scanner whose verdict would be ours */
	uint32_t failed_at;    /* and for each that did not answer in time */
	uint64_t sent;         /* bytes */
	uint64_t credit;       /* bytes that may be sent */
	int64_t since_ms;      /* sent, or waiting, since then */
	int64_t waiting_ms;    /* since when it waits, or waited before it was sent */
	int64_t not_before_ms; /* it is not sent before */
	unsigned sends;
	unsigned losses;  /* scanners that died with it and whatever else was there */
	unsigned deaths;  /* with it alone, since the last one that died without it */
	uint32_t blamed;  /* a bit for each scanner that seems to have died with it */
	uint32_t alone;   /* and for each of these where nothing was beside it */
	unsigned retries; /* answers without a verdict, one soon after the other */
	int64_t held_ms;  /* that it waited because of them */
	bool unread;      /* its next bytes could not be read here */
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

/* The scanner that had it seems to have died; nothing else was there if alone. It waits. */
void request_lost(struct request *request, bool alone, int64_t now_ms);

/* This scanner is back. It had died, or it answers in the same session: then it had not. True: it
 * died with this message for the last time. Pauses are at most pause_max_ms. */
bool request_found(struct request *request, int scanner, bool died, int64_t now_ms,
	int64_t pause_max_ms);

/* A scanner died without it. */
void request_acquit(struct request *request);

/* A scanner had no verdict, and not for the message's fault: it waits a little. False: it has
 * waited for wait_max_ms in all. */
bool request_again(struct request *request, int64_t now_ms, int64_t wait_max_ms);

/* It is sent, from the first byte; sent bytes went with it. */
void request_sent(struct request *request, int scanner, uint64_t sent, int64_t now_ms);

/* It waits again, from now on. */
void request_waits(struct request *request, int64_t now_ms);

/* It was not taken: as if it had not been sent, it waits since before. */
void request_not_taken(struct request *request);

#endif
