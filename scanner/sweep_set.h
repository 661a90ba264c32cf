/* SPDX-License-Identifier: ISC
 *
 * Which files the sweep has scanned: a table of fingerprints on disk, in buckets of a page, so that
 * millions cost a bit of memory each and one look-up costs one read. Of the walker alone, under a lock. Every
 * change is one small write that a kill leaves whole; what a power cut takes is scanned again. A file
 * that is none of ours, or damaged, is begun anew. Never says that something was scanned that was not,
 * but for one chance in 2^80. */
#ifndef SCANNER_SWEEP_SET_H
#define SCANNER_SWEEP_SET_H

#include <sys/stat.h>

#include "common/hash.h"

enum {
	SWEEP_SET_BUCKETS_MAX =
		1 << 18, /* of 256: 33 million files, 1 GB, when half full */
	SWEEP_PRINT_SIZE = 11
};

enum sweep_kind {
	SWEEP_NONE, /* not remembered */
	SWEEP_CLEAN,
	SWEEP_INFECTED,
	SWEEP_UNSCANNABLE
};

struct sweep_print {
	uint8_t bytes[SWEEP_PRINT_SIZE];
};

struct sweep_set;

/* The table in this folder, which is made if it is missing. Another has it open: ERR_AGAIN. */
int sweep_set_open(const char *dir, struct sweep_set **set_r, struct err *err);
void sweep_set_close(struct sweep_set *set);
static inline void defer_sweep_set(struct sweep_set **set)
{
	sweep_set_close(*set);
}
#define auto_sweep_set DEFER(defer_sweep_set)

/* The fingerprint of a file as it is now (device, inode, size, times), scanned by these signatures as a
 * mail or as a file. */
int sweep_set_print(const struct sweep_set *set, const struct stat *stat,
	const struct hash *digest, bool is_mail, struct sweep_print *print_r,
	struct err *err);

/* What it was, or SWEEP_NONE; *now_r: it was scanned in this very pass. It counts as seen in it, once that
 * is flushed. */
int sweep_set_find(struct sweep_set *set, const struct sweep_print *print, uint32_t pass,
	enum sweep_kind *kind_r, bool *now_r, struct err *err);

/* Scanned now. Full: those not seen in this pass nor the last make way, then it grows; at its greatest
 * size it is not remembered, and no error. Where it cannot grow that is one, tried once a pass. */
int sweep_set_add(struct sweep_set *set, const struct sweep_print *print,
	enum sweep_kind kind, uint32_t pass, struct err *err);

/* What was found since the last time is written down as seen in this pass: at its end, for one write for
 * each is what a pass over unchanged files would mostly cost. A kill before it costs nothing, for a pass
 * that was not done finds them again. */
int sweep_set_flush(struct sweep_set *set, uint32_t pass, struct err *err);

/* How many are remembered. */
uint64_t sweep_set_count(const struct sweep_set *set);

#endif
