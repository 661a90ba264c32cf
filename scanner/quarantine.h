/* SPDX-License-Identifier: ISC
 *
 * The folder that the sweep moves finds to: of each, its bytes (ID.file) and what is known of it
 * (ID.info, quarantine_item.h). Nobody but its owner may enter it; nothing in it can be run. Who changes
 * something holds the lock; who only looks needs none. Every change is durable when it returns, and one
 * that a kill cuts off is ended or taken back by who comes next (quarantine_take.h). Links in it are
 * never followed, for root may be at work in a folder of the scanner's user. */
#ifndef SCANNER_QUARANTINE_H
#define SCANNER_QUARANTINE_H

#include <sys/types.h>

#include "common/defer.h"

#include "scanner/quarantine_item.h"

enum {
	QUARANTINE_MAX = 10000, /* files in it */
	QUARANTINE_FILE_MAX = QUARANTINE_ID_MAX + 8
};

struct quarantine {
	int dir, lock; /* -1: none */
	uid_t uid;     /* of the folder, and of all that is in it */
	gid_t gid;
	char path[QUARANTINE_PATH_MAX];
};

/* make: it is made if it is missing. Refused if others may enter it, or if it is another's and we are not
 * root. ERR_MESSAGE: it is not there. */
int quarantine_open(
	const char *path, bool make, struct quarantine *quarantine_r, struct err *err);
void quarantine_close(struct quarantine *quarantine);
#define auto_quarantine DEFER(quarantine_close)

/* Until it is closed. ERR_AGAIN: another has it, and this one does not wait. */
int quarantine_lock(struct quarantine *quarantine, bool wait, struct err *err);

struct quarantine_ids {
	char (*ids)[QUARANTINE_ID_MAX];
	size_t count;
};

/* Of all that is known of, by the day on which they came. */
int quarantine_ids(const struct quarantine *quarantine, struct quarantine_ids *ids_r,
	struct err *err);
void quarantine_ids_done(struct quarantine_ids *ids);
#define auto_quarantine_ids DEFER(quarantine_ids_done)

/* What is known of one. ERR_MESSAGE: there is none of this id, or it is damaged. */
int quarantine_read(const struct quarantine *quarantine, const char *id,
	struct quarantine_item *item_r, struct err *err);
int quarantine_write(const struct quarantine *quarantine,
	const struct quarantine_item *item, struct err *err);

/* Its bytes: ERR_MESSAGE if they are not there. */
int quarantine_data(
	const struct quarantine *quarantine, const char *id, int *fd_r, struct err *err);

/* A file for the bytes of a new one, to write. */
int quarantine_new_data(
	const struct quarantine *quarantine, const char *id, int *fd_r, struct err *err);

/* Remove its bytes, or all; what is gone already is fine. */
int quarantine_remove_data(
	const struct quarantine *quarantine, const char *id, struct err *err);
int quarantine_remove(
	const struct quarantine *quarantine, const char *id, struct err *err);

/* Was a file with these bytes released? Then its id. */
bool quarantine_released(const struct quarantine *quarantine, const struct hash *hash,
	char id_r[static QUARANTINE_ID_MAX]);

/* Remove what a crash left that is of no file that is known of. Under the lock. */
int quarantine_tidy(const struct quarantine *quarantine, struct err *err);

/* Copy a file from its beginning, at most so many bytes, and sync it. *hash_r is of what was written. */
int quarantine_copy(int from, int to, uint64_t max, struct hash *hash_r, uint64_t *size_r,
	struct err *err);

#endif
