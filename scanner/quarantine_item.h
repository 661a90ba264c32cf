/* SPDX-License-Identifier: ISC
 *
 * What the quarantine knows of one file that the sweep moved there: as text, a field a line, that
 * people can read as well; bytes of names that are not plain stand as %XX. Pure. What is read is
 * untrusted. */
#ifndef SCANNER_QUARANTINE_ITEM_H
#define SCANNER_QUARANTINE_ITEM_H

#include "common/hash.h"
#include "common/verdict.h"

enum {
	QUARANTINE_ID_MAX = 26, /* 20261231-0123456789abcdef */
	QUARANTINE_PATH_MAX = 4096,
	QUARANTINE_INFO_MAX = 16 * 1024 /* bytes of one such text */
};

/* How its move stands. A crash leaves it as it is written here. */
enum quarantine_state {
	QUARANTINE_TAKING,    /* its copy is whole; the original may still be there */
	QUARANTINE_KEPT,      /* the original is gone */
	QUARANTINE_RELEASING, /* it may be back already */
	QUARANTINE_RELEASED,  /* it is back, and stays as long as its bytes do */
	QUARANTINE_STATES
};

struct quarantine_item {
	char id[QUARANTINE_ID_MAX];
	enum quarantine_state state;
	char path[QUARANTINE_PATH_MAX]; /* where it was, whole */
	char signature[FINDING_SIGNATURE_MAX];
	char where[FINDING_NAME_MAX]; /* in it; may be "" */
	struct hash hash;             /* of its bytes */
	struct hash signatures;       /* the set that found it */
	uint64_t size, inode;
	uint64_t links; /* names that it had, with this one */
	uint64_t uid, gid, mode;
	uint64_t modified_s, modified_ns; /* as of struct timespec; before 1970 wraps */
	uint64_t accessed_s, accessed_ns;
	uint64_t taken_s, released_s; /* wall clock; 0: not yet */
};

/* The word for it. */
const char *quarantine_state_name(enum quarantine_state state);

/* All but the id, which is the name of the file. */
int quarantine_item_encode(
	const struct quarantine_item *item, struct buf *text, struct err *err);

/* ERR_MESSAGE says what is wrong. The id is as it was. */
int quarantine_item_decode(
	struct span text, struct quarantine_item *item_r, struct err *err);

/* Has it the form of an id? */
bool quarantine_is_id(const char *text);

#endif
