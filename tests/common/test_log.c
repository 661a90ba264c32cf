/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/defer.h"
#include "common/log.h"

/* What write() does to stderr, caught through a pipe. */
static char caught[8 * LOG_LINE_MAX];

static const char *capture(void (*log)(const char *text), const char *text)
{
	auto_close int saved = dup(STDERR_FILENO);
	int ends[2];
	ssize_t len;

	assert_true(saved >= 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(close(ends[1]), 0);
	log(text);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	len = read(ends[0], caught, sizeof(caught) - 1);
	assert_int_equal(close(ends[0]), 0);
	assert_true(len >= 0);
	caught[len] = '\0';
	return caught;
}

static void say(const char *text)
{
	log_info("%s", text);
}

static void say_at_every_level(const char *text)
{
	(void)text;
	log_error("error %d", 1);
	log_warning("warning %d", 2);
	log_info("info %d", 3);
	log_debug("debug %d", 4);
}

static void value(const char *text, size_t len, const char *expected)
{
	char out[LOG_TEXT_MAX];

	assert_string_equal(
		log_value((struct span){ (const uint8_t *)text, len }, out), expected);
}

static void a_plain_value_stays_as_it_is(void **state)
{
	(void)state;
	value("INBOX", 5, "INBOX");
	value("a/b.c-d_e@f", 11, "a/b.c-d_e@f");
}

static void any_other_value_is_quoted_and_escaped(void **state)
{
	(void)state;
	value("", 0, "\"\"");
	value("two words", 9, "\"two words\"");
	value("a=b", 3, "\"a=b\"");
	value("say \"hi\"\\", 9, "\"say \\x22hi\\x22\\x5c\"");
	value("a\r\nb", 4, "\"a\\x0d\\x0ab\"");
	value("\0x", 2, "\"\\x00x\"");
	value("\x1b[2J", 4, "\"\\x1b[2J\"");
	value("gr\xc3\xbcn", 5, "\"gr\xc3\xbcn\"");
	value("\xff\xc3", 2, "\"\\xff\\xc3\"");
	/* NOLINTNEXTLINE(misc-misleading-bidirectional) */
	value("\xe2\x80\xae", 3, "\"\\xe2\\x80\\xae\"");
}

static void a_long_value_is_cut_and_always_fits(void **state)
{
	char text[LOG_VALUE_MAX + 1], out[LOG_TEXT_MAX];

	(void)state;
	memset(text, 'a', sizeof(text));
	(void)log_value((struct span){ (const uint8_t *)text, LOG_VALUE_MAX }, out);
	assert_int_equal(strlen(out), LOG_VALUE_MAX);
	(void)log_value((struct span){ (const uint8_t *)text, sizeof(text) }, out);
	assert_int_equal(strlen(out), 1 + LOG_VALUE_MAX + 4);
	assert_string_equal(out + strlen(out) - 4, "...\"");
	memset(text, '\n', sizeof(text));
	(void)log_value((struct span){ (const uint8_t *)text, sizeof(text) }, out);
	assert_int_equal(strlen(out), 1 + 4 * LOG_VALUE_MAX + 4);
}

static void a_line_is_one_line_with_the_name_before_it(void **state)
{
	(void)state;
	log_start("test", LOG_LEVEL_INFO);
	assert_string_equal(capture(say, "hello"), "test: hello\n");
	assert_string_equal(
		capture(say, "a\nb\x1b[2J\r"), "test: a\\x0ab\\x1b[2J\\x0d\n");
	assert_string_equal(capture(say, ""), "test: \n");
}

static void a_line_has_a_ceiling(void **state)
{
	static char lots[10 * LOG_LINE_MAX];

	(void)state;
	log_start("test", LOG_LEVEL_INFO);
	for (int c = 0; c < 2; c++) {
		memset(lots, c ? '\n' : 'a', sizeof(lots) - 1);
		assert_in_range(
			strlen(capture(say, lots)), LOG_LINE_MAX - 8, LOG_LINE_MAX + 64);
		assert_ptr_equal(strchr(caught, '\n'), caught + strlen(caught) - 1);
	}
}

static void lines_below_the_level_are_not_written(void **state)
{
	(void)state;
	log_start("t", LOG_LEVEL_WARNING);
	assert_int_equal(log_level(), LOG_LEVEL_WARNING);
	assert_string_equal(
		capture(say_at_every_level, NULL), "t: error 1\nt: warning 2\n");
	log_start("t", LOG_LEVEL_DEBUG);
	assert_string_equal(capture(say_at_every_level, NULL),
		"t: error 1\nt: warning 2\nt: info 3\nt: debug 4\n");
}

static void journald_gets_priorities_instead_of_the_name(void **state)
{
	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
	log_start("t", LOG_LEVEL_DEBUG);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	assert_string_equal(capture(say_at_every_level, NULL),
		"<3>error 1\n<4>warning 2\n<6>info 3\n<7>debug 4\n");
}

/* In a child, because it loses its standard streams. */
static void closed_streams_are_taken_by_nobody_else(void **state)
{
	pid_t child = fork();
	int status = 0;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct stat stream, null;
		bool good = stat("/dev/null", &null) == 0;

		for (int fd = 0; fd <= STDERR_FILENO; fd++)
			(void)close(fd);
		log_start("t", LOG_LEVEL_INFO);
		for (int fd = 0; fd <= STDERR_FILENO; fd++)
			good = good && fstat(fd, &stream) == 0 &&
			       stream.st_rdev == null.st_rdev;
		log_info("nobody hears this");
		_exit(good && open("/dev/null", O_RDONLY | O_CLOEXEC) > STDERR_FILENO
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_full_stderr_stops_nobody(void **state)
{
	auto_close int saved = dup(STDERR_FILENO);
	auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(saved >= 0 && full >= 0);
	assert_int_equal(dup2(full, STDERR_FILENO), STDERR_FILENO);
	log_error("lost");
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
}

static void a_sentence_from_outside_is_escaped_without_quotes_and_fits(void **state)
{
	char text[LOG_LINE_MAX], long_one[2 * LOG_LINE_MAX];

	(void)state;
	assert_string_equal(log_sentence("it says \"no\"", text), "it says \"no\"");
	assert_string_equal(
		log_sentence("a\x1b[2J\r\nb\xff", text), "a\\x1b[2J\\x0d\\x0ab\\xff");
	memset(long_one, '\n', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	assert_true(strlen(log_sentence(long_one, text)) < LOG_LINE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_value_stays_as_it_is),
		cmocka_unit_test(any_other_value_is_quoted_and_escaped),
		cmocka_unit_test(a_long_value_is_cut_and_always_fits),
		cmocka_unit_test(
			a_sentence_from_outside_is_escaped_without_quotes_and_fits),
		cmocka_unit_test(a_line_is_one_line_with_the_name_before_it),
		cmocka_unit_test(a_line_has_a_ceiling),
		cmocka_unit_test(lines_below_the_level_are_not_written),
		cmocka_unit_test(journald_gets_priorities_instead_of_the_name),
		cmocka_unit_test(closed_streams_are_taken_by_nobody_else),
		cmocka_unit_test(a_full_stderr_stops_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
