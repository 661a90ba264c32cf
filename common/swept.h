/* SPDX-License-Identifier: ISC
 *
 * What a scanner's sweep of directories did: a part of STATE. Plain data, to bytes and back, as lines for
 * people and as JSON. No name of a file is in it. Pure; what is unpacked is untrusted. */
#ifndef COMMON_SWEPT_H
#define COMMON_SWEPT_H

#include "common/json.h"
#include "common/pack.h"

enum {
	SWEPT_TEXT_MAX = 256
};

#define SWEPT_TIME_MAX_S INT64_C(253402300799) /* in the year 9999 */

/* Once through all the directories; times in seconds since 1970, up to 9999, 0: not yet. */
struct swept_pass {
	int64_t began_s, ended_s;
	uint64_t files, bytes; /* looked at: known or scanned */
	uint64_t scanned;      /* files */
	uint64_t infected, unscannable;
	uint64_t unreadable; /* files and directories */
	uint64_t large;      /* files, too large to be read */
};

struct swept {
	struct swept_pass now, last; /* last: the last full one, or all 0 */
	uint32_t pass; /* number of the present one, or of the last; 0: none has begun */
	bool on;       /* directories are named; else all the rest is 0 */
	char trouble[SWEPT_TEXT_MAX]; /* why it does not do what it was told to, or "" */
};

void swept_pack(struct pack *pack, const struct swept *swept);
void swept_unpack(struct unpack *unpack, struct swept *swept);

/* Could it have been unpacked? */
bool swept_is_sound(const struct swept *swept);

/* Is the present pass the last full one, too? */
bool swept_rests(const struct swept *swept);

/* Append lines that begin with two blanks; none if it is off. */
int swept_show_text(const struct swept *swept, struct buf *out, struct err *err);

/* Add "sweep" to the open object. */
void swept_show_json(const struct swept *swept, struct json *json);

#endif
