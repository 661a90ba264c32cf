/* SPDX-License-Identifier: ISC
 *
 * Originals kept: one file each, mode 0600, exactly the bytes of the server, in quarantine/ of
 * the account's folder, under ID.eml. Adding is in two halves so that a batch can share its
 * syncs: quarantine_write for each, quarantine_sync once, then the records. An orphan left by a
 * crash between is overwritten by the same message's next try. */
#ifndef MAILFILTER_QUARANTINE_H
#define MAILFILTER_QUARANTINE_H

#include "mailfilter/record.h"

struct quarantine;

/* For who writes, one process at a time: removes the temporary files of one that was killed. */
int quarantine_open(
	const char *account_dir, struct quarantine **quarantine_r, struct err *err);
void quarantine_close(struct quarantine *quarantine);

/* A new id: unguessable, sorts by time, letters, digits and '-' only. */
void quarantine_new_id(char id[static QUARANTINE_ID_MAX]);
bool quarantine_is_id(const char *id);
int quarantine_check_id(const char *id, struct err *err);

/* Write the original of message to a temporary file. Failure leaves nothing behind. */
int quarantine_write(
	struct quarantine *quarantine, struct message *message, struct err *err);

/* Make all written since the last call durable and give them their names. On failure none of
 * them counts. */
int quarantine_sync(struct quarantine *quarantine, struct err *err);

/* Forget what was written since the last sync. */
void quarantine_discard(struct quarantine *quarantine);

/* What the index keeps of a message: its key, size, hash, subject, sender and why. */
int quarantine_describe(
	struct message *message, struct record_quarantined *item_r, struct err *err);

/* The rest needs no open quarantine (quarantine_files.c). */

/* The folder, which the caller frees. */
int quarantine_path(const char *account_dir, char **path_r, struct err *err);

/* Open the original of an id for reading. Unknown: ERR_MESSAGE. */
int quarantine_original(
	const char *account_dir, const char *id, int *fd_r, struct err *err);

/* Keep an original, durably, beside who has the quarantine open. tmp: a folder on its file system,
 * which nobody else works in. One of this id that is there is replaced. */
int quarantine_keep(const char *account_dir, const char *id, const char *tmp,
	struct span bytes, struct err *err);

/* Call each for every original that is there, by its file alone; mtime_s is when it was kept. No
 * folder: none. -1 from each ends it with its err. */
int quarantine_each_file(const char *account_dir,
	int (*each)(void *arg, const char *id, int64_t mtime_s, struct err *err),
	void *arg, struct err *err);

/* Remove the file of an original; one that is gone is fine. Durable after
 * quarantine_sync_removed. */
int quarantine_remove(const char *account_dir, const char *id, struct err *err);
int quarantine_sync_removed(const char *account_dir, struct err *err);

#endif
