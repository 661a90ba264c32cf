/* SPDX-License-Identifier: ISC
 *
 * What others put into a Maildir, and file systems and disks that fail it. */
#include "tests/mailfilter/maildir_delivery.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/deny.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_from_outside_never_leave_the_folder),
		TEST(planted_links_are_not_followed),
		TEST(a_vanished_file_is_written_another_time),
		TEST(folders_swapped_after_the_open_are_not_followed),
		TEST(a_full_disk_costs_only_the_message_that_met_it),
		TEST(a_failed_sync_leaves_nothing_of_the_batch),
		TEST(a_file_system_that_renames_without_a_flag_will_do),
		TEST(a_file_system_without_hard_links_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
