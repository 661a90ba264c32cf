/* SPDX-License-Identifier: ISC
 *
 * A sample in conf/ and a manual page, held against the table of options: so that none of the
 * three drifts away from the others. In a sample "#" directly before a word or a brace comments an
 * option out, "# " begins prose. */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/schema.h"

#include "tests/test.h"

enum {
	SAMPLE_MAX = 256 * 1024
};

static inline char *sample_read(const char *path)
{
	auto_buf struct buf content;
	struct err err = { 0 };
	const char *text = NULL;

	buf_init(&content, SAMPLE_MAX);
	if (file_read(path, SAMPLE_MAX - 1, &content, &err) < 0)
		fail_msg("%s (tests run in the top folder)", err.text);
	assert_int_equal(buf_text(&content, &text, &err), 0);
	return strdup(text ? text : "");
}

/* Every option that is commented out is taken in, in place. */
static inline void sample_uncomment(char *text)
{
	bool start = true;

	for (char *at = text; *at; at++) {
		if (start && at[0] == '#' &&
			(islower((unsigned char)at[1]) || at[1] == '}'))
			*at = ' ';
		start = *at == '\n' || (start && *at == ' ');
	}
}

/* What stands behind "INDENT#NAME = " on the first such line; NULL if there is none. */
static inline const char *sample_value(
	const char *text, const char *indent, const char *name, char value[static 256])
{
	char start[128];
	const char *found;

	(void)snprintf(start, sizeof(start), "\n%s#%s = ", indent, name);
	found = strstr(text, start);
	if (!found)
		return NULL;
	found += strlen(start);
	(void)snprintf(value, 256, "%.*s", (int)strcspn(found, "\n"), found);
	return value;
}

/* Is value the preset, as it is, quoted, or as a list's one item? */
static inline bool sample_is_preset(const char *value, const char *preset)
{
	char quoted[256], list[256];

	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", preset);
	(void)snprintf(list, sizeof(list), "{ \"%s\" }", preset);
	return strcmp(value, preset) == 0 || strcmp(value, quoted) == 0 ||
	       strcmp(value, list) == 0;
}

/* The manual's ".It Ic NAME" with its text, up to the next one or the end of the list. */
static inline const char *sample_manual_entry(
	const char *manual, const char *name, char entry[static 4096])
{
	char start[128];
	const char *found, *item, *end_of_list;
	size_t len;

	(void)snprintf(start, sizeof(start), "\n.It Ic %s No = ", name);
	found = strstr(manual, start);
	if (!found)
		return NULL;
	found += strlen(start);
	item = strstr(found, "\n.It ");
	end_of_list = strstr(found, "\n.El");
	len = item ? (size_t)(item - found) : strlen(found);
	if (end_of_list && (size_t)(end_of_list - found) < len)
		len = (size_t)(end_of_list - found);
	(void)snprintf(entry, 4096, "%.*s", (int)len, found);
	return entry;
}

/* Is every option of the table in the sample with its preset, and in the manual with its preset
 * and its words? */
static inline void sample_check(const char *sample, const char *manual,
	const char *indent, const struct schema_option *options)
{
	char value[256], entry[4096];

	for (; options->name; options++) {
		if (options->type == SCHEMA_SECTION)
			continue;
		if (!sample_value(sample, indent, options->name, value))
			fail_msg("%s is not in the sample", options->name);
		if (options->preset && !sample_is_preset(value, options->preset))
			fail_msg("%s: the sample has %s, the table %s", options->name,
				value, options->preset);
		if (!sample_manual_entry(manual, options->name, entry))
			fail_msg("%s is not in the manual page", options->name);
		if (options->preset && !strstr(entry, options->preset))
			fail_msg("%s: the manual page lacks its default %s",
				options->name, options->preset);
		for (size_t i = 0; options->words && options->words[i]; i++)
			if (!strstr(entry, options->words[i]))
				fail_msg("%s: the manual page lacks %s", options->name,
					options->words[i]);
	}
}

/* Is every option that the text has, on lines that begin with before, its name and after, in one of the tables? */
static inline void sample_check_names(const char *text, const char *before,
	const char *after, const struct schema_option *const *tables)
{
	size_t found = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		size_t len;
		bool known = false;

		line += strspn(line, "\n ");
		if (strncmp(line, before, strlen(before)) != 0)
			continue;
		line += strlen(before);
		len = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789-");
		if (len == 0 || strncmp(line + len, after, strlen(after)) != 0)
			continue;
		for (size_t i = 0; tables[i] && !known; i++)
			for (const struct schema_option *option = tables[i];
				option->name && !known; option++)
				known = strlen(option->name) == len &&
					strncmp(option->name, line, len) == 0;
		if (!known)
			fail_msg("no option %.*s is known", (int)len, line);
		found++;
	}
	assert_true(found > 0);
}

#endif
