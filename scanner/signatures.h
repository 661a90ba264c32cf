/* SPDX-License-Identifier: ISC
 *
 * The files of signatures: which there are, what they hold as one digest, whether they changed
 * under us. Knows names and bytes, not their meaning: libclamav loads them (engine.h). The first
 * folder must be in order; one behind it that is not is left out, and said so. The word "test"
 * among the folders stands for our own EICAR signature and names no folder. */
#ifndef SCANNER_SIGNATURES_H
#define SCANNER_SIGNATURES_H

#include "common/hash.h"
#include "common/schema.h"

enum {
	SIGNATURES_FILES_MAX = 10000, /* in one folder */
	SIGNATURES_PATH_MAX = 4096,
	SIGNATURES_STAMP_MAX = 64 * 1024 * 1024,
	SIGNATURES_WHY_MAX = 400,
};

/* Folders that do not serve. Zeroed: none. */
struct signatures_without {
	uint32_t folders; /* bit i: the i-th */
	char why[SIGNATURES_WHY_MAX];
};

struct signatures {
	struct buf stamp;   /* of signatures_stamp, before anything was read */
	struct hash digest; /* of names and contents */
	bool has_main;      /* ClamAV's own sets are among them */
	bool has_daily;
	bool has_test; /* the word "test" is */
	size_t files;
	uint64_t bytes;    /* of all of them */
	int64_t dated_s;   /* the newest of them was written then; 0: there is none */
	bool has_pictures; /* there may be one that knows pictures by their looks */
};

/* What is there: each folder with the name, size, time and inode of each file that would be loaded,
 * or why it cannot be listed. Two stamps are equal if nothing changed. Reads no file. -1: more than
 * SIGNATURES_STAMP_MAX, or no memory. */
int signatures_stamp(
	const struct schema_list *folders, struct buf *stamp, struct err *err);

/* Read all folders but those left out so far. One that is missing, unreadable or without a
 * signature file is ERR_SETTINGS and says to run freshclam, if it is the first; else it is left
 * out. A file that goes while we read: ERR_AGAIN. */
int signatures_read(const struct schema_list *folders, struct signatures_without *without,
	struct signatures *signatures_r, struct err *err);
void signatures_done(struct signatures *signatures);
#define auto_signatures DEFER(signatures_done)

/* Is one of these files being written where it stands? So it seems if its last change is younger than
 * this and was to its content: a new name or mode comes when it is whole. Returns for how many
 * milliseconds more it is to be taken for unfinished; 0: none is. */
int64_t signatures_unsettled_ms(const struct schema_list *folders, int64_t settle_ms);

/* Are the files still those that were read, as far as their stamp tells? */
int signatures_same(const struct schema_list *folders,
	const struct signatures *signatures, bool *same_r, struct err *err);

/* Leave the i-th folder out from now on; the reason is kept as a sentence. */
void signatures_leave_out(struct signatures_without *without,
	const struct schema_list *folders, size_t i, const char *why);

/* Has a file this name that libclamav would load? */
bool signatures_is_file(const char *name);

/* The word "test"? And what it stands for, a line of an .ndb file: EICAR's text at the start of a
 * file only, as eicar.org defines it, so that mail that quotes it passes. */
bool signatures_is_test(const char *folder);
extern const char signatures_eicar[];

/* Write one line into a file of its own, path_r in folder, for libclamav, which loads by name; the
 * caller removes it. No such folder: ERR_SETTINGS; disk full: ERR_AGAIN. */
int signatures_write(const char *folder, const char *line,
	char path_r[static SIGNATURES_PATH_MAX], struct err *err);

/* What no official set protects from, as a sentence; "" if both are there. */
const char *signatures_unprotected(const struct signatures *signatures);

#endif
