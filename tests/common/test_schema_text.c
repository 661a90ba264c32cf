/* SPDX-License-Identifier: ISC
 *
 * Files that are refused before any option in them is looked at. */
#include "tests/common/loaded.h"

#include <sys/stat.h>

static void nul_bytes_are_refused(void **state)
{
	(void)state;
	load_bad("count = 1\ntext = \"a\0b\"\n", 22, 2, "control character");
	load_bad("count = 1\ntext = a\0b\n", 20, 2, "control character");
	load_bad("\0", 1, 1, "control character");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(a_large_file_is_refused),
		cmocka_unit_test(what_is_no_readable_file_is_refused_by_name),
		cmocka_unit_test(a_pipe_is_refused_without_waiting),
		cmocka_unit_test(an_unreadable_file_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
