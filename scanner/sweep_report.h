/* SPDX-License-Identifier: ISC
 *
 * What the sweep did and found, kept in a file of its state folder: written whole or not at all by the
 * walker, read by whoever may (scanner --sweep-report), also while no scanner runs. Paths and names in
 * it come from outside. */
#ifndef SCANNER_SWEEP_REPORT_H
#define SCANNER_SWEEP_REPORT_H

#include "common/hash.h"
#include "common/swept.h"
#include "common/verdict.h"

#include "scanner/sweep_walk.h"

enum {
	SWEEP_FINDS_MAX = 500, /* listed; more are counted */
	SWEEP_REPORT_MAX = 8 * 1024 * 1024
};

/* One file that is not clean. */
struct sweep_find {
	char *path;
	uint32_t pass; /* that saw it last */
	bool is_infected;
	enum verdict_reason reason; /* of others */
	char signature[FINDING_SIGNATURE_MAX];
	char where[FINDING_NAME_MAX]; /* in the file, if it is known */
	char detail[VERDICT_DETAIL_MAX];
	uint64_t size;
	int64_t found_s; /* wall clock */
};

/* Of one pass. Passed over: by reason; the files beside these were clean. */
struct sweep_counts {
	uint64_t files, bytes; /* looked at: known or scanned */
	uint64_t scanned, scanned_bytes;
	uint64_t infected, unscannable;
	uint64_t unreadable; /* files and directories */
	uint64_t changed;    /* while they were scanned, or just before: scanned again */
	uint64_t large;      /* over sweep-file-max */
	uint64_t later;      /* temp space or the like ran short */
	uint64_t why[SWEEP_WHY_COUNT];
};

struct sweep_pass {
	int64_t began_s, ended_s; /* wall clock; 0: not yet */
	struct sweep_counts counts;
};

struct sweep_report {
	uint32_t pass; /* the number of the present or last one; 0: none yet */
	struct sweep_pass now, last; /* last: the last full one, or all 0 */
	struct hash
		digest; /* of the signatures with which the present or last one began */
	int64_t written_s;
	char trouble[256]; /* why it does not do what it was told to, or "" */
	struct sweep_find *finds;
	size_t find_count;
};

void sweep_report_done(struct sweep_report *report);

/* In this folder. 1: read; 0: there is none; -1: it cannot be read, or is damaged. */
int sweep_report_load(const char *dir, struct sweep_report *report_r, struct err *err);
int sweep_report_save(const char *dir, struct sweep_report *report, struct err *err);

/* The listed find with this path, or NULL. */
struct sweep_find *sweep_report_find(const struct sweep_report *report, const char *path);

/* List it, instead of an earlier one with the same path; copied. The list full: not, and no error. */
int sweep_report_add(
	struct sweep_report *report, const struct sweep_find *find, struct err *err);

/* In numbers alone, for those who may not see what is found where. */
void sweep_report_sum(const struct sweep_report *report, struct swept *swept_r);

/* What was not seen in the present pass is there no more. */
void sweep_report_prune(struct sweep_report *report);

#endif
