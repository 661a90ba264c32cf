/* SPDX-License-Identifier: ISC
 *
 * Settings files: a table of options says what may stand in one; schema.c is the only user of
 * libconfuse. The syntax is libconfuse's, less what bites: ${NAME} stays as it is written, a
 * text ends on its own line. Unknown names, bad values, an option given twice, a section title
 * used twice and a missing brace are ERR_SETTINGS with "FILE:LINE: ...: expected ...". One load
 * at a time in a process: libconfuse's lexer has but one state. */
#ifndef COMMON_SCHEMA_H
#define COMMON_SCHEMA_H

#include "common/buf.h"

enum {
	SCHEMA_FILE_MAX = 1024 * 1024,
	SCHEMA_VALUE_MAX = 4096, /* bytes of one value */
};

enum schema_type {
	SCHEMA_TEXT,     /* char *, NULL if not given and no preset */
	SCHEMA_LIST,     /* struct schema_list of min..max strings */
	SCHEMA_NUMBER,   /* uint64_t, min..max; 0 if not given and no preset */
	SCHEMA_SIZE,     /* uint64_t bytes, min..max; "50M" */
	SCHEMA_DURATION, /* int64_t ms, min..max in ms; "5m" */
	SCHEMA_WORD,     /* int: index into words; -1 if not given and no preset */
	SCHEMA_SECTION,  /* struct schema_sections: NAME TITLE { ... }, at most max */
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
	/* Of a value as written, each list item or a section's title; or NULL. */
	int (*check)(const char *value, struct err *err);
	const struct schema_option *section; /* SCHEMA_SECTION: its own table */
	size_t item_size;                    /* SCHEMA_SECTION: of its struct */
	size_t title_offset; /* SCHEMA_SECTION: of a char * for the title in its struct */
	/* Of an int for the line it stands on, 0 if it is not given: in the struct of the member,
	 * for SCHEMA_SECTION that of its brace, in the section's own. Offset 0: nobody wants it. */
	size_t line_offset;
};

/* Read path into the zeroed struct at settings; NULL: as schema_preset. On failure nothing is left to
 * release. */
int schema_load(const char *path, const struct schema_option *options, void *settings,
	struct err *err);

/* The same struct without a file: presets only. */
int schema_preset(const struct schema_option *options, void *settings, struct err *err);

/* Wipe and release what the table says is owned; accepts a zeroed struct. */
void schema_free(const struct schema_option *options, void *settings);

/* Do two loaded structs say the same? Their sections are not looked at; those of one kind: as many,
 * under the same titles in the same order. */
bool schema_equal(
	const struct schema_option *options, const void *left, const void *right);
bool schema_sections_equal(const struct schema_option *option,
	const struct schema_sections *left, const struct schema_sections *right);

/* What is wrong with the settings as a whole: ERR_SETTINGS with "PATH:LINE: " before the text,
 * "PATH: " if line is 0. Always returns -1. */
int schema_error(struct err *err, const char *path, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The first item that stands in the list before, or NULL. */
const char *schema_list_repeat(const struct schema_list *list);

/* Wipe and release one text; the pointer is cleared. */
void schema_text_free(char **text);

#endif
