/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/scanner/quarantined.h"

static const char *in_quarantine(const char *id, const char *end)
{
	static char name[128];

	(void)snprintf(name, sizeof(name), "%s/%s%s", quarantine_path, id, end);
	return name;
}

static void it_is_made_for_its_owner_alone(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	char id[QUARANTINE_ID_MAX];
	struct stat stat_of;

	(void)state;
	assert_int_equal(stat(quarantine_path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode, S_IFDIR | 0700);
	put_file(path, BYTES);
	assert_int_equal(chmod(path, 0755), 0);
	take_one(&quarantine, id);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			stat(in_quarantine(id, i ? ".info" : ".file"), &stat_of), 0);
		assert_int_equal(stat_of.st_mode, S_IFREG | 0600);
		assert_int_equal(stat_of.st_uid, geteuid());
	}
}

static void what_others_may_enter_is_refused(void **state)
{
	struct quarantine quarantine;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mkdir(quarantine_path, 0700), 0);
	assert_int_equal(chmod(quarantine_path, 0710), 0);
	assert_int_equal(quarantine_open(quarantine_path, true, &quarantine, &err), -1);
	assert_non_null(strstr(err.text, "chmod 700"));
}

static void a_link_is_refused(void **state)
{
	struct quarantine quarantine;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(symlink(folder, quarantine_path), 0);
	assert_int_equal(quarantine_open(quarantine_path, true, &quarantine, &err), -1);
}

static void one_that_is_not_there_is_not_made_by_who_looks(void **state)
{
	struct quarantine quarantine;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(quarantine_open(quarantine_path, false, &quarantine, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_int_equal(access(quarantine_path, F_OK), -1);
}

static void of_another_user_it_is_refused(void **state)
{
	struct quarantine quarantine;
	struct err err = { 0 };
	int status = 0;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(quarantine_path, 0700), 0);
	assert_int_equal(chmod(base, 0755), 0);
	pid = fork();
	if (pid == 0) {
		/* Its folder cannot be opened, or is seen to be another's. */
		if (seteuid(65534) < 0)
			_exit(2);
		_exit(quarantine_open(quarantine_path, true, &quarantine, &err) < 0 ? 0
										    : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chown(quarantine_path, 65534, 65534), 0);
	/* Root may, and what it makes there is that user's. */
	quarantine = open_quarantine();
	assert_int_equal(fstat(quarantine.lock, &(struct stat){ 0 }), 0);
	put_file(path, BYTES);
	take_one(&quarantine, (char[QUARANTINE_ID_MAX]){ 0 });
	quarantine_close(&quarantine);
	{
		auto_closedir DIR *list = opendir(quarantine_path);
		const struct dirent *found;
		struct stat stat_of;

		while ((found = readdir(list))) {
			if (strcmp(found->d_name, "..") == 0)
				continue;
			assert_int_equal(
				fstatat(dirfd(list), found->d_name, &stat_of, 0), 0);
			assert_int_equal(stat_of.st_uid, 65534);
		}
	}
}

static void one_works_in_it_at_a_time(void **state)
{
	auto_quarantine struct quarantine first = open_quarantine();
	auto_quarantine struct quarantine second = { .dir = -1, .lock = -1 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(quarantine_open(quarantine_path, true, &second, &err), 0);
	assert_int_equal(quarantine_lock(&second, false, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	quarantine_close(&first);
	assert_int_equal(quarantine_lock(&second, false, &err), 0);
}

static void what_is_written_is_listed_and_read(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	auto_quarantine_ids struct quarantine_ids ids = { 0 };
	struct quarantine_item item = {
		.id = "20261122-0123456789abcdef", .path = "/x", .signature = "S"
	};
	struct quarantine_item back = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(quarantine_write(&quarantine, &item, &err), 0);
	item.state = QUARANTINE_RELEASED;
	assert_int_equal(quarantine_write(&quarantine, &item, &err), 0);
	memcpy(item.id, "20251122", 8);
	assert_int_equal(quarantine_write(&quarantine, &item, &err), 0);
	put_file(in_quarantine("README", ".info"), "not ours");
	assert_int_equal(quarantine_ids(&quarantine, &ids, &err), 0);
	assert_int_equal(ids.count, 2);
	assert_string_equal(ids.ids[0], "20251122-0123456789abcdef");
	assert_int_equal(quarantine_read(&quarantine, ids.ids[1], &back, &err), 0);
	assert_string_equal(back.id, ids.ids[1]);
	assert_int_equal(back.state, QUARANTINE_RELEASED);
}

static void what_is_not_there_or_damaged_is_said(void **state)
{
	static const char id[] = "20261122-0123456789abcdef";
	auto_quarantine struct quarantine quarantine = open_quarantine();
	struct quarantine_item item;
	struct err err = { 0 };
	int fd;

	(void)state;
	assert_int_equal(quarantine_read(&quarantine, "../x", &item, &err), -1);
	assert_non_null(strstr(err.text, "is no id"));
	assert_int_equal(quarantine_read(&quarantine, id, &item, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_int_equal(quarantine_data(&quarantine, id, &fd, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	put_file(in_quarantine(id, ".info"), "half of i");
	assert_int_equal(quarantine_read(&quarantine, id, &item, &err), -1);
	assert_non_null(strstr(err.text, id));
}

static void links_in_it_are_not_followed(void **state)
{
	static const char id[] = "20261122-0123456789abcdef";
	auto_quarantine struct quarantine quarantine = open_quarantine();
	const struct quarantine_item item = {
		.id = "20261122-0123456789abcdef", .path = "/x", .signature = "S"
	};
	struct err err = { 0 };
	int fd;

	(void)state;
	put_file(path, BYTES);
	assert_int_equal(symlink(path, in_quarantine(id, ".file")), 0);
	assert_int_equal(symlink(path, in_quarantine(id, ".new")), 0);
	assert_int_equal(quarantine_data(&quarantine, id, &fd, &err), -1);
	assert_int_equal(quarantine_new_data(&quarantine, id, &fd, &err), -1);
	assert_int_equal(quarantine_write(&quarantine, &item, &err), 0);
	assert_true(has_file(path, BYTES));
}

static void tidy_removes_what_is_of_no_file_known_of(void **state)
{
	static const char id[] = "20261122-0123456789abcdef",
			  of[] = "20261122-00000000000"
				 "00000";
	auto_quarantine struct quarantine quarantine = open_quarantine();
	struct err err = { 0 };

	(void)state;
	put_file(in_quarantine(id, ".file"), "x");
	put_file(in_quarantine(id, ".new"), "x");
	put_file(in_quarantine(of, ".file"), "x");
	put_file(in_quarantine(of, ".info"), "x");
	put_file(in_quarantine("notes", ""), "x");
	assert_int_equal(quarantine_tidy(&quarantine, &err), 0);
	/* With the lock. */
	assert_int_equal(names_in(quarantine_path), 4);
	assert_true(has_file(in_quarantine(of, ".file"), "x"));
}

static void bytes_that_were_released_are_known(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	struct quarantine_item item = { .id = "20261122-0123456789abcdef",
		.path = "/x",
		.signature = "S",
		.state = QUARANTINE_KEPT,
		.hash = { { 1 } } };
	char id[QUARANTINE_ID_MAX];
	struct err err = { 0 };

	(void)state;
	assert_int_equal(quarantine_write(&quarantine, &item, &err), 0);
	assert_false(quarantine_released(&quarantine, &item.hash, id));
	item.state = QUARANTINE_RELEASING;
	assert_int_equal(quarantine_write(&quarantine, &item, &err), 0);
	assert_true(quarantine_released(&quarantine, &item.hash, id));
	assert_string_equal(id, item.id);
	assert_false(quarantine_released(&quarantine, &set, id));
}

static void a_copy_is_hashed_and_bounded(void **state)
{
	auto_close int from = -1, to = -1;
	struct hash hash, is;
	struct err err = { 0 };
	uint64_t size = 0;

	(void)state;
	put_file(path, BYTES);
	from = open(path, O_RDONLY | O_CLOEXEC);
	to = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(quarantine_copy(from, to, 100, &hash, &size, &err), 0);
	assert_int_equal(size, strlen(BYTES));
	assert_int_equal(hash_span(span_str(BYTES), &is, &err), 0);
	assert_true(hash_equal(&hash, &is));
	assert_int_equal(quarantine_copy(from, to, size - 1, &hash, &size, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_made_for_its_owner_alone),
		TEST(what_others_may_enter_is_refused),
		TEST(a_link_is_refused),
		TEST(one_that_is_not_there_is_not_made_by_who_looks),
		TEST(of_another_user_it_is_refused),
		TEST(one_works_in_it_at_a_time),
		TEST(what_is_written_is_listed_and_read),
		TEST(what_is_not_there_or_damaged_is_said),
		TEST(links_in_it_are_not_followed),
		TEST(tidy_removes_what_is_of_no_file_known_of),
		TEST(bytes_that_were_released_are_known),
		TEST(a_copy_is_hashed_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
