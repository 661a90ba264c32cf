/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/key.h"

/* RFC 26's example of a public key, and RFC 32's of Z85. */
#define EXAMPLE "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
static const char example[] = EXAMPLE;
static const uint8_t example_bytes[KEY_SIZE] = { 0xbb, 0x88, 0x47, 0x1d, 0x65, 0xe2, 0x65,
	0x9b, 0x30, 0xc5, 0x5a, 0x53, 0x21, 0xce, 0xbb, 0x5a, 0xab, 0x2b, 0x70, 0xa3,
	0x98, 0x64, 0x5c, 0x26, 0xdc, 0xa2, 0xb2, 0xfc, 0xb4, 0x3f, 0xc5, 0x18 };

struct place {
	char dir[32], path[64];
};

static int make_place(void **state)
{
	static struct place place;

	(void)snprintf(place.dir, sizeof(place.dir), "/tmp/key.XXXXXX");
	if (!mkdtemp(place.dir))
		return -1;
	(void)snprintf(place.path, sizeof(place.path), "%s/secret", place.dir);
	*state = &place;
	return 0;
}

static int drop_place(void **state)
{
	struct place *place = *state;
	struct err err;

	return file_remove_tree(place->dir, true, &err);
}

static void bytes_become_the_text_that_the_rfc_shows(void **state)
{
	struct key key, parsed;
	struct err err = { 0 };

	(void)state;
	key_from_bytes(example_bytes, &key);
	assert_string_equal(key.text, example);
	assert_int_equal(key_parse(example, &parsed, &err), 0);
	assert_true(key_equal(&key, &parsed));
	parsed.text[0] = 'X';
	assert_false(key_equal(&key, &parsed));
}

static void what_is_no_key_is_refused_and_not_shown(void **state)
{
	static const char *const bad[] = { "", "x",
		"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI",
		"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hIDD",
		"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI ",
		"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI\n",
		"\"ne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
		"#####-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hIDx" /* over 32 bits */ };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct key key = { "untouched" };
		struct err err = { 0 };

		assert_int_equal(key_parse(bad[i], &key, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_string_equal(key.text, "untouched");
		assert_null(strstr(err.text, "Yne"));
	}
}

static void a_written_key_is_read_again_and_has_its_mode_whatever_the_umask(void **state)
{
	struct place *place = *state;
	struct key key, got;
	struct stat stat;
	struct err err = { 0 };
	mode_t mask = umask(0);

	assert_int_equal(key_parse(example, &key, &err), 0);
	assert_int_equal(key_write(place->path, &key, 0600, &err), 0);
	(void)umask(mask);
	assert_int_equal(lstat(place->path, &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0600);
	assert_int_equal(stat.st_size, KEY_TEXT_LEN + 1);
	assert_int_equal(key_read_secret(place->path, &got, &err), 0);
	assert_true(key_equal(&key, &got));
	key_done(&got);
	for (size_t i = 0; i < sizeof(got.text); i++)
		assert_int_equal(got.text[i], 0);
}

static void a_key_is_never_overwritten_nor_written_through_a_link(void **state)
{
	struct place *place = *state;
	char other[80];
	struct key key, got;
	struct err err = { 0 };

	(void)snprintf(other, sizeof(other), "%s.other", place->path);
	key_from_bytes(example_bytes, &key);
	assert_int_equal(key_write(place->path, &key, 0600, &err), 0);
	key.text[0] = '0';
	assert_int_equal(key_write(place->path, &key, 0600, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "never overwritten"));
	assert_int_equal(key_read_secret(place->path, &got, &err), 0);
	assert_string_equal(got.text, example);
	assert_int_equal(symlink("nowhere", other), 0);
	assert_int_equal(key_write(other, &key, 0600, &err), -1);
	assert_int_equal(unlink(other), 0);
	(void)snprintf(other, sizeof(other), "%s/none/key", place->dir);
	assert_int_equal(key_write(other, &key, 0600, &err), -1);
	assert_non_null(strstr(err.text, other));
}

static void write_text(const char *path, const char *text, mode_t mode)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err err = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, span_str(text), path, &err), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void a_secret_that_others_may_read_or_write_is_refused(void **state)
{
	static const mode_t modes[] = { 0644, 0640, 0604, 0620, 0602, 0601, 0660 };
	struct place *place = *state;
	struct key key = { "" };
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		write_text(place->path, example, modes[i]);
		assert_int_equal(key_read_secret(place->path, &key, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_non_null(strstr(err.text, "chmod 600"));
	}
	write_text(place->path, example, 0400);
	assert_int_equal(key_read_secret(place->path, &key, &err), 0);
}

static void a_secret_of_another_user_is_refused(void **state)
{
	struct place *place = *state;
	struct key key = { "" };
	struct err err = { 0 };

	if (geteuid() != 0)
		skip();
	write_text(place->path, example, 0600);
	assert_int_equal(chown(place->path, 65534, 65534), 0);
	assert_int_equal(key_read_secret(place->path, &key, &err), -1);
	assert_non_null(strstr(err.text, "another user"));
}

static void a_file_without_a_key_is_named_and_its_bytes_are_not(void **state)
{
	static const char *const bad[] = { "", "\n", "Yne@$w", "#secret\n",
		(EXAMPLE EXAMPLE EXAMPLE EXAMPLE) };
	struct place *place = *state;
	struct key key = { "" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = { 0 };

		write_text(place->path, bad[i], 0600);
		assert_int_equal(key_read_secret(place->path, &key, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_non_null(strstr(err.text, place->path));
		assert_null(strstr(err.text, "Yne"));
	}
	write_text(place->path, EXAMPLE "\r\n# mine\n", 0600);
	assert_int_equal(key_read_secret(place->path, &key, NULL), 0);
	assert_string_equal(key.text, example);
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
	struct place *place = *state;
	struct key key = { "" };
	struct err err = { 0 };

	assert_int_equal(key_read_secret(place->path, &key, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_int_equal(mkfifo(place->path, 0600), 0);
	assert_int_equal(key_read_secret(place->path, &key, &err), -1);
	assert_non_null(strstr(err.text, "regular file"));
	assert_int_equal(key_read_secret(place->dir, &key, &err), -1);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, drop_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_become_the_text_that_the_rfc_shows),
		cmocka_unit_test(what_is_no_key_is_refused_and_not_shown),
		PLACED(a_written_key_is_read_again_and_has_its_mode_whatever_the_umask),
		PLACED(a_key_is_never_overwritten_nor_written_through_a_link),
		PLACED(a_secret_that_others_may_read_or_write_is_refused),
		PLACED(a_secret_of_another_user_is_refused),
		PLACED(a_file_without_a_key_is_named_and_its_bytes_are_not),
		PLACED(what_is_no_file_is_refused_without_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
