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

enum {
	FOLDER_OWED_MAX = 1000000,
	FOLDER_CHUNK_MESSAGES_MAX = 500,           /* fetched with one command */
	FOLDER_CHUNK_BYTES_MAX = 32 * 1024 * 1024, /* of them, by the server's word */
};

struct folder {
	const char *name;
	uint32_t uidvalidity;
	struct source *source;
	struct pipeline *pipeline;
	struct fetch *fetch;
	struct stuck *stuck;
	struct source_item *items; /* of the listing, ascending */
	size_t count;
	struct buf owed;    /* source_items that are recorded and not settled yet */
	struct buf settled; /* settled if the session ends in order */
};

/* Select and list. A UIDVALIDITY that differs from the recorded one is ERR_ACCOUNT: nothing is
 * fetched, because it could be delivered twice. */
int folder_open(struct folder *folder, struct err *err);
void folder_close(struct folder *folder);

/* Fetch what is neither recorded nor held, settling between the chunks what is recorded. */
int folder_fetch_new(struct folder *folder, struct err *err);

/* Fetch what was held, if what it waited for may be there now: those that wait for a scanner
 * only when one is ready, and counted as held again when none gets ready. */
int folder_fetch_held(struct folder *folder, struct err *err);

/* Do on the server what is owed: for what folder_fetch_new found recorded by an earlier run and
 * not settled, and for what is recorded now. With a source that settles at its finish, folder_settled comes after. */
int folder_settle(struct folder *folder, struct err *err);

/* Record as settled all that folder_settle did (a mailbox whose session ended in order). */
int folder_settled(struct folder *folder, struct err *err);

/* Move the mark up to which everything is settled or parked, so that the next listing starts
 * behind it. */
int folder_advance(struct folder *folder, struct err *err);

#endif
