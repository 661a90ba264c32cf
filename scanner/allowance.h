/* SPDX-License-Identifier: ISC
 *
 * What the client of one message says is no virus, and what of it was met in that message. Takes
 * nothing but finds away: who asks has made sure that it is one, and goes on looking for others. */
#ifndef SCANNER_ALLOWANCE_H
#define SCANNER_ALLOWANCE_H

#include "common/allow.h"

#include "scanner/seen.h"

struct allowance {
	const struct allow *allow; /* borrowed; NULL: nothing is allowed */
	struct seen
		texts; /* allowed parts that are text, as allowance_add_text has them */
	char said[VERDICT_DETAIL_MAX];
};

/* A new message. */
void allowance_start(struct allowance *allowance, const struct allow *allow);
void allowance_done(struct allowance *allowance);

/* May any hash be? Else none need be computed. */
bool allowance_has_hashes(const struct allowance *allowance);

/* Is it allowed? Then it is said, and is to be passed over. */
bool allowance_name(struct allowance *allowance, const char *signature);
bool allowance_hash(struct allowance *allowance, const struct hash *hash);

/* This part is allowed. libclamav's mail parser gives text other line ends, and one more at the end:
 * it is to be known again. Binary parts stay what they are. */
void allowance_add_text(struct allowance *allowance, struct span part);

/* What libclamav is about to look at, with its hash. */
bool allowance_layer(
	struct allowance *allowance, struct span bytes, const struct hash *hash);

/* "", or all that was passed over, as the detail of a verdict (VERDICT_ALLOWED). */
const char *allowance_said(const struct allowance *allowance);

#endif
