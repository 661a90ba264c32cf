/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_listed.h"

#include <string.h>
#include <strings.h>

#include "common/parse.h"

#include "mailfilter/imap_utf7.h"

enum {
	NAME_WIRE_MAX = 4 * MESSAGE_FOLDER_MAX,
	FLAG_MAX = 32 /* longer ones are none that matters */
};

static const struct {
	const char *flag;
	unsigned mark;
} marks[] = {
	{ "\\Noselect", SOURCE_FOLDER_NONE },
	{ "\\NonExistent", SOURCE_FOLDER_NONE },
	{ "\\All", SOURCE_FOLDER_VIEW },
	{ "\\Flagged", SOURCE_FOLDER_VIEW },
	{ "\\Trash", SOURCE_FOLDER_TRASH },
};

static bool take(struct span *rest, const char *text)
{
	size_t len = strlen(text);

	if (rest->len < len || !span_is(span_part(*rest, 0, len), text))
		return false;
	*rest = span_part(*rest, len, rest->len);
	return true;
}

/* Up to a character of these, which stays. */
static struct span take_word(struct span *rest, const char *ends)
{
	size_t len = 0;
	struct span word;

	while (len < rest->len &&
		(rest->data[len] == '\0' || !strchr(ends, rest->data[len])))
		len++;
	word = span_part(*rest, 0, len);
	*rest = span_part(*rest, len, rest->len);
	return word;
}

static void note_flag(struct span flag, unsigned *marks_r)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (flag.len < FLAG_MAX && span_is(flag, marks[i].flag))
			*marks_r |= marks[i].mark;
}

static bool take_flags(struct span *rest, unsigned *marks_r)
{
	if (!take(rest, "("))
		return false;
	while (!take(rest, ")")) {
		struct span flag = take_word(rest, " ()\r\n");

		if (flag.len == 0 && !take(rest, " "))
			return false;
		note_flag(flag, marks_r);
	}
	return take(rest, " ");
}

/* A quoted string, its escapes undone. */
static int take_quoted(struct span *rest, struct buf *text)
{
	size_t i = 1;

	for (; i < rest->len && rest->data[i] != '"'; i++) {
		if (rest->data[i] == '\r' || rest->data[i] == '\n')
			return -1;
		if (rest->data[i] == '\\' && i + 1 < rest->len)
			i++;
		if (buf_add(text, &rest->data[i], 1, NULL) < 0)
			return -1;
	}
	if (i == rest->len)
		return -1;
	*rest = span_part(*rest, i + 1, rest->len);
	return 0;
}

/* "{n}" CR LF at the very start: n, and rest moves behind it. */
static bool take_literal_mark(struct span *rest, uint64_t *len_r)
{
	struct span at = *rest, digits;
	char text[12];

	if (!take(&at, "{"))
		return false;
	digits = take_word(&at, "}\r\n");
	if (digits.len == 0 || digits.len >= sizeof(text) || !take(&at, "}\r\n"))
		return false;
	memcpy(text, digits.data, digits.len);
	text[digits.len] = '\0';
	if (parse_number(text, 0, NAME_WIRE_MAX, len_r, NULL) < 0 || *len_r > at.len)
		return false;
	*rest = at;
	return true;
}

static int take_string(struct span *rest, struct buf *text)
{
	struct span word;
	uint64_t len;

	if (rest->len > 0 && rest->data[0] == '"')
		return take_quoted(rest, text);
	if (take_literal_mark(rest, &len)) {
		word = span_part(*rest, 0, (size_t)len);
		*rest = span_part(*rest, (size_t)len, rest->len);
	} else {
		word = take_word(rest, " \"(){\r\n");
	}
	return buf_add(text, word.data, word.len, NULL);
}

/* One character in quotes, or NIL. */
static bool take_separator(struct span *rest, char *separator_r)
{
	auto_buf struct buf text;

	buf_init(&text, 4);
	if (take(rest, "NIL "))
		return true;
	if (rest->len == 0 || rest->data[0] != '"' || take_quoted(rest, &text) < 0 ||
		text.len > 1)
		return false;
	if (text.len == 1)
		*separator_r = (char)text.data[0];
	return take(rest, " ");
}

/* Behind the end of this response, literals and all. */
static void skip_line(struct span *rest)
{
	while (rest->len > 0) {
		uint64_t len;

		(void)take_word(rest, "{\n");
		if (take_literal_mark(rest, &len)) {
			*rest = span_part(*rest, (size_t)len, rest->len);
			continue;
		}
		if (take(rest, "\n"))
			return;
		*rest = span_part(*rest, 1, rest->len);
	}
}

static int read_folder(struct span *rest, struct source_folder *folder, struct err *err)
{
	auto_buf struct buf name;

	buf_init(&name, NAME_WIRE_MAX);
	if (!take(rest, "* LIST ") || !take_flags(rest, &folder->marks) ||
		!take_separator(rest, &folder->separator) || take_string(rest, &name) < 0)
		return err_set(err, ERR_MESSAGE, "a folder is listed in no known form");
	if (imap_utf7_decode(buf_span(&name), folder->name, sizeof(folder->name), err) <
		0)
		return err_wrap(err, "a folder's name");
	/* RFC 3501: this one name has no case. */
	if (strcasecmp(folder->name, "INBOX") == 0)
		memcpy(folder->name, "INBOX", 5);
	return 1;
}

int imap_listed_next(struct span *rest, struct source_folder *folder_r, struct err *err)
{
	struct source_folder folder = { 0 };
	struct span start = *rest;
	int result;

	if (rest->len == 0)
		return 0;
	result = read_folder(rest, &folder, err);
	if (result < 0)
		*rest = start;
	skip_line(rest);
	if (result > 0)
		*folder_r = folder;
	return result;
}
