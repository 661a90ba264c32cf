/* SPDX-License-Identifier: ISC
 *
 * One folder of an account during one session: what is new in it, what is owed to it, and how
 * far it is done. Listing, fetch in chunks, settle between the chunks. */
#ifndef MAILFILTER_FOLDER_H
#define MAILFILTER_FOLDER_H

#include "mailfilter/fetch.h"

/* The message at which sessions keep ending: fetched alone once, then parked. */
struct stuck {
	struct message_key key;
	uint32_t count;
};

enum {
	STUCK_ALONE = 2,
	STUCK_PARK = 3
};

/* After a run that died its message is among the first that are not recorded: so many are fetched
 * one at a time, and one that a process dies of again and again is parked. A process that somebody
 * killed, perhaps with its parent, says little of the message. */
enum {
	CAREFUL_MESSAGES = 512,
	CAREFUL_CRASHES = 2,
	CAREFUL_CUTS = 5
};

enum {
	FOLDER_ITEMS_MAX = 1000000,                /* held or owed, in one folder */
	FOLDER_CHUNK_MESSAGES_MAX = 500,           /* fetched with one command */
	FOLDER_CHUNK_BYTES_MAX = 32 * 1024 * 1024, /* of them, by the server's word */
};

/* What the folders of an account share during one session. */
struct session {
	struct source *source;
	struct pipeline *pipeline;
	struct fetch *fetch;
	struct stuck *stuck;
	bool full;                     /* it should end, and another go on */
	bool first_run;                /* no run of the account has ended */
	uint32_t careful;              /* so many more are fetched one at a time */
	bool crashed;                  /* the last run died of what it did */
	bool looked_for_lost;          /* what is on record and was renamed */
	const struct folder *selected; /* the source's current one; NULL: none */
	bool said;                     /* that the server cannot remove what it should */
};

struct folder {
	const char *name;
	struct session *session;
	bool found;  /* by a pattern: it need not be there any more */
	bool listed; /* folder_open succeeded */
	uint32_t uidvalidity;
	struct source_item
		*items; /* of the listing, ascending, without what is passed over */
	size_t count;
	size_t measured;     /* up to here all have size and date that will need them */
	size_t measure_next; /* so many are to be told next; 0: none was yet */
	int64_t listing_ms;  /* so long did it take to list them */
	uint32_t listed_to;  /* the last UID that was there, or was done before */
	uint32_t passed_to;  /* what is passed over begins the listing, up to this UID */
	struct buf held;     /* source_items that were held before this session */
	struct buf owed;     /* source_items that are recorded and not settled yet */
	struct buf settled;  /* settled if the session ends in order */
	struct err refused;  /* the server will not settle, or ERR_NONE */
};

/* A server that numbers a folder anew (another UIDVALIDITY) has its messages told again by size and
 * head, and what is recorded of each goes on under its new UID; what is not told is new. Rows that
 * no message is told to be are kept a while, for mail that comes back. A server that does it again
 * and again has its folders served only now and then. */
enum {
	FOLDER_STRAYS_S = 30 * 24 * 3600, /* so long are they kept */
	FOLDER_SETTLED_S =
		24 * 3600,      /* a UIDVALIDITY older than this was meant to last */
	FOLDER_CHANGES_MAX = 3, /* in a row that were not; then a pause: */
	FOLDER_CHANGES_PAUSE_S = 6 * 3600,
};

/* Select, list, and tell again what the server numbered anew. A found folder that cannot be
 * selected is logged and has nothing in it. ERR_ACCOUNT where that cannot be
 * done: nothing is fetched, because it could be delivered twice. */
int folder_open(struct folder *folder, struct err *err);

/* Forget the session; name and session stay. */
void folder_close(struct folder *folder);

/* Fetch what is neither recorded nor held, settling between the chunks what is recorded. Where that
 * is settled only at the session's end, and much is owed, it stops early: the session is full. */
int folder_fetch_new(struct folder *folder, struct err *err);

/* Fetch what folder_fetch_new found to be held, if what it waited for may be there now: those that
 * wait for a scanner only when one is ready, and counted as held again when none gets ready. */
int folder_fetch_held(struct folder *folder, struct err *err);

/* Do on the server what is owed to this folder, and to it alone: for what folder_fetch_new found
 * recorded by an earlier run and not settled, and for what is recorded now. A server that refuses
 * for good stops no fetch: folder->refused says why, for the session's end. */
int folder_settle(struct folder *folder, struct err *err);

/* After the source's finish: record as settled what that made final, and move the mark up to
 * which everything is settled or parked, so that the next listing starts behind it. */
int folder_finished(struct folder *folder, struct err *err);

#endif
