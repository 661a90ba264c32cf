/* SPDX-License-Identifier: ISC
 *
 * What libclamav took out of a mail as its parts, and scanned there: by SHA-256, exact, and of text
 * also without regard to line ends, which its mail parser changes. Bounded: what does not fit is
 * forgotten, and scanned again. */
#ifndef SCANNER_PARTS_H
#define SCANNER_PARTS_H

#include "scanner/engine.h"
#include "scanner/seen.h"

enum {
	PARTS_TEXTS = 3, /* kinds of text, as libclamav calls them */
	PARTS_SIZES = 4096
};

struct parts {
	bool is_open; /* the mail is being scanned: take in what is met */
	struct seen exact, texts[PARTS_TEXTS];
	uint64_t sizes[PARTS_SIZES / 64]; /* a bit for each size that there is, modulo */

	/* of one scan: */
	bool is_mail;
	unsigned text; /* a bit for what kind of it the bytes are */
	bool has_more; /* there is something in them */
};

/* A scan starts. */
void parts_start(struct parts *parts);

/* What libclamav looks at in it, below so many archives; of the bytes of the scan themselves the hash
 * does not matter. Fails with ERR_FATAL. */
int parts_meet(struct parts *parts, const struct engine_layer *layer, uint32_t depth,
	const struct hash *hash, struct err *err);

/* Was the scan of text of one of these kinds, and of nothing else? */
bool parts_were_text(const struct parts *parts, unsigned kinds);

/* Are just these bytes among them? Fails with ERR_FATAL. */
int parts_find(
	const struct parts *parts, struct span bytes, bool *found_r, struct err *err);

/* A bit for each kind of text that is among them with these bytes but for the line ends: CR LF for
 * LF anywhere, any or none at the end. 0: none is. Fails with ERR_FATAL. */
int parts_find_text(
	const struct parts *parts, struct span bytes, unsigned *kinds_r, struct err *err);

/* Forget all; accepts a zeroed one. */
void parts_done(struct parts *parts);

#endif
