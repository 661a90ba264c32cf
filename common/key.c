/* SPDX-License-Identifier: ISC */
#include "common/key.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

enum {
	Z85_BYTES = 4, /* become so many digits: */
	Z85_DIGITS = 5,
	Z85_BASE = 85,
	FILE_MAX = 128
};

static const char z85[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  ".-:+=^!/*?&<>()[]{}@%$#";

/* Does a group of digits stand for four bytes? */
static bool group_fits(const char *digits)
{
	uint64_t value = 0;

	for (size_t i = 0; i < Z85_DIGITS; i++) {
		const char *digit = strchr(z85, digits[i]);

		if (digits[i] == '\0' || !digit)
			return false;
		value = Z85_BASE * value + (uint64_t)(digit - z85);
	}
	return value <= UINT32_MAX;
}

int key_parse(const char *text, struct key *key_r, struct err *err)
{
	bool fits = strlen(text) == KEY_TEXT_LEN;

	for (size_t i = 0; fits && i < KEY_TEXT_LEN; i += Z85_DIGITS)
		fits = group_fits(text + i);
	if (!fits)
		return err_set(err, ERR_SETTINGS,
			"expected a key: %d letters, digits and signs, as \"mailfilter "
			"keygen\" makes them",
			KEY_TEXT_LEN);
	memcpy(key_r->text, text, KEY_TEXT_LEN + 1);
	return 0;
}

void key_from_bytes(const uint8_t bytes[static KEY_SIZE], struct key *key_r)
{
	char *at = key_r->text;

	for (size_t i = 0; i < KEY_SIZE; i += Z85_BYTES, at += Z85_DIGITS) {
		uint32_t value = 0;

		for (size_t j = 0; j < Z85_BYTES; j++)
			value = value << 8 | bytes[i + j];
		for (size_t j = Z85_DIGITS; j-- > 0; value /= Z85_BASE)
			at[j] = z85[value % Z85_BASE];
	}
	*at = '\0';
}

bool key_equal(const struct key *left, const struct key *right)
{
	return strcmp(left->text, right->text) == 0;
}

void key_done(struct key *key)
{
	explicit_bzero(key, sizeof(*key));
}

static int check_file(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, ERR_SETTINGS, "cannot read %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_SETTINGS, "%s: expected a regular file", path);
	if (st.st_mode & 077)
		return err_set(err, ERR_SETTINGS,
			"%s: others may read this secret key (mode %03o): expected 600; "
			"chmod 600 %s",
			path, st.st_mode & 0777U, path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(err, ERR_SETTINGS,
			"%s: this secret key belongs to another user (%ju): chown it to the "
			"one that reads it",
			path, (uintmax_t)st.st_uid);
	return 0;
}

/* The first line of what a file holds, checked. */
static int parse_line(char *text, size_t len, struct key *key_r, struct err *err)
{
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	return key_parse(text, key_r, err);
}

int key_read_secret(const char *path, struct key *key_r, struct err *err)
{
	/* Neither a pipe of this name nor a terminal is waited for. */
	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char text[FILE_MAX];
	ssize_t len;
	int result;

	if (fd < 0)
		return err_set(err, ERR_SETTINGS, "cannot open the secret key %s: %s%s",
			path, strerror(errno),
			errno == ENOENT ? ": make one with \"mailfilter keygen FILE\""
					: "");
	if (check_file(fd, path, err) < 0)
		return -1;
	do
		len = read(fd, text, sizeof(text) - 1);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return err_errno(err, ERR_SETTINGS, "cannot read %s", path);
	result = parse_line(text, (size_t)len, key_r, err);
	explicit_bzero(text, sizeof(text));
	return result < 0 ? err_wrap(err, "%s", path) : 0;
}

static int sync_folder(const char *path, struct err *err)
{
	char copy[PATH_MAX];
	auto_close int fd = -1;
	const char *folder;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, ERR_SETTINGS, "cannot open %s", folder);
	return file_sync_dir(fd, folder, err);
}

int key_write(const char *path, const struct key *key, mode_t mode, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	char line[KEY_TEXT_LEN + 2];
	int result = 0;

	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_SETTINGS,
			"%s is there already, and a key is never overwritten: move it away "
			"or choose another name",
			path);
	if (fd < 0)
		return err_errno(err, ERR_SETTINGS, "cannot make %s", path);
	(void)snprintf(line, sizeof(line), "%s\n", key->text);
	/* Whatever the umask. */
	if (fchmod(fd, mode) < 0)
		result = err_errno(err, ERR_SETTINGS, "cannot make %s", path);
	if (result == 0)
		result = file_write(fd, span_str(line), path, err);
	explicit_bzero(line, sizeof(line));
	if (result == 0)
		result = file_sync_close(&fd, path, err);
	defer_close(&fd);
	if (result == 0)
		result = sync_folder(path, err);
	if (result < 0)
		(void)unlink(path);
	return result;
}
