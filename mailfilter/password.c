/* SPDX-License-Identifier: ISC */
#include "mailfilter/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/file.h"

#include "mailfilter/sasl.h"

/* Where it was found, and what is wrong if there is none. */
struct found {
	const char *from;
	bool token;
	enum err_kind kind;
};

/* The first line, checked: what a login cannot carry in one line is no password. */
static int first_line(
	const struct found *found, struct span output, char **password_r, struct err *err)
{
	const char *what = found->token ? "token" : "password";
	const size_t max = found->token ? TOKEN_MAX : PASSWORD_MAX;
	ptrdiff_t end = span_find(output, span_str("\n"));
	struct span line = span_part(output, 0, end < 0 ? output.len : (size_t)end);

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0)
		return err_set(err, found->kind,
			"%s: no %s: expected it on the first line", found->from, what);
	if (line.len > max)
		return err_set(err, found->kind,
			"%s: a %s of %zu bytes: expected at most %zu", found->from, what,
			line.len, max);
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] < ' ' || line.data[i] == 0x7f)
			return err_set(err, found->kind,
				"%s: a control character in the %s", found->from, what);
		/* RFC 6750, 2.1. */
		if (found->token && (line.data[i] == ' ' || line.data[i] >= 0x80))
			return err_set(err, found->kind,
				"%s: a blank or a letter that is not ASCII in the token: "
				"expected the token alone",
				found->from);
	}
	*password_r = strndup((const char *)line.data, line.len);
	return *password_r ? 0 : err_memory(err);
}

static int from_command(const struct password_source *source,
	const struct stream_wait *wait, char **password_r, struct err *err)
{
	const struct found found = {
		.from = source->command_name, .token = source->token, .kind = ERR_ACCOUNT
	};
	DEFER(buf_wipe) struct buf output;
	uint8_t *room;

	buf_init(&output, PASSWORD_OUTPUT_MAX);
	if (buf_reserve(&output, PASSWORD_OUTPUT_MAX, &room, err) < 0 ||
		runner_read(source->account, source->command, wait, &output, err) < 0 ||
		first_line(&found, buf_span(&output), password_r, err) < 0)
		return err_wrap(err, "%spassword-command", source->prefix);
	return 0;
}

/* A disk in trouble passes; a file that is not there does not come by itself. */
static enum err_kind kind_here(enum err_kind kind)
{
	return kind == ERR_ACCOUNT ? ERR_SETTINGS : kind;
}

static int read_file(const char *path, struct buf *content, struct err *err)
{
	struct stat st;
	uint8_t *room;

	if (stat(path, &st) < 0)
		return err_errno(
			err, kind_here(file_err_kind(errno)), "cannot read %s", path);
	/* A pipe of this name would be waited for. */
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_SETTINGS, "%s: expected a regular file", path);
	if (st.st_mode & (S_IROTH | S_IWOTH))
		return err_set(err, ERR_SETTINGS,
			"everybody may read or write %s, which holds a password: chmod 600 it",
			path);
	if (buf_reserve(content, content->max, &room, err) < 0)
		return -1;
	if (file_read(path, PASSWORD_OUTPUT_MAX, content, err) == 0)
		return 0;
	err->kind = kind_here(err->kind);
	return -1;
}

static int from_file(const char *path, bool token, char **password_r, struct err *err)
{
	const struct found found = { .from = path, .token = token, .kind = ERR_SETTINGS };
	DEFER(buf_wipe) struct buf content;

	buf_init(&content, PASSWORD_OUTPUT_MAX);
	if (read_file(path, &content, err) < 0)
		return -1;
	return first_line(&found, buf_span(&content), password_r, err);
}

static int credential_path(const char *name, char **path_r, struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	auto_free char *path = NULL;

	*path_r = NULL;
	if (!dir || dir[0] != '/')
		return 0;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return err_memory(err);
	if (access(path, F_OK) == 0)
		*path_r = take_ptr(&path);
	return 0;
}

static int from_text(
	const struct password_source *source, char **password_r, struct err *err)
{
	auto_free char *from = NULL;
	struct found found = { .token = source->token, .kind = ERR_SETTINGS };

	if (asprintf(&from, "%spassword", source->prefix) < 0)
		return err_memory(err);
	found.from = from;
	return first_line(&found, span_str(source->text), password_r, err);
}

int password_read(const struct password_source *source, const struct stream_wait *wait,
	char **password_r, struct err *err)
{
	auto_free char *credential = NULL;

	if (source->text)
		return from_text(source, password_r, err);
	if (source->command_name)
		return from_command(source, wait, password_r, err);
	if (source->file)
		return from_file(source->file, source->token, password_r, err) < 0
			       ? err_wrap(err, "%spassword-file", source->prefix)
			       : 0;
	if (source->credential &&
		credential_path(source->credential, &credential, err) < 0)
		return -1;
	if (credential)
		return from_file(credential, source->token, password_r, err) < 0
			       ? err_wrap(err, "systemd credential")
			       : 0;
	return err_set(err, ERR_SETTINGS,
		"no password: expected %spassword-command, %spassword-file, %spassword%s%s",
		source->prefix, source->prefix, source->prefix,
		source->credential ? " or the systemd credential " : "",
		source->credential ? source->credential : "");
}

static int credential_name(
	const struct account_settings *account, char **name_r, struct err *err)
{
	if (asprintf(name_r, "mailfilter.%s", account->name ? account->name : "") >= 0)
		return 0;
	*name_r = NULL;
	return err_memory(err);
}

int password_credential(
	const struct account_settings *account, char **path_r, struct err *err)
{
	auto_free char *name = NULL;

	*path_r = NULL;
	return credential_name(account, &name, err) < 0
		       ? -1
		       : credential_path(name, path_r, err);
}

int settings_password(const struct account_settings *account,
	const struct stream_wait *wait, char **password_r, struct err *err)
{
	auto_free char *credential = NULL;
	struct password_source source = { .account = account,
		.prefix = "",
		.text = account->password,
		.command = RUNNER_PASSWORD,
		.file = account->password_file,
		.token = sasl_is_token((enum auth_kind)account->auth) };

	if (credential_name(account, &credential, err) < 0)
		return -1;
	source.credential = credential;
	if (account->password_command.count > 0)
		source.command_name = account->password_command.items[0];
	return password_read(&source, wait, password_r, err);
}
