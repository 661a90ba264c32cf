/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/parse.h"
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

static int not_bad(const char *value, struct err *err)
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

static char path[] = "/tmp/test_schema.XXXXXX";

static void write_file(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void load_good(const char *text, struct config *config)
{
	struct err err = { 0 };

	write_file(text, strlen(text));
	memset(config, 0, sizeof(*config));
	if (schema_load(path, options, config, &err) < 0)
		fail_msg("%s", err.text);
}

/* The text is refused at that line (0: no line), and the message says that. */
static void load_bad(const char *text, size_t len, int line, const char *says)
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

static void check_presets(const struct config *config)
{
	assert_string_equal(config->text, "abc");
	assert_null(config->given);
	assert_int_equal(config->items.count, 1);
	assert_string_equal(config->items.items[0], "x");
	assert_int_equal(config->count, 5);
	assert_int_equal(config->size, 50 << 20);
	assert_int_equal(config->time_ms, 300000);
	assert_int_equal(config->mode, 1);
	assert_int_equal(config->open_mode, -1);
	assert_int_equal(config->parts.count, 0);
	assert_int_equal(config->count_line, 0);
}

static void an_empty_file_and_no_file_give_the_presets(void **state)
{
	struct config config = { 0 };

	(void)state;
	assert_int_equal(schema_preset(options, &config, NULL), 0);
	check_presets(&config);
	schema_free(options, &config);
	load_good("", &config);
	check_presets(&config);
	schema_free(options, &config);
	load_good("\n\n# nothing\n", &config);
	check_presets(&config);
	schema_free(options, &config);
	schema_free(options, &config);
}

static void every_type_is_read(void **state)
{
	struct config config;
	const struct part *part;

	(void)state;
	load_good("text = \"a \\\"b\\\" \\\\c\"\n"
		  "given = 'single \"quoted\" \\''\n"
		  "items = { \"one\", two,\n\t\"three\" }\n"
		  "count = 300\n"
		  "size=\"2K\"\n"
		  "time = 90s\n"
		  "mode = slow open-mode = \"never\"\n"
		  "part first {\n"
		  "  where = imaps://alice@example.org/x\n"
		  "  names = {}\n"
		  "  mode = fast\n"
		  "}\n"
		  "part \"second one\"\n{ depth = 9 }\n",
		&config);
	assert_string_equal(config.text, "a \"b\" \\c");
	assert_string_equal(config.given, "single \"quoted\" '");
	assert_int_equal(config.items.count, 3);
	assert_string_equal(config.items.items[1], "two");
	assert_int_equal(config.items_line, 3);
	assert_int_equal(config.count, 300);
	assert_int_equal(config.count_line, 5);
	assert_int_equal(config.size, 2048);
	assert_int_equal(config.time_ms, 90000);
	assert_int_equal(config.mode, 0);
	assert_int_equal(config.open_mode, 2);
	assert_int_equal(config.parts.count, 2);
	part = config.parts.items;
	assert_string_equal(part[0].title, "first");
	assert_int_equal(part[0].line, 9);
	assert_string_equal(part[0].where, "imaps://alice@example.org/x");
	assert_int_equal(part[0].where_line, 10);
	assert_int_equal(part[0].depth, 3);
	assert_int_equal(part[0].names.count, 0);
	assert_int_equal(part[0].mode, 1);
	assert_string_equal(part[1].title, "second one");
	assert_int_equal(part[1].line, 15);
	assert_int_equal(part[1].where_line, 0);
	assert_int_equal(part[1].depth, 9);
	assert_int_equal(part[1].names.count, 1);
	assert_int_equal(part[1].mode, -1);
	schema_free(options, &config);
}

static void comments_may_stand_anywhere_and_lines_stay_right(void **state)
{
	struct config config;

	(void)state;
	load_good("# one\n"
		  "// two\n"
		  "/* three\n"
		  "   \" four { */ count = 7 # five\n"
		  "items = { # a list\n"
		  "  \"a#b\", // first\n"
		  "  \"/* c */\" /* second */\n"
		  "}\n"
		  "part p { # here\n"
		  "  # and here }\n"
		  "  where = \"q\"\n"
		  "}\n",
		&config);
	assert_int_equal(config.count, 7);
	assert_int_equal(config.count_line, 4);
	assert_int_equal(config.items.count, 2);
	assert_string_equal(config.items.items[0], "a#b");
	assert_string_equal(config.items.items[1], "/* c */");
	assert_int_equal(config.items_line, 6);
	assert_int_equal(((struct part *)config.parts.items)->line, 9);
	assert_int_equal(((struct part *)config.parts.items)->where_line, 11);
	schema_free(options, &config);
}

static void a_text_is_taken_as_written(void **state)
{
	struct config config;

	(void)state;
	load_good("\xef\xbb\xbftext = \"a${HOME}b$\"\r\ngiven = '${HOME}\\n'\r\n"
		  "items = \"alone\"\r\n",
		&config);
	assert_string_equal(config.text, "a${HOME}b$");
	assert_string_equal(config.given, "${HOME}\\n");
	assert_int_equal(config.items.count, 1);
	assert_string_equal(config.items.items[0], "alone");
	schema_free(options, &config);
	load_good("items = { \"a\", }", &config);
	assert_int_equal(config.items.count, 1);
	schema_free(options, &config);
	load_good("items += { \"a\" }\nitems += { \"b\" }", &config);
	assert_int_equal(config.items.count, 2);
	schema_free(options, &config);
}

static const struct {
	const char *text;
	int line;
	const char *says;
} wrong[] = {
	{ "# c\n\nbogus = 1\n", 3, "no such option 'bogus': expected one of text" },
	{ "# c\n# d\npart a {\n# e\nbogus = 1 }", 5, "expected one of where, depth" },
	{ "\nbogus a { where = \"q\" }\n", 2, "no such option 'bogus'" },
	{ "count = 0\n", 1, "count: \"0\": expected a number from 1 to 300" },
	{ "# a\n# b\n/* c\n*/\ncount = 301\n", 5, "from 1 to 300" },
	{ "count = 5x", 1, "from 1 to 300" },
	{ "count = -5", 1, "from 1 to 300" },
	{ "count = \"\"", 1, "from 1 to 300" },
	{ "size = 1023", 1, "expected a size from 1K to 1G, such as 50M" },
	{ "size = 2G", 1, "from 1K to 1G" },
	{ "size = 99999999999999999999G", 1, "from 1K to 1G" },
	{ "time = 9s", 1, "expected a time from 10s to 1d, such as 5m" },
	{ "time = 2d", 1, "from 10s to 1d" },
	{ "time = 60", 1, "from 10s to 1d" },
	{ "mode = quick", 1, "mode: \"quick\": expected slow, fast or never" },
	{ "mode = bad", 1, "something good" },
	{ "items = {\n\"a\",\n\n\"bad\" }", 4, "items: \"bad\": expected something" },
	{ "items = { 1, 2, 3,\n4 }", 2, "expected at most 3" },
	{ "\nitems = {}", 2, "items: an empty list: expected at least 1" },
	{ "\n\nitems = { # no\n\n }", 5, "expected at least 1" },
	{ "count = 5\ncount = 6\n", 2, "count: given a second time" },
	{ "count = 5\n#\ncount = 5\n", 3, "count: given a second time" },
	{ "items = { a }\nitems = { b }", 2, "items: given a second time" },
	{ "items = {}\nitems = { b }", 2, "items: given a second time" },
	{ "items = { a }\nitems = {}", 2, "items: given a second time" },
	{ "part a {\nwhere = x\nwhere = y }", 3, "where: given a second time" },
	{ "part a {}\npart b {}\n#\npart a {}", 4, "duplicate title 'a'" },
	{ "part a {}\npart b {}\npart c {}\npart d {}\npart e {}", 0, "at most 4" },
	{ "# x\npart bad {}", 2, "part: \"bad\": expected something good" },
	{ "part a {}\npart b {\n where = bad\n}", 3, "where: \"bad\"" },
	{ "part a {}\n# x\npart b {\n where = x\n", 3, "never closed" },
	{ "part b {\n where = x\npart c {\n}\n", 1, "never closed" },
	{ "count = 1\nitems = { 1,\n2\n\n", 2, "never closed" },
	{ "count = 1\n}\n", 2, "a closing brace too many" },
	{ "count = 1 {", 1, "never closed" },
	{ "{ { { { {", 1, "too many" },
	{ "count 5", 1, "missing equal sign after option 'count': expected NAME" },
	{ "\ncount =\n\n\n", 2, "expected a value" },
	{ "count", 1, "expected a value" },
	{ "count = = 5", 1, "unexpected token '='" },
	{ "count = { 5 }", 1, "unexpected token '{'" },
	{ "count += 5", 1, "non-list" },
	{ "items = { 1 2 }", 1, "unexpected token '2'" },
	{ "part { where = x }", 1, "missing title" },
	{ "part a = 5", 1, "missing opening brace" },
	{ "part = 5", 1, "missing title" },
	{ "= 5", 1, "unexpected token" },
	{ "count(5)", 1, "missing equal sign" },
	{ "text = abc def", 1, "no such option 'def'" },
	{ "#\ntext = \"abc\ncount = 1\n", 2, "closing \"" },
	{ "#\ntext = 'abc\ncount = 1\n", 2, "closing '" },
	{ "text = \"abc\\\ndef\"", 1, "several lines" },
	{ "text = \"abc", 1, "closing \"" },
	{ "count = 1\n/* abc\n\n", 2, "never ends" },
	{ "text = a*b", 1, "value in quotes" },
	{ "text = *a", 1, "value in quotes" },
	{ "text = a+b", 1, "value in quotes" },
	{ "text = ${HOME}", 1, "value in quotes" },
	{ "text = \"\\0abc\"", 1, "numeric escape" },
	{ "text = \"\\x00abc\"", 1, "numeric escape" },
	{ "text = \"a\\nb\"", 1, "text: a control character" },
	{ "text = \"a\x01\"", 1, "a control character" },
	{ "text = a\x7f", 1, "a control character" },
	{ "\x01 = 5", 1, "a control character" },
	{ "include(\"/etc/passwd\")", 1, "no such option 'include'" },
};

static void what_is_wrong_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		load_bad(wrong[i].text, strlen(wrong[i].text), wrong[i].line,
			wrong[i].says);
}

static void nul_bytes_are_refused(void **state)
{
	(void)state;
	load_bad("count = 1\ntext = \"a\0b\"\n", 22, 2, "control character");
	load_bad("count = 1\ntext = a\0b\n", 20, 2, "control character");
	load_bad("\0", 1, 1, "control character");
}

static void a_long_value_is_refused(void **state)
{
	char text[SCHEMA_VALUE_MAX + 32];
	struct config config;

	(void)state;
	(void)snprintf(text, sizeof(text), "text = \"%0*d\"", SCHEMA_VALUE_MAX, 0);
	load_good(text, &config);
	assert_int_equal(strlen(config.text), SCHEMA_VALUE_MAX);
	schema_free(options, &config);
	(void)snprintf(text, sizeof(text), "text = \"%0*d\"", SCHEMA_VALUE_MAX + 1, 0);
	load_bad(text, strlen(text), 1, "too long: expected at most 4096 bytes");
}

/* size bytes of one short text again and again. */
static void repeat(char *bytes, size_t size, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < size; i++)
		bytes[i] = text[i % len];
}

static void a_large_file_is_refused(void **state)
{
	size_t size = 10 * (size_t)SCHEMA_FILE_MAX;
	char *text = malloc(size);
	struct config config = { 0 };

	(void)state;
	assert_non_null(text);
	memset(text, '\n', size);
	load_bad(text, size, 0, "too large");
	load_bad(text, SCHEMA_FILE_MAX + 1, 0, "too large");
	write_file(text, SCHEMA_FILE_MAX);
	assert_int_equal(schema_load(path, options, &config, NULL), 0);
	schema_free(options, &config);
	/* The worst growth: nothing but braces, and nothing but what gets a backslash. */
	memset(text, '{', SCHEMA_FILE_MAX);
	load_bad(text, SCHEMA_FILE_MAX, 1, "too many");
	repeat(text, SCHEMA_FILE_MAX, "{}");
	load_bad(text, SCHEMA_FILE_MAX, 1, "unexpected token");
	repeat(text, SCHEMA_FILE_MAX, "${");
	repeat(text, 8, "text = \"");
	text[SCHEMA_FILE_MAX - 1] = '"';
	load_bad(text, SCHEMA_FILE_MAX, 1, "too long");
	free(text);
}

static void what_is_no_readable_file_is_refused_by_name(void **state)
{
	static const struct {
		const char *path, *says;
	} cases[] = {
		{ "/nonexistent/x.conf", "/nonexistent/x.conf: no such file: expected" },
		{ "/tmp", "/tmp: expected a regular file" },
		{ "/dev/null", "/dev/null: expected a regular file" },
		{ "/etc/passwd/x", "/etc/passwd/x: cannot be opened: expected" },
	};
	struct config config = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(schema_load(cases[i].path, options, &config, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s", err.text);
	}
}

static void a_pipe_is_refused_without_waiting(void **state)
{
	char fifo[] = "/tmp/test_schema.fifo.XXXXXX";
	struct config config = { 0 };
	struct err err;
	int fd = mkstemp(fifo);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(schema_load(fifo, options, &config, &err), -1);
	assert_non_null(strstr(err.text, "regular file"));
	assert_int_equal(unlink(fifo), 0);
}

static void an_unreadable_file_is_refused_by_name(void **state)
{
	struct config config = { 0 };
	struct err err;
	uid_t uid = geteuid();
	int result;

	(void)state;
	write_file("count = 1\n", 10);
	assert_int_equal(chmod(path, 0), 0);
	/* Root reads everything; be somebody else for a moment. */
	if (uid == 0)
		assert_int_equal(seteuid(65534), 0);
	result = schema_load(path, options, &config, &err);
	if (uid == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(result, -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, "Permission denied"));
}

static void a_bad_file_leaves_no_trace_in_the_next_load(void **state)
{
	static const char *const bad[] = { "text = \"abc", "/* abc", "part a {",
		"items = { a", "text = 'a", "count = ", "bogus" };
	struct config config = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(bad[i], strlen(bad[i]));
		assert_int_equal(schema_load(path, options, &config, NULL), -1);
		load_good("count = 4\npart b { where = z }", &config);
		assert_int_equal(config.count, 4);
		assert_int_equal(config.count_line, 1);
		assert_int_equal(config.parts.count, 1);
		schema_free(options, &config);
	}
}

static void schema_error_names_file_and_line(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(schema_error(&err, "a.conf", 7, "x %d", 5), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_string_equal(err.text, "a.conf:7: x 5");
	assert_int_equal(schema_error(&err, "a.conf", 0, "x"), -1);
	assert_string_equal(err.text, "a.conf: x");
	assert_int_equal(schema_error(NULL, "a.conf", 0, "x"), -1);
}

static void list_repeat_finds_the_second_of_two(void **state)
{
	char a[] = "a", b[] = "b", c[] = "a";
	char *items[] = { a, b, c };

	(void)state;
	assert_null(schema_list_repeat(&(struct schema_list){ 0 }));
	assert_null(schema_list_repeat(&(struct schema_list){ items, 2 }));
	assert_string_equal(schema_list_repeat(&(struct schema_list){ items, 3 }), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_and_no_file_give_the_presets),
		cmocka_unit_test(every_type_is_read),
		cmocka_unit_test(comments_may_stand_anywhere_and_lines_stay_right),
		cmocka_unit_test(a_text_is_taken_as_written),
		cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(a_long_value_is_refused),
		cmocka_unit_test(a_large_file_is_refused),
		cmocka_unit_test(what_is_no_readable_file_is_refused_by_name),
		cmocka_unit_test(a_pipe_is_refused_without_waiting),
		cmocka_unit_test(an_unreadable_file_is_refused_by_name),
		cmocka_unit_test(a_bad_file_leaves_no_trace_in_the_next_load),
		cmocka_unit_test(schema_error_names_file_and_line),
		cmocka_unit_test(list_repeat_finds_the_second_of_two),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	(void)close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
