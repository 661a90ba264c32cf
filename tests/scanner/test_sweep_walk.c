/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/sweep_walk.h"

static char dir[40];
static char root[64];

/* What a whole walk came to. */
struct walked {
	char files[4096]; /* each with a blank behind it, "M:" before a mail */
	size_t why[SWEEP_WHY_COUNT];
	int errnum;
};

static const char *at(const char *name)
{
	static char path[8192];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void put(const char *name)
{
	struct err err = { 0 };

	assert_int_equal(file_replace(at(name), span_str("x"), 0644, &err), 0);
}

static void make(const char *name)
{
	struct err err = { 0 };

	assert_int_equal(file_mkdirs(at(name), 0755, &err), 0);
}

static struct sweep_walk *new_walk(const struct schema_list *excludes)
{
	static char *items[] = { root };
	static const struct schema_list roots = { items, 1 };
	struct sweep_walk *walk = NULL;
	struct err err = { 0 };

	assert_int_equal(sweep_walk_new(&roots, excludes, false, &walk, &err), 0);
	return walk;
}

static struct walked walk_all(const struct schema_list *excludes)
{
	auto_sweep_walk struct sweep_walk *walk = new_walk(excludes);
	struct walked walked = { 0 };
	struct sweep_entry entry;
	enum sweep_step step;
	size_t used = 0;

	while ((step = sweep_walk_next(walk, &entry)) != SWEEP_END) {
		if (step == SWEEP_FOUND && used < sizeof(walked.files))
			used += (size_t)snprintf(walked.files + used,
				sizeof(walked.files) - used, "%s%s ",
				entry.is_mail ? "M:" : "", entry.path + strlen(root) + 1);
		else
			walked.why[entry.why]++;
		if (entry.errnum != 0)
			walked.errnum = entry.errnum;
	}
	return walked;
}

static const struct schema_list none;

static int start(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_sweep_walk.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(root, sizeof(root), "%s/root", dir);
	return mkdir(root, 0755);
}

static int end(void **state)
{
	struct err err;

	(void)state;
	return file_remove_tree(dir, true, &err);
}

static void files_are_found_and_nothing_special_is_opened(void **state)
{
	struct walked walked;

	(void)state;
	make("a/b");
	put("a/b/file");
	assert_int_equal(symlink("..", at("a/b/loop")), 0);
	assert_int_equal(symlink("b/file", at("a/link")), 0);
	assert_int_equal(mkfifo(at("a/fifo"), 0644), 0);
	walked = walk_all(&none);
	assert_string_equal(walked.files, "a/b/file ");
	assert_int_equal(walked.why[SWEEP_WHY_LINK], 2);
	assert_int_equal(walked.why[SWEEP_WHY_SPECIAL], 1);
}

static void a_root_that_is_missing_or_a_link_is_unreadable(void **state)
{
	struct walked walked;

	(void)state;
	assert_int_equal(rmdir(root), 0);
	walked = walk_all(&none);
	assert_int_equal(walked.why[SWEEP_WHY_UNREADABLE], 1);
	assert_int_equal(walked.errnum, ENOENT);
	assert_int_equal(symlink("/", root), 0);
	walked = walk_all(&none);
	assert_int_equal(walked.why[SWEEP_WHY_UNREADABLE], 1);
	assert_int_equal(unlink(root), 0);
}

static void patterns_leave_out_names_and_paths(void **state)
{
	char path[128];
	char *items[] = { (char[]){ "*.iso" }, path };
	struct schema_list excludes = { items, 2 };
	struct walked walked;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/no", root);
	make("no");
	put("no/file");
	make("yes/no");
	put("yes/no/file");
	put("big.ISO");
	walked = walk_all(&excludes);
	assert_string_equal(walked.files, "yes/no/file ");
	assert_int_equal(walked.why[SWEEP_WHY_EXCLUDED], 2);
}

static void mail_is_told_by_its_place_and_name(void **state)
{
	struct walked walked;

	(void)state;
	make("box/cur");
	make("box/new");
	make("box/tmp");
	make("other/cur");
	put("box/cur/17.a.host:2,S");
	put("box/tmp/18.b.host");
	put("box/cur/notes.txt");
	put("other/cur/17.a.host");
	walked = walk_all(&none);
	assert_non_null(strstr(walked.files, "M:box/cur/17.a.host:2,S "));
	assert_null(strstr(walked.files, "M:box/tmp"));
	assert_null(strstr(walked.files, "M:box/cur/notes.txt"));
	assert_null(strstr(walked.files, "M:other"));
	assert_non_null(strstr(walked.files, "box/tmp/18.b.host "));
}

static void mail_is_told_where_its_folder_is_named_itself(void **state)
{
	(void)state;
	make("cur");
	make("new");
	make("tmp");
	put("cur/1700000000.M1.host:2,S");
	(void)snprintf(root, sizeof(root), "%.40s/root/cur", dir);
	assert_string_equal(walk_all(&none).files, "M:1700000000.M1.host:2,S ");
	(void)snprintf(root, sizeof(root), "%.40s/root/cur/", dir);
	assert_memory_equal(walk_all(&none).files, "M:", 2);
	/* Without the others beside it it is any folder. */
	(void)snprintf(root, sizeof(root), "%.40s/root", dir);
	assert_int_equal(rmdir(at("tmp")), 0);
	(void)snprintf(root, sizeof(root), "%.40s/root/cur", dir);
	assert_string_equal(walk_all(&none).files, "1700000000.M1.host:2,S ");
}

static void depth_has_a_limit_and_what_is_beside_it_is_found(void **state)
{
	char path[1024] = "d";
	struct walked walked;

	(void)state;
	for (int i = 0; i < 80; i++)
		(void)strncat(path, "/d", sizeof(path) - strlen(path) - 1);
	make(path);
	put("file");
	walked = walk_all(&none);
	assert_string_equal(walked.files, "file ");
	assert_int_equal(walked.why[SWEEP_WHY_DEEP], 1);
}

static void what_is_exchanged_before_it_is_opened_is_not_read(void **state)
{
	auto_sweep_walk struct sweep_walk *walk = new_walk(&none);
	auto_close int fd = -1;
	struct sweep_entry entry;
	char before[128];
	struct stat stat;

	(void)state;
	put("file");
	while (sweep_walk_next(walk, &entry) != SWEEP_FOUND)
		;
	(void)snprintf(before, sizeof(before), "%s/before", root);
	assert_int_equal(rename(at("file"), before), 0);
	put("file");
	assert_int_equal(sweep_walk_open(walk, &entry, &fd, &stat), -1);
	assert_int_equal(errno, ESTALE);
	assert_int_equal(unlink(at("file")), 0);
	assert_int_equal(symlink("before", at("file")), 0);
	assert_int_equal(sweep_walk_open(walk, &entry, &fd, &stat), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlink(at("file")), 0);
	assert_int_equal(mkfifo(at("file"), 0644), 0);
	/* At once, though nobody writes to it. */
	assert_int_equal(sweep_walk_open(walk, &entry, &fd, &stat), -1);
	assert_int_equal(unlink(at("file")), 0);
	assert_int_equal(rename(before, at("file")), 0);
	assert_int_equal(sweep_walk_open(walk, &entry, &fd, &stat), 0);
}

static void the_folder_that_is_spared_is_not_entered(void **state)
{
	auto_sweep_walk struct sweep_walk *walk = new_walk(&none);
	struct sweep_entry entry;
	struct stat spared;
	enum sweep_step step;
	size_t found = 0, excluded = 0;

	(void)state;
	make("a/spared");
	put("a/spared/file");
	put("a/file");
	assert_int_equal(stat(at("a/spared"), &spared), 0);
	sweep_walk_spare(walk, &spared);
	while ((step = sweep_walk_next(walk, &entry)) != SWEEP_END) {
		found += step == SWEEP_FOUND;
		excluded += entry.why == SWEEP_WHY_EXCLUDED;
	}
	assert_int_equal(found, 1);
	assert_int_equal(excluded, 1);
}

static void what_was_found_has_a_place(void **state)
{
	auto_sweep_walk struct sweep_walk *walk = new_walk(&none);
	struct sweep_entry entry;
	struct stat there, is;
	const char *name;
	int place;

	(void)state;
	make("a");
	put("a/file");
	while (sweep_walk_next(walk, &entry) != SWEEP_FOUND)
		;
	place = sweep_walk_place(walk, &name);
	assert_string_equal(name, "file");
	assert_int_equal(fstat(place, &is), 0);
	assert_int_equal(stat(at("a"), &there), 0);
	assert_int_equal(is.st_ino, there.st_ino);
}

static void the_first_root_that_cannot_be_entered_is_named(void **state)
{
	static char here[80], link[80], file[80], gone[80];
	char *items[] = { here, link };
	const struct schema_list roots = { items, 2 };
	const struct schema_list one = { items, 1 };
	struct err err = { 0 };
	char *bad[] = { link, file, gone };

	(void)state;
	(void)snprintf(here, sizeof(here), "%s//", root);
	(void)snprintf(link, sizeof(link), "%s/link/", root);
	(void)snprintf(file, sizeof(file), "%s/file", root);
	(void)snprintf(gone, sizeof(gone), "%s/gone", root);
	put("file");
	assert_int_equal(symlink(".", at("link")), 0);
	assert_int_equal(sweep_walk_look(&one, &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		items[1] = bad[i];
		assert_int_equal(sweep_walk_look(&roots, &err), -1);
		assert_non_null(strstr(err.text, i == 0 ? "/link is not" : bad[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			files_are_found_and_nothing_special_is_opened, start, end),
		cmocka_unit_test_setup_teardown(
			a_root_that_is_missing_or_a_link_is_unreadable, start, end),
		cmocka_unit_test_setup_teardown(
			patterns_leave_out_names_and_paths, start, end),
		cmocka_unit_test_setup_teardown(
			mail_is_told_by_its_place_and_name, start, end),
		cmocka_unit_test_setup_teardown(
			mail_is_told_where_its_folder_is_named_itself, start, end),
		cmocka_unit_test_setup_teardown(
			depth_has_a_limit_and_what_is_beside_it_is_found, start, end),
		cmocka_unit_test_setup_teardown(
			what_is_exchanged_before_it_is_opened_is_not_read, start, end),
		cmocka_unit_test_setup_teardown(
			the_folder_that_is_spared_is_not_entered, start, end),
		cmocka_unit_test_setup_teardown(what_was_found_has_a_place, start, end),
		cmocka_unit_test_setup_teardown(
			the_first_root_that_cannot_be_entered_is_named, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
