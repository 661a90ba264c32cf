/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/file.h"

#include "mailfilter/deliver.h"

#include "tests/deny.h"

static char top[64], box[80], path[320];
static struct deliver *deliver;

static const char *in(const char *folder, const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s/%s", box, folder, name);
	return path;
}

static int setup(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)strcpy(top, "/tmp/test_deliver.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(box, sizeof(box), "%s/box", top);
	return deliver_maildir_open(box, "0123abcd", &deliver, &err);
}

static int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	deliver->ops->close(deliver);
	return file_remove_tree(top, true, &err);
}

static unsigned files(const char *folder)
{
	auto_closedir DIR *list = opendir(in(folder, "."));
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(list);
	while ((entry = readdir(list)))
		if (entry->d_name[0] != '.')
			count++;
	return count;
}

static struct message *a_message(const char *name, const char *text)
{
	struct message *message = message_new(top, 10000);
	struct err err = { 0 };

	assert_non_null(message);
	(void)snprintf(message->name, sizeof(message->name), "%s", name);
	assert_int_equal(body_add(&message->body, span_str(text), &err), 0);
	return message;
}

static bool holds(const char *folder, const char *name, const char *text)
{
	struct err err = { 0 };
	auto_buf struct buf buf;

	buf_init(&buf, 10000);
	return file_read(in(folder, name), 10000, &buf, &err) == 0 &&
	       span_equal(buf_span(&buf), span_str(text));
}

static int write_it(struct message *message)
{
	struct err err = { 0 };
	int done = deliver->ops->write(deliver, message, &err);

	if (done < 0)
		fail_msg("%s", err.text);
	return done;
}

static void sync_it(void)
{
	struct err err = { 0 };

	if (deliver->ops->sync(deliver, &err) < 0)
		fail_msg("%s", err.text);
}

static void show_it(struct message *message)
{
	struct err err = { 0 };

	if (deliver->ops->show(deliver, message, &err) < 0)
		fail_msg("%s", err.text);
	if (deliver->ops->shown(deliver, &err) < 0)
		fail_msg("%s", err.text);
}

static void move(
	const char *from, const char *from_name, const char *to, const char *name)
{
	char source[320];

	(void)snprintf(source, sizeof(source), "%s", in(from, from_name));
	assert_int_equal(rename(source, in(to, name)), 0);
}

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

static void names_from_outside_never_leave_the_folder(void **state)
{
	static const char *const bad[] = { "", "../../evil", "a/b", ".", "x:2,S" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct message *message = a_message(bad[i], "x");
		struct err err = { 0 };

		assert_int_equal(deliver->ops->write(deliver, message, &err), -1);
		assert_int_equal(err.kind, ERR_MESSAGE);
		assert_int_equal(deliver->ops->show(deliver, message, &err), -1);
		assert_int_equal(err.kind, ERR_MESSAGE);
		deliver->ops->discard(deliver, message);
		deliver->ops->forget(deliver, message->name);
		message_free(message);
	}
	assert_int_equal(files("tmp"), 0);
}

static void planted_links_are_not_followed(void **state)
{
	struct message *message = a_message("1.one.h", "x");
	struct err err = { 0 };
	char victim[128];

	(void)state;
	(void)snprintf(victim, sizeof(victim), "%s/victim", top);
	assert_int_equal(file_replace(victim, span_str("precious"), 0600, &err), 0);
	assert_int_equal(symlink(victim, in("tmp", "1.one.h")), 0);
	assert_int_equal(deliver->ops->write(deliver, message, &err), -1);
	message->repeat = true;
	assert_int_equal(write_it(message), 0);
	sync_it();
	show_it(message);
	assert_true(holds("new", "1.one.h", "x"));
	assert_true(holds("..", "victim", "precious"));
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

static void a_vanished_file_is_written_another_time(void **state)
{
	struct message *message = a_message("1.one.h", "x");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(write_it(message), 0);
	sync_it();
	assert_int_equal(unlink(in("tmp", "1.one.h")), 0);
	assert_int_equal(deliver->ops->show(deliver, message, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	/* Who removed it may have left the other name: that does not say that it was shown. */
	message->repeat = true;
	assert_int_equal(write_it(message), 0);
	sync_it();
	show_it(message);
	assert_true(holds("new", "1.one.h", "x"));
	message_free(message);
}

static int without_the_flag(void)
{
	struct message *message = a_message("1.one.h", "x");

	/* As over NFS. */
	if (!deny(SYS_renameat2, 0, EINVAL) || write_it(message) != 0)
		return 1;
	sync_it();
	show_it(message);
	deliver->ops->forget(deliver, message->name);
	return holds("new", "1.one.h", "x") && files("tmp") == 0 ? 0 : 2;
}

static void folders_swapped_after_the_open_are_not_followed(void **state)
{
	struct message *message = a_message("1.one.h", "x");

	(void)state;
	move("", "new", "", "aside");
	assert_int_equal(symlink(top, in("", "new")), 0);
	assert_int_equal(write_it(message), 0);
	sync_it();
	show_it(message);
	assert_true(holds("aside", "1.one.h", "x"));
	message_free(message);
}

static int without_space(void)
{
	struct rlimit limit = { 5, RLIM_INFINITY };
	struct message *before = a_message("1.one.h", "12345");
	struct message *large = a_message("2.two.h", "123456");
	struct message *after = a_message("3.three.h", "1");
	struct err err = { 0 };

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	if (deliver->ops->write(deliver, before, &err) != 0 ||
		deliver->ops->write(deliver, large, &err) != -1 ||
		err.kind != ERR_AGAIN || deliver->ops->write(deliver, after, &err) != 0)
		return 2;
	sync_it();
	show_it(before);
	show_it(after);
	return files("new") == 2 && files("tmp") == 2 ? 0 : 3;
}

static int on_a_bad_disk(void)
{
	static const char *const names[] = { "1.h", "2.h", "3.h", "4.h", "5.h", "6.h",
		"7.h", "8.h", "9.h" };
	struct err err = { 0 };

	if (!deny(SYS_fdatasync, 0, EIO) || !deny(SYS_syncfs, 0, EIO))
		return 1;
	for (size_t count = 1; count <= 9; count += 8) {
		for (size_t i = 0; i < count; i++)
			if (write_it(a_message(names[i], "x")) != 0)
				return 2;
		if (deliver->ops->sync(deliver, &err) == 0 || err.kind != ERR_AGAIN)
			return 3;
		if (files("tmp") != 0 || files("new") != 0)
			return 4;
	}
	return 0;
}

static int without_hard_links(void)
{
	struct message *message = a_message("1.one.h", "x");
	struct err err = { 0 };

	if (!deny(SYS_linkat, 0, EPERM))
		return 1;
	if (deliver->ops->write(deliver, message, &err) == 0 || err.kind != ERR_ACCOUNT ||
		files("tmp") != 0)
		return 2;
	return strstr(err.text, "hard links") ? 0 : 3;
}

static int in_child(int (*run)(void))
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0)
		_exit(run());
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void a_full_disk_costs_only_the_message_that_met_it(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_space), 0);
}

static void a_failed_sync_leaves_nothing_of_the_batch(void **state)
{
	(void)state;
	assert_int_equal(in_child(on_a_bad_disk), 0);
}

static void a_file_system_that_renames_without_a_flag_will_do(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_the_flag), 0);
}

static void a_file_system_without_hard_links_is_named(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_hard_links), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_original_is_delivered_byte_for_byte_in_halves),
		TEST(the_cleaned_copy_goes_out_instead_if_there_is_one),
		TEST(showing_twice_shows_once_wherever_it_was_moved),
		TEST(nothing_in_new_is_overwritten),
		TEST(a_repeat_finds_what_was_shown_wherever_it_is),
		TEST(a_half_file_of_a_killed_run_is_written_anew),
		TEST(names_from_outside_never_leave_the_folder),
		TEST(planted_links_are_not_followed),
		TEST(discard_takes_back_what_was_not_shown),
		TEST(close_takes_back_what_was_not_synced),
		TEST(a_vanished_file_is_written_another_time),
		TEST(folders_swapped_after_the_open_are_not_followed),
		TEST(a_full_disk_costs_only_the_message_that_met_it),
		TEST(a_failed_sync_leaves_nothing_of_the_batch),
		TEST(a_file_system_that_renames_without_a_flag_will_do),
		TEST(a_file_system_without_hard_links_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
