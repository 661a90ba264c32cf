/* SPDX-License-Identifier: ISC
 *
 * New files of one folder that become durable together, since a sync for each costs six times as
 * much. Owns the files until filebatch_clear: what is not synced can be taken back. Names are
 * our own, never a message's. */
#ifndef COMMON_FILEBATCH_H
#define COMMON_FILEBATCH_H

#include "common/body.h"

enum {
	FILEBATCH_NAME_MAX = 160,
	FILEBATCH_MAX = 10000,
	FILEBATCH_SINGLY_MAX = 8 /* from here on one sync of the file system is cheaper */
};

struct filebatch {
	int dirfd;        /* borrowed */
	const char *path; /* borrowed; of the folder, for the error text */
	struct filebatch_file *files;
	size_t count, size;
	bool whole; /* the files are closed: the file system is synced as a whole */
	int errnum; /* why a close failed, so that the next sync does */
};

void filebatch_init(struct filebatch *batch, int dirfd, const char *path);

/* Releases; files not synced stay where they are. */
void filebatch_done(struct filebatch *batch);

/* Make NAME, mode 0600, with all bytes. It must not be there, not even as a link (ERR_AGAIN). A
 * failure leaves no file of it, and the rest of the batch as it was. */
int filebatch_add(
	struct filebatch *batch, const char *name, struct body *body, struct err *err);

/* Make the bytes of all durable, not yet their names (file_sync_dir). After a failure nothing is
 * known of any of them and a second sync may lie: discard them and write them anew. */
int filebatch_sync(struct filebatch *batch, struct err *err);

/* The i-th name, from 0 to count. */
const char *filebatch_name(const struct filebatch *batch, size_t i);

/* Take one back, if it is in the batch. */
void filebatch_remove(struct filebatch *batch, const char *name);

/* Take all back. */
void filebatch_discard(struct filebatch *batch);

/* Let go of all: they stay. */
void filebatch_clear(struct filebatch *batch);

#endif
