/* SPDX-License-Identifier: ISC
 *
 * Settings files: a table of options says what may stand in one; the only user of libconfuse.
 * Unknown names, bad values, a scalar given twice, a section title used twice and a missing
 * brace are ERR_SETTINGS with "FILE:LINE: what was expected". */
#ifndef COMMON_SCHEMA_H
#define COMMON_SCHEMA_H

#include "common/buf.h"

enum schema_type {
	SCHEMA_TEXT,     /* char *, NULL if not given and no preset */
	SCHEMA_LIST,     /* struct schema_list of strings */
	SCHEMA_NUMBER,   /* uint64_t, min..max */
	SCHEMA_SIZE,     /* uint64_t bytes, min..max; "50M" */
	SCHEMA_DURATION, /* int64_t ms, min..max in ms; "5m" */
	SCHEMA_WORD,     /* int: index into words */
	SCHEMA_SECTION, /* struct schema_sections: NAME TITLE { ... }, any number of them */
};

struct schema_list {
	char **items;
	size_t count;
};

struct schema_sections {
	void *items; /* count structs of the section's item_size, one after the other */
	size_t count;
};

struct schema_option {
	const char *name; /* NULL ends a table */
	enum schema_type type;
	size_t offset;      /* of the member in the struct */
	const char *preset; /* as it would be written; lists: one item or NULL */
	uint64_t min, max;
	const char *const *words; /* SCHEMA_WORD, NULL ends it */
	int (*check)(const char *value,
		struct err *err);            /* of a text or each list item; or NULL */
	const struct schema_option *section; /* SCHEMA_SECTION: its own table */
	size_t item_size;                    /* SCHEMA_SECTION: of its struct */
	size_t title_offset; /* SCHEMA_SECTION: of a char * for the title */
	size_t line_offset;  /* SCHEMA_SECTION: of an int for its line */
};

/* Read path into the zeroed struct at settings. On failure nothing is left to release. */
int schema_load(const char *path, const struct schema_option *options, void *settings,
	struct err *err);

/* The same struct without a file: presets only. */
int schema_preset(const struct schema_option *options, void *settings, struct err *err);

/* Release what the table says is owned; accepts a zeroed struct. */
void schema_free(const struct schema_option *options, void *settings);

#endif
