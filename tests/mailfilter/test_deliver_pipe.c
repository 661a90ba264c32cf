/* SPDX-License-Identifier: ISC
 *
 * Delivery to real commands, and what a kill at any step leaves: at most one message twice. */
#include "tests/mailfilter/killed.h"

#include "common/clock.h"

#include "mailfilter/deliver_handover.h"

enum {
	TEXT_MAX = 1000000
};

static char out[80];
static char shell[] = "sh", flag[] = "-c", script[1000], recipient[] = "bob@example.org";
static char *words[] = { shell, flag, script };

static int setup(void **state)
{
	(void)state;
	if (make_top() < 0)
		return -1;
	(void)snprintf(out, sizeof(out), "%s/out", top);
	(void)snprintf(script, sizeof(script), "cat >>%s", out);
	account = (struct account_settings){ .deliver_kind = DELIVER_PIPE,
		.deliver_command = { words, 3 },
		.recipient = recipient,
		.deliver_timeout_ms = 20000 };
	return 0;
}

static void is(const char *expected)
{
	auto_buf struct buf buf;
	const char *text;

	buf_init(&buf, TEXT_MAX);
	assert_int_equal(file_read(out, TEXT_MAX, &buf, NULL), 0);
	assert_int_equal(buf_text(&buf, &text, NULL), 0);
	assert_string_equal(text, expected);
}

static void the_command_gets_message_and_envelope(void **state)
{
	struct deliver *deliver;
	struct message *message = a_message("1", "Return-Path: <a@b>\r\n\r\nx");

	(void)state;
	(void)snprintf(script, sizeof(script),
		"{ echo \"$SENDER $RECIPIENT ${CREDENTIALS_DIRECTORY-}\"; cat; } >%s",
		out);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/secret", 1), 0);
	deliver = open_it();
	assert_int_equal(deliver_one(deliver, message, NULL), 0);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	is("a@b bob@example.org \nReturn-Path: <a@b>\r\n\r\nx");
	message_free(message);
	deliver->ops->close(deliver);
}

static void a_large_message_comes_whole_and_cannot_be_changed(void **state)
{
	struct message *message = a_message("1", "");
	struct deliver *deliver;
	struct span bytes;

	(void)state;
	for (int i = 0; i < 40000; i++)
		assert_int_equal(
			body_add(&message->body, span_str("123456789\n"), NULL), 0);
	assert_true(message->body.fd >= 0);
	(void)snprintf(script, sizeof(script), "wc -c >%s; echo bad >&0; exit 0", out);
	deliver = open_it();
	assert_int_equal(deliver_one(deliver, message, NULL), 0);
	is("400000\n");
	assert_int_equal(body_span(&message->body, &bytes, NULL), 0);
	assert_memory_equal(bytes.data, "123456789\n", 10);
	assert_int_equal(bytes.len, 400000);
	message_free(message);
	deliver->ops->close(deliver);
}

static void one_that_does_not_read_is_a_delivery_all_the_same(void **state)
{
	struct deliver *deliver;
	struct message *message = a_message("1", "x");

	(void)state;
	(void)snprintf(script, sizeof(script), "exec <&-; exit 0");
	deliver = open_it();
	assert_int_equal(deliver_one(deliver, message, NULL), 0);
	message_free(message);
	deliver->ops->close(deliver);
}

static void what_the_command_does_not_take_is_held_with_its_words(void **state)
{
	static const struct {
		const char *script, *says;
		enum err_kind kind; /* ERR_AWAY: no other would be taken now */
	} cases[] = {
		{ "echo no room >&2; exit 75", "deliver-command sh: status 75: no room",
			ERR_AWAY },
		{ "exit 127", "deliver-command sh: status 127", ERR_AWAY },
		{ "exit 67", "deliver-command sh: status 67", ERR_AGAIN },
		{ "exit 1", "deliver-command sh: status 1", ERR_AGAIN },
		{ "kill -KILL $$", "deliver-command sh: signal 9", ERR_AGAIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct deliver *deliver;
		struct message *message = a_message("1", "x");
		struct err err = { 0 };

		(void)snprintf(script, sizeof(script), "%s", cases[i].script);
		deliver = open_it();
		assert_int_equal(deliver_one(deliver, message, &err), -1);
		assert_int_equal(err.kind, cases[i].kind);
		assert_string_equal(err.text, cases[i].says);
		/* Held like any other, without an intent. */
		assert_false(message->repeat);
		/* And the next one is tried, or not for now. */
		(void)snprintf(script, sizeof(script), "exit 0");
		assert_int_equal(deliver_one(deliver, message, &err),
			cases[i].kind == ERR_AWAY ? -1 : 0);
		message_free(message);
		deliver->ops->close(deliver);
	}
}

static void a_command_that_is_not_there_stops_the_account(void **state)
{
	char nowhere[] = "/nonexistent/mda", *one[] = { nowhere };
	struct deliver *deliver;
	struct message *message = a_message("1", "x");
	struct err err = { 0 };

	(void)state;
	account.deliver_command = (struct schema_list){ one, 1 };
	deliver = open_it();
	assert_int_equal(deliver_one(deliver, message, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "/nonexistent/mda\" cannot be started"));
	assert_false(message->repeat);
	message_free(message);
	deliver->ops->close(deliver);
}

static void one_in_doubt_is_sent_once_more_and_then_once_a_day(void **state)
{
	struct deliver *deliver;
	struct message *message = a_message("1", "x");
	struct err err = { 0 };
	char journal[128];

	(void)state;
	(void)snprintf(script, sizeof(script), "cat >>%s; sleep 60", out);
	account.deliver_timeout_ms = 300;
	for (int i = 0; i < 4; i++) {
		deliver = open_it();
		assert_int_equal(deliver_one(deliver, message, &err), -1);
		assert_int_equal(err.kind, ERR_AGAIN);
		assert_non_null(strstr(err.text,
			i < 2 ? "it may have delivered" : "sent 2 times to its end"));
		assert_true(message->repeat);
		is(i == 0 ? "x" : "xx");
		deliver->ops->close(deliver);
	}
	(void)snprintf(journal, sizeof(journal), "%s/sent.journal", top);
	assert_int_equal(
		file_replace(journal, span_str("doubt 1 1700000000 2\n"), 0600, NULL), 0);
	(void)snprintf(script, sizeof(script), "cat >>%s", out);
	deliver = open_it();
	assert_int_equal(deliver_one(deliver, message, &err), 0);
	is("xxx");
	assert_int_equal(deliver_one(deliver, message, &err), 1);
	message_free(message);
	deliver->ops->close(deliver);
}

static void where_nothing_goes_the_others_are_not_tried(void **state)
{
	struct deliver *deliver;
	struct err err = { 0 };
	const int64_t from_ms = clock_ms();

	(void)state;
	(void)snprintf(script, sizeof(script), "echo >>%s; sleep 60", out);
	account.deliver_timeout_ms = 300;
	deliver = open_it();
	for (int i = 0; i < 10; i++) {
		char name[16];
		struct message *message;

		(void)snprintf(name, sizeof(name), "%d", i);
		message = a_message(name, "x");
		assert_int_equal(deliver_one(deliver, message, &err), -1);
		if (i >= 2)
			assert_non_null(strstr(err.text, "nothing more is tried now"));
		assert_true(message->repeat == (i < 2));
		message_free(message);
	}
	is("\n\n");
	assert_in_range(clock_ms() - from_ms, 600, 10000);
	deliver->ops->close(deliver);
}

static int stop(void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	(void)arg;
	(void)events;
	(void)deadline_ms;
	return fd < 0 ? err_set(err, ERR_AGAIN, "stopped by a signal") : 0;
}

static void once_we_are_to_stop_no_more_is_begun(void **state)
{
	static const struct stream_wait stopping = { .wait = stop };
	struct deliver *deliver;
	struct message *message = a_message("1", "x");
	struct err err = { 0 };

	(void)state;
	tools.wait = &stopping;
	deliver = open_it();
	assert_int_equal(deliver_one(deliver, message, &err), -1);
	assert_string_equal(err.text, "stopped by a signal");
	assert_int_equal(access(out, F_OK), -1);
	message_free(message);
	deliver->ops->close(deliver);
}

static void fill(struct message *message, unsigned i)
{
	const char text[2] = { (char)('0' + i), '\0' };

	must(body_add(&message->body, span_str(text), NULL) == 0);
}

static bool killed(unsigned after)
{
	return is_killed((struct run){ .fill = fill, .kill_after = after });
}

/* How many were delivered more than once; each must be there. */
static unsigned repeats(void)
{
	auto_buf struct buf buf;
	unsigned copies[MESSAGES] = { 0 }, more = 0;

	buf_init(&buf, TEXT_MAX);
	assert_int_equal(file_read(out, TEXT_MAX, &buf, NULL), 0);
	for (size_t i = 0; i < buf.len; i++)
		copies[buf.data[i] - '0']++;
	for (int i = 0; i < MESSAGES; i++) {
		assert_true(copies[i] > 0);
		more += copies[i] - 1;
	}
	return more;
}

static void killed_between_any_two_steps_nothing_comes_twice(void **state)
{
	(void)state;
	for (unsigned at = 1;; at++) {
		bool ended;

		assert_int_equal(file_remove_tree(top, false, NULL), 0);
		ended = !killed(at);
		assert_false(killed(0));
		assert_int_equal(repeats(), 0);
		assert_false(killed(0));
		assert_int_equal(repeats(), 0);
		if (ended)
			break;
	}
}

static void killed_between_answer_and_note_one_comes_twice_at_most(void **state)
{
	(void)state;
	/* The command itself kills us, once it has delivered the message with this number. */
	for (int at = 0; at < MESSAGES; at++) {
		assert_int_equal(file_remove_tree(top, false, NULL), 0);
		(void)snprintf(script, sizeof(script),
			"m=$(cat); printf %%s $m >>%s; [ $m = %d ] && [ ! -e %s/once ] && "
			": >%s/once && kill -KILL $PPID; exit 0",
			out, at, top, top);
		assert_true(killed(0));
		assert_false(killed(0));
		assert_int_equal(repeats(), 1);
		assert_false(killed(0));
		assert_int_equal(repeats(), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_command_gets_message_and_envelope),
		TEST(a_large_message_comes_whole_and_cannot_be_changed),
		TEST(one_that_does_not_read_is_a_delivery_all_the_same),
		TEST(what_the_command_does_not_take_is_held_with_its_words),
		TEST(a_command_that_is_not_there_stops_the_account),
		TEST(one_in_doubt_is_sent_once_more_and_then_once_a_day),
		TEST(where_nothing_goes_the_others_are_not_tried),
		TEST(once_we_are_to_stop_no_more_is_begun),
		TEST(killed_between_any_two_steps_nothing_comes_twice),
		TEST(killed_between_answer_and_note_one_comes_twice_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
