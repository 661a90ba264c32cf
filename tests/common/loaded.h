/* SPDX-License-Identifier: ISC
 *
 * Settings of every type, and a file of settings that is loaded or refused. */
#ifndef TESTS_COMMON_LOADED_H
#define TESTS_COMMON_LOADED_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/schema.h"

struct part {
	char *title;
	int line;
	char *where;
	int where_line;
	uint64_t depth;
	struct schema_list names;
	int mode;
};

struct config {
	int first; /* keeps offset 0, which no line may have */
	char *text, *given;
	struct schema_list items;
	uint64_t count;
	uint64_t size;
	int64_t time_ms;
	int mode;
	int open_mode;
	struct schema_sections parts;
	int count_line, items_line;
};

static const char *const modes[] = { "slow", "fast", "never", NULL };

static inline int not_bad(const char *value, struct err *err)
{
	if (strcmp(value, "bad") != 0)
		return 0;
	return err_set(err, ERR_SETTINGS, "\"%s\": expected something good", value);
}

#define PART(member)   offsetof(struct part, member)
#define CONFIG(member) offsetof(struct config, member)

static const struct schema_option part_options[] = {
	{ .name = "where",
		.type = SCHEMA_TEXT,
		.offset = PART(where),
		.check = not_bad,
		.line_offset = PART(where_line) },
	{ .name = "depth",
		.type = SCHEMA_NUMBER,
		.offset = PART(depth),
		.preset = "3",
		.min = 1,
		.max = 9 },
	{ .name = "names", .type = SCHEMA_LIST, .offset = PART(names), .preset = "one" },
	{ .name = "mode", .type = SCHEMA_WORD, .offset = PART(mode), .words = modes },
	{ 0 },
};

static const struct schema_option options[] = {
	{ .name = "text", .type = SCHEMA_TEXT, .offset = CONFIG(text), .preset = "abc" },
	{ .name = "given", .type = SCHEMA_TEXT, .offset = CONFIG(given) },
	{ .name = "items",
		.type = SCHEMA_LIST,
		.offset = CONFIG(items),
		.preset = "x",
		.min = 1,
		.max = 3,
		.check = not_bad,
		.line_offset = CONFIG(items_line) },
	{ .name = "count",
		.type = SCHEMA_NUMBER,
		.offset = CONFIG(count),
		.preset = "5",
		.min = 1,
		.max = 300,
		.line_offset = CONFIG(count_line) },
	{ .name = "size",
		.type = SCHEMA_SIZE,
		.offset = CONFIG(size),
		.preset = "50M",
		.min = 1024,
		.max = 1U << 30 },
	{ .name = "time",
		.type = SCHEMA_DURATION,
		.offset = CONFIG(time_ms),
		.preset = "5m",
		.min = 10000,
		.max = 86400000 },
	{ .name = "mode",
		.type = SCHEMA_WORD,
		.offset = CONFIG(mode),
		.preset = "fast",
		.words = modes,
		.check = not_bad },
	{ .name = "open-mode",
		.type = SCHEMA_WORD,
		.offset = CONFIG(open_mode),
		.words = modes },
	{ .name = "part",
		.type = SCHEMA_SECTION,
		.offset = CONFIG(parts),
		.max = 4,
		.check = not_bad,
		.section = part_options,
		.item_size = sizeof(struct part),
		.title_offset = PART(title),
		.line_offset = PART(line) },
	{ 0 },
};

static char path[] = "/tmp/test_schema.XXXXXX"; /* of the file */

static inline int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static inline int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

static inline void write_file(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void load_good(const char *text, struct config *config)
{
	struct err err = { 0 };

	write_file(text, strlen(text));
	memset(config, 0, sizeof(*config));
	if (schema_load(path, options, config, &err) < 0)
		fail_msg("%s", err.text);
}

/* The text is refused at that line (0: no line), and the message says that. */
static inline void load_bad(const char *text, size_t len, int line, const char *says)
{
	struct config config = { 0 }, zero = { 0 };
	struct err err = { 0 };
	char start[80];

	write_file(text, len);
	if (schema_load(path, options, &config, &err) == 0)
		fail_msg("was loaded: %s", text);
	assert_int_equal(err.kind, ERR_SETTINGS);
	if (line > 0)
		(void)snprintf(start, sizeof(start), "%s:%d: ", path, line);
	else
		(void)snprintf(start, sizeof(start), "%s: ", path);
	if (strncmp(err.text, start, strlen(start)) != 0 || !strstr(err.text, says))
		fail_msg("expected %s...%s, got %s", start, says, err.text);
	if (!strstr(err.text, "expected"))
		fail_msg("does not say what was expected: %s", err.text);
	schema_free(options, &config);
	/* Words are plain ints; all that is owned is gone. */
	zero.mode = config.mode;
	zero.open_mode = config.open_mode;
	zero.count = config.count;
	zero.size = config.size;
	zero.time_ms = config.time_ms;
	zero.count_line = config.count_line;
	zero.items_line = config.items_line;
	assert_memory_equal(&config, &zero, sizeof(config));
}

#endif
