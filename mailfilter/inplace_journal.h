/* SPDX-License-Identifier: ISC
 *
 * What is being put into folders on a server, durable before the first byte goes out: by which token
 * a copy is found there, from which UID on, and until when one that is not found may still come. The
 * file (inplace.journal in the account's state) is written anew each time, whole or not at all;
 * lines about what is on record by now, or was refused, do no harm. */
#ifndef MAILFILTER_INPLACE_JOURNAL_H
#define MAILFILTER_INPLACE_JOURNAL_H

#include "mailfilter/message.h"

#define INPLACE_NO_TOKEN "-"

enum {
	INPLACE_JOURNAL_MAX = 1000 /* entries; then nothing more is put */
};

struct inplace_entry {
	char name[MESSAGE_NAME_MAX];   /* of the delivery */
	char token[QUARANTINE_ID_MAX]; /* which stands in it, or INPLACE_NO_TOKEN */
	char folder[MESSAGE_FOLDER_MAX];
	uint32_t uidvalidity;
	uint32_t from_uid;    /* the copy's is not lower */
	int64_t until_s;      /* not found then, it is not there */
	struct placed placed; /* once it was found; not in the file */
};

struct inplace_journal {
	char *path;
	struct inplace_entry *entries;
	size_t count;
};

/* Read what is there. A line that is not understood is passed over. */
int inplace_journal_open(
	const char *dir, struct inplace_journal *journal_r, struct err *err);
void inplace_journal_close(struct inplace_journal *journal);

/* NULL if there is none; valid until the next change. */
struct inplace_entry *inplace_journal_find(
	const struct inplace_journal *journal, const char *name);

/* Add an entry, in place of one of this name; durable if this succeeds. */
int inplace_journal_put(struct inplace_journal *journal,
	const struct inplace_entry *entry, struct err *err);

/* Make changes to entries durable. */
int inplace_journal_save(const struct inplace_journal *journal, struct err *err);

/* Forget it; durable with the next save, or at once if it was the last. */
void inplace_journal_drop(struct inplace_journal *journal, const char *name);

#endif
