/* SPDX-License-Identifier: ISC */
#include "mailfilter/password.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/file.h"

#include "mailfilter/command.h"

static void wiped_done(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->size);
	buf_done(buf);
}

/* The first line, checked: what a login cannot carry in one line is no password. */
static int first_line(
	const char *from, struct span output, char **password_r, struct err *err)
{
	ptrdiff_t end = span_find(output, span_str("\n"));
	struct span line = span_part(output, 0, end < 0 ? output.len : (size_t)end);

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0)
		return err_set(err, ERR_ACCOUNT,
			"%s: no password: expected it on the first line", from);
	if (line.len > PASSWORD_MAX)
		return err_set(err, ERR_ACCOUNT,
			"%s: a password of %zu bytes: expected at most %d", from,
			line.len, PASSWORD_MAX);
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] < ' ' || line.data[i] == 0x7f)
			return err_set(err, ERR_ACCOUNT,
				"%s: a control character in the password", from);
	*password_r = strndup((const char *)line.data, line.len);
	return *password_r ? 0 : err_memory(err);
}

static int from_command(
	const struct schema_list *command, char **password_r, struct err *err)
{
	DEFER(wiped_done) struct buf output;
	uint8_t *room;

	buf_init(&output, PASSWORD_OUTPUT_MAX);
	/* All at once: growing would leave copies behind. */
	if (buf_reserve(&output, PASSWORD_OUTPUT_MAX, &room, err) < 0 ||
		command_read(command, PASSWORD_OUTPUT_MAX, PASSWORD_COMMAND_MS, &output,
			err) < 0 ||
		first_line(command->items[0], buf_span(&output), password_r, err) < 0)
		return err_wrap(err, "password-command");
	return 0;
}

static int read_file(const char *path, struct buf *content, struct err *err)
{
	struct stat st;
	uint8_t *room;

	if (stat(path, &st) < 0)
		return err_errno(err, ERR_ACCOUNT, "cannot read %s", path);
	/* A pipe of this name would be waited for. */
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_ACCOUNT, "%s: expected a regular file", path);
	if (st.st_mode & (S_IROTH | S_IWOTH))
		return err_set(err, ERR_ACCOUNT,
			"everybody may read or write %s, which holds a password: chmod 600 it",
			path);
	if (buf_reserve(content, content->max, &room, err) < 0)
		return -1;
	return file_read(path, PASSWORD_OUTPUT_MAX, content, err);
}

static int from_file(
	const char *what, const char *path, char **password_r, struct err *err)
{
	DEFER(wiped_done) struct buf content;

	buf_init(&content, PASSWORD_OUTPUT_MAX);
	if (read_file(path, &content, err) < 0 ||
		first_line(path, buf_span(&content), password_r, err) < 0)
		return err_wrap(err, "%s", what);
	return 0;
}

int password_credential(
	const struct account_settings *account, char **path_r, struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	auto_free char *path = NULL;

	*path_r = NULL;
	if (!dir || dir[0] != '/')
		return 0;
	if (asprintf(&path, "%s/mailfilter.%s", dir, account->name) < 0)
		return err_memory(err);
	if (access(path, F_OK) == 0)
		*path_r = take_ptr(&path);
	return 0;
}

int settings_password(
	const struct account_settings *account, char **password_r, struct err *err)
{
	auto_free char *credential = NULL;

	if (account->password) {
		*password_r = strdup(account->password);
		return *password_r ? 0 : err_memory(err);
	}
	if (account->password_command.count > 0)
		return from_command(&account->password_command, password_r, err);
	if (account->password_file)
		return from_file(
			"password-file", account->password_file, password_r, err);
	if (password_credential(account, &credential, err) < 0)
		return -1;
	if (credential)
		return from_file("systemd credential", credential, password_r, err);
	return err_set(err, ERR_ACCOUNT,
		"no password: expected password-command, password-file, password or the "
		"systemd credential mailfilter.%s",
		account->name);
}
