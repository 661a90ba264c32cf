/* SPDX-License-Identifier: ISC
 *
 * Messages put into folders on the server, each once, through any crash: over a session of its own
 * (imap_place.h), with a journal (inplace_journal.h). Until it is seen there a message counts as
 * not there, whatever the server said of it: so servers with and without UIDPLUS go the same way, a
 * false APPENDUID says nothing, and after a crash the same look tells. */
#ifndef MAILFILTER_INPLACE_H
#define MAILFILTER_INPLACE_H

#include "mailfilter/deliver.h"
#include "mailfilter/imap_place.h"
#include "mailfilter/inplace_journal.h"

enum {
	INPLACE_DOWN_MS =
		30 * 1000,    /* where no session can be had, none is tried so long */
	INPLACE_LOST_MAX = 2, /* of them in a row, then it counts as such */
	/* Until what the server does not show is not there: where we died, it may just be at it; where
	 * the connection was lost, it may be slow; where it said that it has it, it is odd. */
	INPLACE_DIED_S = 3,
	INPLACE_DOUBT_S = 5 * 60,
	INPLACE_TAKEN_S = 24 * 3600,
	INPLACE_STALE_S =
		30 * 24 * 3600, /* a folder not to be opened for so long is gone */
};

struct inplace {
	struct stream_wait wait;
	struct imap_place *place;
	struct inplace_journal journal;
	unsigned lost;         /* in a row */
	int64_t down_until_ms; /* for this reason */
	struct err down;
};

/* tools are borrowed. */
int inplace_open(
	const struct deliver_tools *tools, struct inplace *inplace_r, struct err *err);
void inplace_close(struct inplace *inplace);

/* As imap_place_enter, but whatever is wrong is ERR_AGAIN: the message is held, while the other
 * session goes on. */
int inplace_enter(struct inplace *inplace, const char *folder, uint32_t *uidvalidity,
	uint32_t *uidnext_r, struct err *err);

/* An error of a session as one of the message. Returns -1. */
int inplace_hold(struct err *why, struct err *err);

/* Is the message of this entry there? Where it has no token it is found by its bytes. 1: yes, and
 * entry->placed says which one it is; 0: no; -1: not known (yet). May wait for INPLACE_DIED_S. */
int inplace_resolve(struct inplace *inplace, struct inplace_entry *entry,
	const struct body *bytes, struct err *err);

/* Put bytes into the current folder, which is the entry's: 0, and the message's placed says which
 * one it is. On failure `repeat` is cleared where it is certainly not there. */
int inplace_put(struct inplace *inplace, struct message *message,
	const struct inplace_entry *entry, const struct imap_place_facts *facts,
	const struct body *bytes, struct err *err);

#endif
