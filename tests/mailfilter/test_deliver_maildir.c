/* SPDX-License-Identifier: ISC
 *
 * What is shown in a Maildir, and a repeat that finds it wherever it is. */
#include "tests/mailfilter/maildir_delivery.h"

#include <sys/stat.h>

static void the_original_is_delivered_byte_for_byte_in_halves(void **state)
{
	struct message *message = a_message("1.one.h", "From: a\n\r\nb\r\r\n");
	struct stat st;

	(void)state;
	assert_int_equal(write_it(message), 0);
	assert_int_equal(files("new"), 0);
	sync_it();
	assert_int_equal(files("new"), 0);
	show_it(message);
	assert_true(holds("new", "1.one.h", "From: a\n\r\nb\r\r\n"));
	assert_int_equal(stat(in("new", "1.one.h"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 2);
	deliver->ops->forget(deliver, message->name);
	assert_int_equal(files("tmp"), 0);
	assert_int_equal(files("new"), 1);
	assert_int_equal(files("cur"), 0);
	message_free(message);
}

static void the_cleaned_copy_goes_out_instead_if_there_is_one(void **state)
{
	struct message *message = a_message("1.one.h", "infected");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(body_add(&message->cleaned, span_str("clean"), &err), 0);
	assert_int_equal(write_it(message), 0);
	sync_it();
	show_it(message);
	assert_true(holds("new", "1.one.h", "clean"));
	message_free(message);
}

static void showing_twice_shows_once_wherever_it_was_moved(void **state)
{
	struct message *message = a_message("1.one.h", "x");

	(void)state;
	assert_int_equal(write_it(message), 0);
	sync_it();
	show_it(message);
	show_it(message);
	move("new", "1.one.h", "cur", "1.one.h:2,S");
	show_it(message);
	assert_int_equal(files("new"), 0);
	assert_int_equal(files("cur"), 1);
	message_free(message);
}

static void nothing_in_new_is_overwritten(void **state)
{
	struct message *first = a_message("1.one.h", "first");
	struct message *second = a_message("1.one.h", "second");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(write_it(first), 0);
	assert_int_equal(deliver->ops->write(deliver, second, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	sync_it();
	show_it(first);
	deliver->ops->forget(deliver, first->name);
	assert_int_equal(write_it(second), 0);
	sync_it();
	assert_int_equal(deliver->ops->show(deliver, second, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_true(holds("new", "1.one.h", "first"));
	second->repeat = true;
	assert_int_equal(write_it(second), 1);
	message_free(first);
	message_free(second);
}

enum {
	IN_TMP = 1,
	IN_NEW = 2,
	IN_CUR = 4,
	IN_ARCHIVE = 8,
	DELETED = 16
};

static void a_repeat_finds_what_was_shown_wherever_it_is(void **state)
{
	static const struct {
		unsigned where;
		int shown;
	} cases[] = {
		{ 0, 0 },               /* the power went before anything was durable */
		{ IN_TMP, 0 },          /* never shown */
		{ IN_TMP | IN_NEW, 1 }, /* shown */
		{ IN_TMP | IN_CUR, 1 }, /* read */
		{ IN_TMP | IN_ARCHIVE, 1 }, /* moved away */
		{ IN_TMP | DELETED, 1 },    /* deleted, by who has seen it */
		{ IN_NEW, 1 },              /* tmp was cleaned by another program */
		{ IN_CUR, 1 },
	};

	(void)state;
	assert_int_equal(mkdir(in("", "archive"), 0700), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message *message = a_message("1.one.h", "x");

		assert_int_equal(write_it(message), 0);
		sync_it();
		if (cases[i].where & (IN_NEW | IN_CUR | IN_ARCHIVE | DELETED))
			show_it(message);
		if (cases[i].where & IN_CUR)
			move("new", "1.one.h", "cur", "1.one.h:2,FS");
		if (cases[i].where & IN_ARCHIVE)
			move("new", "1.one.h", "archive", "other");
		if (cases[i].where & DELETED)
			assert_int_equal(unlink(in("new", "1.one.h")), 0);
		if (!(cases[i].where & IN_TMP)) {
			(void)unlink(in("tmp", "1.one.h"));
			assert_int_equal(unlink(in("tmp", "1.one.h=kept")), 0);
		}
		message->repeat = true;
		assert_int_equal(write_it(message), cases[i].shown);
		sync_it();
		if (!cases[i].shown)
			show_it(message);
		assert_int_equal(files("new") + files("cur") + files("archive"),
			!(cases[i].where & DELETED));
		deliver->ops->forget(deliver, message->name);
		(void)unlink(in("new", "1.one.h"));
		(void)unlink(in("cur", "1.one.h:2,FS"));
		(void)unlink(in("archive", "other"));
		assert_int_equal(files("tmp"), 0);
		message_free(message);
	}
}

static void a_half_file_of_a_killed_run_is_written_anew(void **state)
{
	struct message *message = a_message("1.one.h", "the whole message");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
		file_replace(in("tmp", "1.one.h"), span_str("the wh"), 0600, &err), 0);
	message->repeat = true;
	assert_int_equal(write_it(message), 0);
	sync_it();
	show_it(message);
	assert_true(holds("new", "1.one.h", "the whole message"));
	message_free(message);
}

static void discard_takes_back_what_was_not_shown(void **state)
{
	struct message *message = a_message("1.one.h", "x");
	struct message *other = a_message("2.two.h", "y");

	(void)state;
	assert_int_equal(write_it(message), 0);
	assert_int_equal(write_it(other), 0);
	deliver->ops->discard(deliver, message);
	assert_int_equal(files("tmp"), 2);
	sync_it();
	deliver->ops->discard(deliver, other);
	assert_int_equal(files("tmp"), 0);
	assert_int_equal(write_it(message), 0);
	sync_it();
	show_it(message);
	/* The name in tmp stays: it is the evidence. */
	deliver->ops->discard(deliver, message);
	assert_int_equal(files("tmp"), 1);
	assert_int_equal(files("new"), 1);
	message_free(message);
	message_free(other);
}

static void close_takes_back_what_was_not_synced(void **state)
{
	struct message *message = a_message("1.one.h", "x");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(write_it(message), 0);
	deliver->ops->close(deliver);
	assert_int_equal(files("tmp"), 0);
	assert_int_equal(deliver_maildir_open(box, "0123abcd", &deliver, &err), 0);
	message_free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_original_is_delivered_byte_for_byte_in_halves),
		TEST(the_cleaned_copy_goes_out_instead_if_there_is_one),
		TEST(showing_twice_shows_once_wherever_it_was_moved),
		TEST(nothing_in_new_is_overwritten),
		TEST(a_repeat_finds_what_was_shown_wherever_it_is),
		TEST(a_half_file_of_a_killed_run_is_written_anew),
		TEST(discard_takes_back_what_was_not_shown),
		TEST(close_takes_back_what_was_not_synced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
