/* SPDX-License-Identifier: ISC
 *
 * What is in an mbox file after a kill at any step and in the middle of any write, then again after
 * one more run. */
#include "tests/mailfilter/mbox_delivery.h"

#include <sys/stat.h>

#include "tests/mailfilter/killed.h"

static void what_others_wrote_behind_a_torn_message_stays(void **state)
{
	struct deliver *deliver = open_it();
	struct message *message = a_message("1", "S: 1\n\nlong text\n");
	auto_close int fd = -1;

	(void)state;
	make_folder();
	put("old\n\n");
	assert_int_equal(deliver->ops->write(deliver, message, NULL), 0);
	assert_int_equal(deliver->ops->sync(deliver, NULL), 0);
	deliver->ops->close(deliver);
	fd = open(box, O_WRONLY | O_APPEND);
	assert_int_equal(file_write(fd, span_str("From MAI"), box, NULL), 0);
	assert_int_equal(file_write(fd, span_str("From other\nX: y\n\n"), box, NULL), 0);
	deliver = open_it();
	assert_int_equal(deliver->ops->leftovers(deliver, ignore, NULL, NULL), 0);
	message->repeat = true;
	assert_int_equal(deliver_one(deliver, message, NULL), 0);
	is("old\n\nFrom MAIFrom\nX: y\n\nFrom MAILER-DAEMON\nS: 1\n\nlong text\n\n");
	message_free(message);
	deliver->ops->close(deliver);
}

static void fill(struct message *message, unsigned i)
{
	char line[64];
	const unsigned lines = i == 1 ? LONG_BYTES / 20 : 3;

	(void)snprintf(line, sizeof(line), "S: number %u\n\n", i);
	must(body_add(&message->body, span_str(line), NULL) == 0);
	for (unsigned at = 0; at < lines; at++) {
		(void)snprintf(line, sizeof(line), "From line %u of %u\n", at, i);
		must(body_add(&message->body, span_str(line), NULL) == 0);
	}
}

static bool killed(unsigned kill_after, rlim_t size_max)
{
	return is_killed((struct run){
		.fill = fill, .kill_after = kill_after, .size_max = size_max });
}

/* Each message whole, once, and what was there before; returns the size. */
static size_t check_mailbox(void)
{
	auto_buf struct buf buf;
	const char *text;
	unsigned count = 0;

	buf_init(&buf, TEXT_MAX);
	assert_int_equal(file_read(box, TEXT_MAX, &buf, NULL), 0);
	assert_int_equal(buf_text(&buf, &text, NULL), 0);
	assert_memory_equal(text, "old\n\nFrom ", 10);
	for (const char *at = text; (at = strstr(at, "\nFrom ")); at++)
		count++;
	assert_int_equal(count, MESSAGES);
	for (unsigned i = 0; i < MESSAGES; i++) {
		char line[64];
		const unsigned last = (i == 1 ? LONG_BYTES / 20 : 3) - 1;
		const char *found;

		(void)snprintf(
			line, sizeof(line), "\nS: number %u\n\n>From line 0 of", i);
		found = strstr(text, line);
		assert_non_null(found);
		assert_null(strstr(found + 1, line));
		(void)snprintf(line, sizeof(line), ">From line %u of %u\n\n", last, i);
		found = strstr(found, line);
		assert_non_null(found);
		assert_null(strstr(found + 1, line));
	}
	return buf.len;
}

static void start_anew(void)
{
	assert_int_equal(file_remove_tree(top, false, NULL), 0);
	make_folder();
	put("old\n");
}

static void run_again_and_compare(void)
{
	size_t size;

	assert_false(killed(0, 0));
	size = check_mailbox();
	assert_false(killed(0, 0));
	assert_int_equal(check_mailbox(), size);
}

static void killed_after_any_step_each_message_is_there_once(void **state)
{
	(void)state;
	for (unsigned at = 1;; at++) {
		bool ended;

		start_anew();
		ended = !killed(at, 0);
		run_again_and_compare();
		if (ended)
			break;
		for (unsigned second = 1; second < at; second++) {
			start_anew();
			assert_true(killed(at, 0));
			(void)killed(second, 0);
			run_again_and_compare();
		}
	}
}

static void killed_in_the_middle_of_any_write_each_message_is_there_once(void **state)
{
	(void)state;
	for (rlim_t size = 4; size < (rlim_t)2 * LONG_BYTES;
		size += size < 400 ? 1 : 7919) {
		start_anew();
		if (!killed(0, size))
			break;
		run_again_and_compare();
	}
}

static void a_torn_batch_file_reads_as_empty(void **state)
{
	struct message *message = a_message("1", "S: 1\n\n");
	struct deliver *deliver = open_it();
	char path[128];
	struct stat st;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/mbox.batch", top);
	assert_int_equal(deliver->ops->write(deliver, message, NULL), 0);
	assert_int_equal(deliver->ops->sync(deliver, NULL), 0);
	assert_int_equal(deliver->ops->show(deliver, message, NULL), 0);
	deliver->ops->close(deliver);
	assert_int_equal(stat(path, &st), 0);
	for (off_t size = st.st_size - 1; size >= 0; size -= size > 40 ? 37 : 1) {
		assert_int_equal(truncate(path, size), 0);
		deliver = open_it();
		assert_int_equal(deliver->ops->leftovers(deliver, ignore, NULL, NULL), 0);
		deliver->ops->close(deliver);
		is("From MAILER-DAEMON\nS: 1\n\n\n");
		assert_int_equal(file_replace(path, span_str("x"), 0600, NULL), 0);
	}
	message_free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_others_wrote_behind_a_torn_message_stays),
		TEST(killed_after_any_step_each_message_is_there_once),
		TEST(killed_in_the_middle_of_any_write_each_message_is_there_once),
		TEST(a_torn_batch_file_reads_as_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
