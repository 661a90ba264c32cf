/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/stop.h"

#include "mailfilter/ask.h"

static struct ask ask_with(const char *input, size_t len)
{
	struct ask ask;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], input, len), (ssize_t)len);
	(void)close(fds[1]);
	ask_init(&ask, fds[0], -1);
	return ask;
}

static void each_line_answers_and_an_empty_one_means_the_preset(void **state)
{
	static const char input[] = "one\r\n\n\nsecret word\nlast";
	struct ask ask = ask_with(input, sizeof(input) - 1);
	char answer[ASK_ANSWER_MAX];

	(void)state;
	assert_int_equal(ask_line(&ask, "a", "x", answer), ASK_OK);
	assert_string_equal(answer, "one");
	assert_int_equal(ask_line(&ask, "b", "x", answer), ASK_OK);
	assert_string_equal(answer, "x");
	assert_int_equal(ask_line(&ask, "c", "", answer), ASK_OK);
	assert_string_equal(answer, "");
	assert_int_equal(ask_secret(&ask, "d", answer), ASK_OK);
	assert_string_equal(answer, "secret word");
	assert_int_equal(ask_line(&ask, "e", "x", answer), ASK_OK);
	assert_string_equal(answer, "last");
	assert_int_equal(ask_line(&ask, "f", "x", answer), ASK_END);
	for (size_t i = 0; i < sizeof(ask.ahead); i++)
		assert_int_equal(ask.ahead[i], 0);
	(void)close(ask.in);
}

static void what_is_no_answer_is_asked_for_again(void **state)
{
	static const char odd[] = { 'a', '\033', '[', '2', 'J', '\n', 'a', '\0', 'b',
		'\n', '\xff', '\n', 'w', 'e', 'l', 'l', '\n' };
	static char input[3 * ASK_BUFFER];
	char answer[ASK_ANSWER_MAX];
	struct ask ask;
	size_t len = 0;

	(void)state;
	/* Over the limit, over all that is read ahead, a control character, a NUL, no UTF-8. */
	memset(input, 'x', sizeof(input));
	input[ASK_ANSWER_MAX] = '\n';
	input[ASK_ANSWER_MAX + 1 + 2 * ASK_BUFFER] = '\n';
	len = ASK_ANSWER_MAX + 2 + 2 * ASK_BUFFER;
	memcpy(input + len, odd, sizeof(odd));
	ask = ask_with(input, len + sizeof(odd));
	assert_int_equal(ask_line(&ask, "a", "", answer), ASK_OK);
	assert_string_equal(answer, "well");
	assert_int_equal(ask_line(&ask, "a", "", answer), ASK_END);
	(void)close(ask.in);
}

static void a_signal_ends_the_waiting(void **state)
{
	char answer[ASK_ANSWER_MAX];
	struct err err = { 0 };
	struct ask ask;
	int fds[2], stop_fd;

	(void)state;
	assert_int_equal(stop_start(&stop_fd, &err), 0);
	assert_int_equal(pipe(fds), 0);
	ask_init(&ask, fds[0], stop_fd);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(ask_line(&ask, "a", "", answer), ASK_STOP);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(stop_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_answers_and_an_empty_one_means_the_preset),
		cmocka_unit_test(what_is_no_answer_is_asked_for_again),
		cmocka_unit_test(a_signal_ends_the_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
