/* SPDX-License-Identifier: ISC
 *
 * The text of a settings file, made fit for libconfuse 3.3, which counts the lines of a comment
 * three times, refuses comments inside a list, drops characters it does not know, replaces
 * ${NAME} and takes the end of the file for a closing brace. Here comments go, quotes and braces
 * are checked against the line they opened on, and marks are left for schema.c. Pure but for
 * schema_text_read. */
#ifndef COMMON_SCHEMA_TEXT_H
#define COMMON_SCHEMA_TEXT_H

#include "common/schema.h"

enum {
	SCHEMA_TEXT_CHUNK = 16 * 1024,
	SCHEMA_TEXT_RAW_MAX =
		SCHEMA_FILE_MAX + SCHEMA_TEXT_CHUNK, /* of the buffer to read into */
};

/* No file can hold it: the name of an option put first into each section, whose line is that of
 * the brace, and the one item of a list that was left empty. */
#define SCHEMA_MARK "\001"

/* All of a regular file of at most SCHEMA_FILE_MAX bytes. A missing one, a directory, ...:
 * ERR_SETTINGS with its name and what to do. */
int schema_text_read(const char *path, struct buf *raw, struct err *err);

/* Append the cleaned text, line for line. path is for the error text: "PATH:LINE: ...". */
int schema_text_clean(
	const char *path, struct span raw, struct buf *clean, struct err *err);

#endif
