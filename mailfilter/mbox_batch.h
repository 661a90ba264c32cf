/* SPDX-License-Identifier: ISC
 *
 * What is about to be appended to a mailbox, as it will stand there, in a file of its own that is
 * durable before the mailbox is touched: after a crash it tells which bytes at the mailbox's end
 * are ours. Also the names that are delivered and not yet recorded. The file (mbox.batch in the
 * account's state) is ours alone; a torn or foreign one reads as empty, because nothing was
 * appended before a whole one was there. */
#ifndef MAILFILTER_MBOX_BATCH_H
#define MAILFILTER_MBOX_BATCH_H

#include "common/buf.h"

#include "mailfilter/names.h"

enum {
	MBOX_BATCH_MAX = 1000,       /* messages */
	MBOX_BATCH_KNOWN_MAX = 10000 /* names; the oldest are forgotten before the new */
};

struct mbox_entry {
	char name[MESSAGE_NAME_MAX];
	uint64_t at, len; /* in the batch's file */
};

/* Where the batch goes: which file, from which byte, after which end of line. */
struct mbox_place {
	uint64_t dev, ino;
	uint64_t offset;
	uint64_t
		newlines; /* so many before the first message, where the mailbox lacks them */
};

struct mbox_batch {
	int dirfd;
	int fd; /* of the file being made, then of the one committed; -1: none */
	char *path, *new_path;
	uint64_t end;       /* of the messages */
	uint64_t index_end; /* of the index behind them, once it is placed */
	struct mbox_entry *entries;
	uint8_t *shown; /* which of them the mailbox has; MBOX_BATCH_MAX of both */
	size_t count;
	struct mbox_place place;
	bool placed; /* committed: the mailbox may have some of it */
	bool ended;  /* loaded with the word that shown is complete */
};

/* Open or make it, and load what an earlier run left; its delivered names are added to known. */
int mbox_batch_open(const char *dir, struct mbox_batch *batch_r, struct names *known,
	struct err *err);
void mbox_batch_close(struct mbox_batch *batch);

/* Add a message; a failure leaves nothing of it. */
int mbox_batch_add(struct mbox_batch *batch, const char *name, const char *sender,
	int64_t wall_s, const struct body *message, struct err *err);
void mbox_batch_remove(struct mbox_batch *batch, const char *name);

/* Make it durable, with its place and the names known, in place of the last one. */
int mbox_batch_commit(struct mbox_batch *batch, const struct mbox_place *place,
	const struct names *known, struct err *err);

/* The bytes of an entry from there on, as many as go in; len is 0 at its end. */
struct mbox_piece {
	uint8_t bytes[64 * 1024];
	size_t len;
};
int mbox_batch_read(const struct mbox_batch *batch, const struct mbox_entry *entry,
	uint64_t from, struct mbox_piece *piece_r, struct err *err);

/* Note which are shown. Not synced: it is for a kill, and after a power cut the mailbox tells. */
void mbox_batch_end(struct mbox_batch *batch);

/* Forget it, and with it the names of the last commit. */
void mbox_batch_clear(struct mbox_batch *batch);

#endif
