/* SPDX-License-Identifier: ISC */
#include "mailfilter/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

#include "mailfilter/pop3_uid.h"

static const struct import_kind kinds[] = {
	{ .name = "mbsync", .imap = true, .journal = ".journal", .read = import_mbsync },
	{ .name = "getmail", .imap = true, .pop3 = true, .read = import_getmail },
	{ .name = "mpop", .pop3 = true, .logins = true, .read = import_mpop },
	{ .name = "fetchmail", .pop3 = true, .logins = true, .read = import_fetchmail },
	{ .name = "fdm", .pop3 = true, .read = import_fdm },
};

const struct import_kind *import_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

void import_init(struct import *import, bool imap, const char *login)
{
	*import = (struct import){ .imap = imap, .login = login };
	buf_init(&import->uids, (size_t)IMPORT_UIDS_MAX * MESSAGE_UID_MAX);
}

void import_done(struct import *import)
{
	buf_done(&import->uids);
}

int import_refuse(const struct import *import, const char *what, struct err *err)
{
	return err_set(
		err, ERR_MESSAGE, "%.200s:%zu: %s", import->path, import->line, what);
}

int import_line(struct import *import, struct span *line_r, struct err *err)
{
	const uint8_t *end;

	if (import->text.len == 0)
		return 0;
	import->line++;
	end = memchr(import->text.data, '\n', import->text.len);
	if (!end)
		return import_refuse(
			import, "the line has no end: was the file cut off?", err);
	*line_r = (struct span){ import->text.data, (size_t)(end - import->text.data) };
	if (line_r->len > IMPORT_LINE_MAX)
		return import_refuse(import, "the line is too long", err);
	import->text = span_part(import->text, line_r->len + 1, import->text.len);
	return 1;
}

struct span import_until(struct span *rest, char byte)
{
	const uint8_t *end = rest->len > 0 ? memchr(rest->data, byte, rest->len) : NULL;
	struct span text = *rest;

	if (end)
		text.len = (size_t)(end - rest->data);
	*rest = span_part(*rest, text.len + (end != NULL), rest->len);
	return text;
}

bool import_number(struct span text, uint64_t max, uint64_t *number_r)
{
	char digits[24];

	if (text.len == 0 || text.len >= sizeof(digits) ||
		memchr(text.data, '\0', text.len))
		return false;
	(void)snprintf(
		digits, sizeof(digits), "%.*s", (int)text.len, (const char *)text.data);
	return parse_number(digits, 0, max, number_r, NULL) == 0;
}

static int add(
	struct import *import, const char uid[static MESSAGE_UID_MAX], struct err *err)
{
	if (import->uids.len == import->uids.max)
		return import_refuse(import, "too many messages", err);
	return buf_add(&import->uids, uid, MESSAGE_UID_MAX, err);
}

int import_uidl(struct import *import, struct span uidl, struct err *err)
{
	char uid[MESSAGE_UID_MAX] = "";

	/* As those that servers list are read. */
	uidl = span_trim(uidl);
	if (uidl.len == 0 || memchr(uidl.data, '\0', uidl.len))
		return import_refuse(import, "this is no UIDL", err);
	if (pop3_uid(uidl, uid, err) < 0)
		return -1;
	return add(import, uid, err);
}

int import_uid(struct import *import, uint32_t uid, struct err *err)
{
	char text[MESSAGE_UID_MAX] = "";

	(void)snprintf(text, sizeof(text), "%" PRIu32, uid);
	return add(import, text, err);
}

bool import_is_wanted(struct import *import, struct span user, struct span host)
{
	char login[IMPORT_LOGIN_MAX];
	bool same;

	(void)snprintf(login, sizeof(login), "%.*s@%.*s", (int)user.len,
		(const char *)user.data, (int)host.len, (const char *)host.data);
	same = user.len + host.len + 1 < sizeof(login) &&
	       span_is(span_str(login), import->login);
	import->found = import->found || same;
	if (!same && !import->other[0])
		(void)snprintf(import->other, sizeof(import->other), "%.*s",
			(int)sizeof(import->other) - 1, login);
	return same;
}

int import_read(struct import *import, const struct import_kind *kind, const char *path,
	struct span text, struct err *err)
{
	import->path = path;
	import->text = text;
	import->line = 0;
	import->found = false;
	import->other[0] = '\0';
	if (kind->read(import, err) < 0)
		return -1;
	if (!kind->logins || import->found)
		return 0;
	return err_set(err, ERR_MESSAGE,
		"%.200s: it has nothing of %.100s%s%s: --login USER@HOST says by which name "
		"%s knew the account",
		path, import->login, import->other[0] ? ", but of " : "", import->other,
		kind->name);
}
