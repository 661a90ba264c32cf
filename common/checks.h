/* SPDX-License-Identifier: ISC
 *
 * What a scanner's checks of itself and its system found last: a part of STATE. Plain data, to bytes
 * and back, as a table for people and as JSON. Pure; what is unpacked is untrusted. */
#ifndef COMMON_CHECKS_H
#define COMMON_CHECKS_H

#include "common/json.h"
#include "common/pack.h"

enum check_level {
	CHECK_OK,
	CHECK_WARNING, /* somebody should look at it in the next days */
	CHECK_CRITICAL /* mail waits, or viruses pass, or will soon */
};

enum {
	CHECKS_MAX = 20,
	CHECK_NAME_MAX = 20,
	CHECK_TEXT_MAX = 200,
};

struct check_result {
	enum check_level level;
	char text
		[CHECK_TEXT_MAX]; /* a sentence: what is, and if a person must act, what to do */
};

struct checks_entry {
	char name[CHECK_NAME_MAX];
	int64_t since_s; /* it has this level; seconds since 1970 */
	struct check_result result;
};

/* Those that have run, in the order of the scanner's table. */
struct checks {
	uint32_t count;
	struct checks_entry list[CHECKS_MAX];
};

/* "ok", "warning", "critical". */
const char *check_level_name(enum check_level level);

/* The worst of all; CHECK_OK if there is none. */
enum check_level checks_worst(const struct checks *checks);

void checks_pack(struct pack *pack, const struct checks *checks);
void checks_unpack(struct unpack *unpack, struct checks *checks);

/* Append a table of 80 columns; least leaves out what is better. Nothing if nothing is left. */
int checks_show_text(const struct checks *checks, enum check_level least,
	const char *indent, struct buf *out, struct err *err);

/* Add "checks" to the open object. */
void checks_show_json(const struct checks *checks, struct json *json);

#endif
