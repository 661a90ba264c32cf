/* SPDX-License-Identifier: ISC
 *
 * The connection to one scanner: is it there, what does it say of itself, and what it says of
 * requests. It greets, pings and connects again by itself; a scanner counts as there from its first
 * WIRE_STATE on a connection, and as lost when the connection ends, when it starts anew or when it
 * does not answer in time though its kernel still does. Knows no requests. */
#ifndef MAILFILTER_SCANNER_H
#define MAILFILTER_SCANNER_H

#include "common/link.h"
#include "common/wire.h"

#include "mailfilter/scanner_address.h"

/* A scanner that hangs is noticed after the first two together, under 10 s; a slow line gets some
 * more for what is on its way over it. */
enum {
	SCANNER_PING_MS = 4000,    /* it is asked when nothing is heard for so long */
	SCANNER_SILENCE_MS = 5500, /* an answer that takes longer does not come */
	SCANNER_SLOW_RATE = 128,   /* bytes sent in a millisecond, at least: 1 Mbit/s */
	SCANNER_SLOW_MS = 4000,    /* more than this no line gets */
	SCANNER_REOPEN_MS = 250,   /* between two connections of ours */
};

struct scanner {
	const char *endpoint;  /* borrowed */
	struct link_keys keys; /* borrowed; secret NULL: it needs none */
	struct link *link;     /* NULL between two connections */
	uint64_t connection;   /* the link's, when it was greeted; 0: not yet */
	bool there;            /* it said its state on this connection */
	bool heard;            /* it ever did */
	struct wire_state state;
	uint64_t lost_session;       /* of its state when it was last lost */
	int64_t ping_ms, silence_ms; /* of this one */
	int64_t opened_ms;           /* clock_ms() of the last try to connect */
	int64_t heard_ms, asked_ms;  /* when; asked 0: no answer is awaited */
	uint64_t unheard;            /* bytes sent since it was heard */
	enum link_trouble trouble;   /* of the last try to connect */
};

enum scanner_event {
	SCANNER_NOTHING,   /* for now */
	SCANNER_FOUND,     /* it is there: its state is known */
	SCANNER_LOST,      /* what was under way is lost; err says why */
	SCANNER_MESSAGE,   /* a VERDICT, CREDIT or REFUSE: the caller's to release */
	SCANNER_MALFORMED, /* err says what; message->id says of which request, or 0 */
};

/* address and our own secret key, which may be "" where address has no key, must outlive it. A bad
 * endpoint is ERR_SETTINGS. timeout_ms: for one verdict; where it is short, so are the times between
 * pings and until silence means lost. */
int scanner_open(struct scanner *scanner, const struct scanner_address *address,
	const struct key *secret, int64_t timeout_ms, struct err *err);
void scanner_close(struct scanner *scanner);

/* The next thing that happened, without waiting; call until SCANNER_NOTHING, or a bound. */
enum scanner_event scanner_next(
	struct scanner *scanner, struct wire_message *message_r, struct err *err);

/* Say something about a request. Full: ERR_AGAIN; gone: ERR_SESSION. */
int scanner_say(
	struct scanner *scanner, const struct wire_message *message, struct err *err);

/* Is it there, and does it take requests? */
bool scanner_ready(const struct scanner *scanner);

/* The clock_ms() at which scanner_next has something to do though nothing came. */
int64_t scanner_due(const struct scanner *scanner);

#endif
