/* SPDX-License-Identifier: ISC
 *
 * What somebody says is no virus, for mail of his own: SHA-256 sums of files, names of signatures.
 * Small lists, each item once. Pure. */
#ifndef COMMON_ALLOW_H
#define COMMON_ALLOW_H

#include "common/pack.h"
#include "common/verdict.h"

enum {
	ALLOW_HASHES_MAX = 512,
	ALLOW_NAMES_MAX = 256,
	/* Bytes that allow_pack adds, at most. */
	ALLOW_PACKED_MAX = 2 + ALLOW_HASHES_MAX * HASH_SIZE + 2 +
			   ALLOW_NAMES_MAX * (2 + FINDING_SIGNATURE_MAX),
};

/* Zeroed: nothing is allowed. */
struct allow {
	struct hash *hashes;
	size_t hash_count;
	char (*names)[FINDING_SIGNATURE_MAX];
	size_t name_count;
};

void allow_done(struct allow *allow);
#define auto_allow DEFER(allow_done)

/* One more, unless it is there. Past the limit, or not a name: ERR_MESSAGE. */
int allow_add_hash(struct allow *allow, const struct hash *hash, struct err *err);
int allow_add_name(struct allow *allow, const char *name, struct err *err);

/* All that other has. */
int allow_add(struct allow *allow, const struct allow *other, struct err *err);

bool allow_has_hash(const struct allow *allow, const struct hash *hash);

/* A name as it is found, which ends in ".UNOFFICIAL" if it is not from ClamAV's own sets; in the
 * list it may stand without that. */
bool allow_has_name(const struct allow *allow, const char *name);

/* A value of the settings: what sha256sum(1) prints, or a name that can be allowed; what says that
 * something was not looked at cannot. ERR_SETTINGS says what was expected. */
int allow_check_hash(const char *value, struct err *err);
int allow_check_name(const char *value, struct err *err);

/* u16 count and the hashes, u16 count and the names. What is read is untrusted: -1 only if memory is
 * short, anything else wrong stands in unpack. *allow_r is the caller's to release either way. */
void allow_pack(struct pack *pack, const struct allow *allow);
int allow_unpack(struct unpack *unpack, struct allow *allow_r, struct err *err);

#endif
