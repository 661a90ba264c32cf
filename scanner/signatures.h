/* SPDX-License-Identifier: ISC
 *
 * The files of signatures: which there are, what they hold as one digest, whether they changed
 * under us. Knows names and bytes, not their meaning: libclamav loads them (engine.h). The word
 * "test" among the folders stands for our own EICAR signature and names no folder. */
#ifndef SCANNER_SIGNATURES_H
#define SCANNER_SIGNATURES_H

#include "common/hash.h"
#include "common/schema.h"

enum {
	SIGNATURES_FILES_MAX = 10000, /* in one folder */
	SIGNATURES_PATH_MAX = 4096,
	SIGNATURES_STAMP_MAX = 8 * 1024 * 1024,
};

struct signatures {
	struct buf
		stamp; /* a line a file: name, size, time, inode; names of all folders */
	struct hash digest; /* of names and contents */
	bool has_main;      /* ClamAV's own sets are among them */
	bool has_daily;
	bool has_test; /* the word "test" is */
	size_t files;
};

/* Read all folders. One that is missing or holds no signature file is ERR_SETTINGS and says to run
 * freshclam; an unreadable file, too. A file that goes while we read: ERR_AGAIN. */
int signatures_read(const struct schema_list *folders, struct signatures *signatures_r,
	struct err *err);
void signatures_done(struct signatures *signatures);
#define auto_signatures DEFER(signatures_done)

/* Are the files still those that were read? Looks at their names, sizes and times only. */
int signatures_same(const struct schema_list *folders,
	const struct signatures *signatures, bool *same_r, struct err *err);

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
