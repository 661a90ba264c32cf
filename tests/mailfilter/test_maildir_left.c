/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/maildir_left.h"

#define OWNER "0123abcd"

static char top[64], box[80], path[640];
static struct maildir maildir;

static const char *in(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", box, name);
	return path;
}

static void touch(const char *name)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static bool there(const char *name)
{
	struct stat st;

	return lstat(in(name), &st) == 0;
}

static int setup(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)strcpy(top, "/tmp/test_left.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(box, sizeof(box), "%s/box", top);
	return maildir_open(box, OWNER, &maildir, &err);
}

static int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	maildir_close(&maildir);
	return file_remove_tree(top, true, &err);
}

static int see(void *arg, const char *name, struct err *err)
{
	if (*(const char *)arg)
		return err_set(err, ERR_AGAIN, "seen before");
	memcpy(arg, name, strlen(name) + 1);
	return 0;
}

static void sweep_takes_what_its_owner_never_showed_and_nothing_else(void **state)
{
	static const char *const others[] = { "1.M2P3R0123456789abcdefT0123abce.h",
		"1.M2P3R0123456789abcdef.0123abcd", "1.0123abcd.h", "1.T0123abcd",
		"0123abcd", "T0123abcd.h", "1700000000.999999_1.host",
		"1.M2P3R4.T0123abcd.h" };
	char seen[MESSAGE_NAME_MAX] = "", names[2][MESSAGE_NAME_MAX], file[400],
	     twin[640];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		maildir_new_name(OWNER, names[i]);
		(void)snprintf(file, sizeof(file), "tmp/%s", names[i]);
		touch(file);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(file, sizeof(file), "tmp/%s", others[i]);
		touch(file);
	}
	/* Shown by a version that gave no second name: its two links tell a repeat. */
	(void)snprintf(file, sizeof(file), "tmp/%s", names[1]);
	(void)snprintf(twin, sizeof(twin), "%s/new/%s", box, names[1]);
	assert_int_equal(link(in(file), twin), 0);
	assert_int_equal(maildir_sweep(&maildir, see, seen, &err), 0);
	assert_string_equal(seen, names[1]);
	assert_int_equal(maildir_sweep(&maildir, see, seen, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_true(there(file));
	(void)snprintf(file, sizeof(file), "tmp/%s", names[0]);
	assert_false(there(file));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(file, sizeof(file), "tmp/%s", others[i]);
		assert_true(there(file));
	}
}

static void moved(const char *from, const char *to)
{
	char source[400];

	(void)snprintf(source, sizeof(source), "%s", in(from));
	assert_int_equal(rename(source, in(to)), 0);
}

static enum maildir_left look(const char *name)
{
	enum maildir_left left = MAILDIR_NOTHING;

	assert_int_equal(maildir_look(&maildir, name, &left, NULL), 0);
	return left;
}

static void what_became_of_a_mail_is_told_at_each_step_of_its_way(void **state)
{
	static const char name[] = "1.M2P3R4T" OWNER ".h",
			  file[] = "tmp/1.M2P3R4T" OWNER ".h",
			  kept[] = "tmp/1.M2P3R4T" OWNER ".h=kept",
			  new[] = "new/1.M2P3R4T" OWNER ".h";
	char seen[MESSAGE_NAME_MAX];
	const int64_t boot_s = maildir.boot_s;

	(void)state;
	assert_int_equal(look(name), MAILDIR_NOTHING);
	touch(file);
	assert_int_equal(look(name), MAILDIR_WRITTEN);
	assert_int_equal(maildir_keep(&maildir, name, NULL), 0);
	assert_true(there(kept));
	assert_int_equal(look(name), MAILDIR_WRITTEN);
	assert_int_equal(maildir_show(&maildir, name, NULL), 0);
	assert_true(there(new));
	assert_int_equal(look(name), MAILDIR_SHOWN);
	assert_int_equal(maildir_show(&maildir, name, NULL), 0);
	moved(new, "cur/moved");
	assert_int_equal(look(name), MAILDIR_SHOWN);
	assert_int_equal(unlink(in("cur/moved")), 0);
	assert_int_equal(look(name), MAILDIR_TAKEN);
	/* Started anew since: who knows what a power cut has left. */
	maildir.boot_s = clock_wall_s() + 10;
	assert_int_equal(look(name), MAILDIR_DOUBT);
	maildir.boot_s = boot_s;
	seen[0] = '\0';
	assert_int_equal(maildir_sweep(&maildir, see, seen, NULL), 0);
	assert_string_equal(seen, name);
	assert_true(there(kept));
	maildir_forget(&maildir, name);
	assert_int_equal(look(name), MAILDIR_NOTHING);
}

static void what_was_not_shown_is_swept_with_both_names(void **state)
{
	static const char name[] = "1.M2P3R4T" OWNER ".h",
			  file[] = "tmp/1.M2P3R4T" OWNER ".h",
			  kept[] = "tmp/1.M2P3R4T" OWNER ".h=kept",
			  other[] = "tmp/1.M2P3R4T" OWNER ".h=other";
	char seen[MESSAGE_NAME_MAX] = "", backup[80];

	(void)state;
	touch(file);
	touch(other);
	assert_int_equal(maildir_keep(&maildir, name, NULL), 0);
	/* A backup made of links is no sign that it was shown. */
	(void)snprintf(backup, sizeof(backup), "%s/backup", top);
	assert_int_equal(link(in(file), backup), 0);
	assert_int_equal(maildir_sweep(&maildir, see, seen, NULL), 0);
	assert_string_equal(seen, "");
	assert_false(there(file));
	assert_false(there(kept));
	assert_true(there(other));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_became_of_a_mail_is_told_at_each_step_of_its_way),
		TEST(what_was_not_shown_is_swept_with_both_names),
		TEST(sweep_takes_what_its_owner_never_showed_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
