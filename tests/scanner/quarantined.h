/* SPDX-License-Identifier: ISC
 *
 * A folder with a file to be found, and a quarantine beside it. */
#ifndef TESTS_SCANNER_QUARANTINED_H
#define TESTS_SCANNER_QUARANTINED_H

#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/quarantine_take.h"

#define BYTES "the bytes of a find"

static char base[40], folder[64], path[80], quarantine_path[64];
static const struct hash set = { { 7 } };

/* below: where the find is; the quarantine is in /tmp. */
static int prepare(const char *below)
{
	struct err err = { 0 };

	(void)snprintf(base, sizeof(base), "/tmp/test_quarantine.XXXXXX");
	if (!mkdtemp(base))
		return -1;
	(void)snprintf(folder, sizeof(folder), "%s/there", below ? below : base);
	(void)snprintf(path, sizeof(path), "%s/find", folder);
	(void)snprintf(quarantine_path, sizeof(quarantine_path), "%s/quarantine", base);
	return file_mkdirs(folder, 0755, &err);
}

static int clean_up(void **state)
{
	(void)state;
	/* It may be elsewhere, or gone. */
	(void)file_remove_tree(folder, true, NULL);
	return file_remove_tree(base, true, NULL);
}

static inline int start(void **state)
{
	(void)state;
	return prepare(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clean_up)

static void put_file(const char *name, const char *bytes)
{
	struct err err = { 0 };

	if (file_replace(name, span_str(bytes), 0640, &err) < 0)
		fail_msg("%s", err.text);
}

static bool has_file(const char *name, const char *bytes)
{
	auto_buf struct buf is;
	struct err err;

	buf_init(&is, 4096);
	return file_read(name, 4096, &is, &err) == 0 && is.len == strlen(bytes) &&
	       memcmp(is.data, bytes, is.len) == 0;
}

static struct quarantine open_quarantine(void)
{
	struct quarantine quarantine;
	struct err err = { 0 };

	if (quarantine_open(quarantine_path, true, &quarantine, &err) < 0 ||
		quarantine_lock(&quarantine, false, &err) < 0)
		fail_msg("%s", err.text);
	return quarantine;
}

/* What the walker holds of a file that it has opened; between the two it is scanned. */
struct held {
	int dir, file;
	struct stat stat;
	struct hash hash;
};

static inline struct held hold(void)
{
	struct held held;

	held.dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	held.file = openat(held.dir, "find", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(held.file, &held.stat), 0);
	assert_int_equal(hash_span(span_str(BYTES), &held.hash, NULL), 0);
	return held;
}

static inline int take_held(const struct quarantine *quarantine, struct held *held,
	char id_r[static QUARANTINE_ID_MAX], struct err *err)
{
	const struct quarantine_find find = { .dir = held->dir,
		.name = "find",
		.file = held->file,
		.stat = &held->stat,
		.path = path,
		.signature = "Test.Find",
		.where = "in it",
		.hash = &held->hash,
		.signatures = &set };
	int done = quarantine_take(quarantine, &find, id_r, err);

	(void)close(held->file);
	(void)close(held->dir);
	return done;
}

/* Found, scanned and taken. */
static inline void take_one(
	const struct quarantine *quarantine, char id_r[static QUARANTINE_ID_MAX])
{
	struct held held = hold();
	struct err err = { 0 };

	if (take_held(quarantine, &held, id_r, &err) < 0)
		fail_msg("%s", err.text);
}

/* How many names, but for the two dots. */
static size_t names_in(const char *dir)
{
	auto_closedir DIR *list = opendir(dir);
	size_t count = 0;

	while (list && readdir(list))
		count++;
	return count > 2 ? count - 2 : 0;
}

/* Nothing came of it: the quarantine is as it was, with its lock alone. */
static inline void assert_untouched(void)
{
	assert_int_equal(names_in(quarantine_path), 1);
}

static inline void check_taken(const struct quarantine *quarantine, const char *id)
{
	struct quarantine_item item = { 0 };
	auto_close int fd = -1;
	char bytes[64] = "";
	struct err err = { 0 };

	assert_int_equal(names_in(folder), 0);
	if (quarantine_read(quarantine, id, &item, &err) < 0 ||
		quarantine_data(quarantine, id, &fd, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), strlen(BYTES));
	assert_string_equal(bytes, BYTES);
	assert_int_equal(item.state, QUARANTINE_KEPT);
	assert_string_equal(item.path, path);
	assert_string_equal(item.signature, "Test.Find");
	assert_string_equal(item.where, "in it");
	assert_int_equal(item.size, strlen(BYTES));
	assert_int_equal(item.mode, 0640);
	assert_int_equal(item.uid, geteuid());
	assert_true(hash_equal(&item.signatures, &set));
}

#endif
