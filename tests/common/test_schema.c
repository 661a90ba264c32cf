/* SPDX-License-Identifier: ISC */
#include "tests/common/loaded.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_read),
		cmocka_unit_test(comments_may_stand_anywhere_and_lines_stay_right),
		cmocka_unit_test(a_text_is_taken_as_written),
		cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
		cmocka_unit_test(a_bad_file_leaves_no_trace_in_the_next_load),
		cmocka_unit_test(schema_error_names_file_and_line),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
