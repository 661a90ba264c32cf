/* SPDX-License-Identifier: ISC
 *
 * Archives that libclamav alone opens: did it look at every file that it lists in one, and at all of
 * it? What it cannot unpack it passes over without a word. Pure. */
#ifndef SCANNER_ALONE_H
#define SCANNER_ALONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ALONE_LEVELS = 64 /* what is nested deeper counts as one level */
};

/* Of one scan; zeroed to begin with. */
struct alone {
	uint8_t kinds[ALONE_LEVELS]; /* of the archives that are open, 0: none */
	uint32_t last;               /* level of the last file */
	bool is_fresh;               /* that was an archive, nothing came out of it yet */
	bool is_listed;              /* a file was listed, and is not looked at yet */
	uint64_t size;               /* its */
	bool is_missing; /* one never was, or not all of one, or an archive had none */
};

/* Does libclamav alone open files of this type? */
bool alone_is(const char *type);

/* A file is looked at; a file is listed in an archive of a type. In the order of libclamav's calls.
 * What it lists where no file of that type is open it takes for an archive behind other bytes: that
 * is often chance, and found by sniff() if it is not. */
void alone_layer(struct alone *alone, const char *type, uint32_t level, uint64_t size);
void alone_listed(struct alone *alone, const char *type, uint64_t size);

/* The scan is over: is anything missing? */
bool alone_end(struct alone *alone);

#endif
