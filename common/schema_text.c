/* SPDX-License-Identifier: ISC */
#include "common/schema_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum {
	DEPTH_MAX = 4 /* a list in a section is two */
};

enum {
	LAST_WORD = 'w', /* a word or a quoted text */
	LAST_LIST = '[', /* the opening brace of a list */
};

struct cleaner {
	const char *path;
	struct span in;
	size_t at;
	int line;
	char last;    /* of the last token: its character, LAST_WORD, LAST_LIST or 0 */
	bool in_word; /* right behind an unquoted word's character: "//" is no comment */
	int opened[DEPTH_MAX]; /* lines of the open braces */
	size_t depth;
	struct buf *out;
	struct err *err;
};

static int peek(const struct cleaner *cleaner, size_t ahead)
{
	size_t at = cleaner->at + ahead;

	return at < cleaner->in.len ? cleaner->in.data[at] : -1;
}

static int emit(struct cleaner *cleaner, const char *text, size_t len)
{
	return buf_add(cleaner->out, text, len, cleaner->err);
}

/* Passes the next len bytes on as they are. */
static int pass(struct cleaner *cleaner, size_t len)
{
	struct span bytes = span_part(cleaner->in, cleaner->at, len);

	cleaner->at += len;
	return buf_add(cleaner->out, bytes.data, bytes.len, cleaner->err);
}

static int fail(const struct cleaner *cleaner, int line, const char *text)
{
	return schema_error(cleaner->err, cleaner->path, line, "%s", text);
}

static bool control(int c)
{
	return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f;
}

static void line_comment(struct cleaner *cleaner)
{
	while (peek(cleaner, 0) >= 0 && peek(cleaner, 0) != '\n')
		cleaner->at++;
}

/* What it held of line ends stays, so that lines keep their numbers. */
static int block_comment(struct cleaner *cleaner)
{
	int start = cleaner->line;

	cleaner->at += 2;
	while (!(peek(cleaner, 0) == '*' && peek(cleaner, 1) == '/')) {
		int c = peek(cleaner, 0);

		if (c < 0)
			return fail(cleaner, start,
				"this comment never ends: expected \"*/\"");
		if (c == '\n') {
			cleaner->line++;
			if (emit(cleaner, "\n", 1) < 0)
				return -1;
		}
		cleaner->at++;
	}
	cleaner->at += 2;
	return emit(cleaner, " ", 1);
}

/* In double quotes. Numeric escapes could make a NUL, which would cut the value unseen. */
static int escape(struct cleaner *cleaner)
{
	int c = peek(cleaner, 1);

	if (c == 'x' || (c >= '0' && c <= '9'))
		return fail(cleaner, cleaner->line,
			"a numeric escape: expected the character itself, and \\\\ for a "
			"backslash");
	if (c < 0 || c == '\n' || c == '\r')
		return fail(cleaner, cleaner->line,
			"a text over several lines: expected its closing quote here");
	return pass(cleaner, 2);
}

static int quoted(struct cleaner *cleaner)
{
	int quote = peek(cleaner, 0);

	if (pass(cleaner, 1) < 0)
		return -1;
	for (;;) {
		int c = peek(cleaner, 0), next = peek(cleaner, 1), done;

		if (c < 0 || c == '\n' || c == '\r')
			return fail(cleaner, cleaner->line,
				quote == '"'
					? "a text without end: expected its closing \""
					: "a text without end: expected its closing '");
		if (control(c))
			return fail(cleaner, cleaner->line,
				"a control character: expected plain text");
		if (c == quote)
			return pass(cleaner, 1);
		if (c == '\\' && quote == '"')
			done = escape(cleaner);
		else if (c == '\\' && (next == '\\' || next == '\''))
			done = pass(cleaner, 2);
		else if (c == '$' && next == '{' && quote == '"')
			/* A password must not be looked up in the environment. */
			done = emit(cleaner, "\\", 1) < 0 ? -1 : pass(cleaner, 1);
		else
			done = pass(cleaner, 1);
		if (done < 0)
			return -1;
	}
}

static int brace_open(struct cleaner *cleaner)
{
	static const char mark[] = " \"" SCHEMA_MARK "\" = x ";
	bool list = cleaner->last == '=';

	if (cleaner->depth == DEPTH_MAX)
		return fail(cleaner, cleaner->line,
			"a brace in too many others: expected \"}\" before");
	cleaner->opened[cleaner->depth++] = cleaner->line;
	cleaner->last = list ? LAST_LIST : '{';
	if (pass(cleaner, 1) < 0)
		return -1;
	return list ? 0 : emit(cleaner, mark, sizeof(mark) - 1);
}

static int brace_close(struct cleaner *cleaner)
{
	static const char mark[] = "\"" SCHEMA_MARK "\"";

	if (cleaner->depth == 0)
		return fail(cleaner, cleaner->line,
			"a closing brace too many: expected an option or a section");
	cleaner->depth--;
	if (cleaner->last == LAST_LIST && emit(cleaner, mark, sizeof(mark) - 1) < 0)
		return -1;
	cleaner->last = '}';
	return pass(cleaner, 1);
}

static int blank_or_line(struct cleaner *cleaner, int c)
{
	if (c == '\n')
		cleaner->line++;
	if (c == '\r') {
		cleaner->at++;
		return 0;
	}
	return pass(cleaner, 1);
}

/* libconfuse drops what it does not know: refuse it, or half a password would count. */
static int word(struct cleaner *cleaner, int c)
{
	int next = peek(cleaner, 1);

	if (control(c))
		return fail(cleaner, cleaner->line,
			"a control character: expected plain text");
	if (c == '*' || c == '+' || (c == '$' && next == '{'))
		return fail(cleaner, cleaner->line,
			"a special character: expected the value in quotes");
	cleaner->in_word = true;
	cleaner->last = LAST_WORD;
	return pass(cleaner, 1);
}

static int step(struct cleaner *cleaner)
{
	int c = peek(cleaner, 0), next = peek(cleaner, 1);
	bool in_word = cleaner->in_word;

	if (c == '#' || (c == '/' && next == '/' && !in_word)) {
		line_comment(cleaner);
		return 0;
	}
	if (c == '/' && next == '*' && !in_word)
		return block_comment(cleaner);
	cleaner->in_word = false;
	if (c == ' ' || c == '\t' || c == '\n' || (c == '\r' && next == '\n'))
		return blank_or_line(cleaner, c);
	if (c == '{')
		return brace_open(cleaner);
	if (c == '}')
		return brace_close(cleaner);
	if (c == '"' || c == '\'') {
		cleaner->last = LAST_WORD;
		return quoted(cleaner);
	}
	if (c == '+' && next == '=') {
		cleaner->last = '=';
		return pass(cleaner, 2);
	}
	if (c == '=' || c == ',' || c == '(' || c == ')') {
		cleaner->last = (char)c;
		return pass(cleaner, 1);
	}
	return word(cleaner, c);
}

int schema_text_clean(
	const char *path, struct span raw, struct buf *clean, struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf"; /* some editors start UTF-8 with it */
	struct cleaner cleaner = {
		.path = path, .in = raw, .line = 1, .out = clean, .err = err
	};

	if (raw.len >= 3 && memcmp(raw.data, mark, 3) == 0)
		cleaner.at = 3;
	while (cleaner.at < raw.len)
		if (step(&cleaner) < 0)
			return -1;
	if (cleaner.depth > 0)
		return fail(&cleaner, cleaner.opened[cleaner.depth - 1],
			"the brace opened here is never closed: expected \"}\"");
	/* An end in the middle of a statement is then reported on the line it began. */
	while (clean->len > 0 && strchr(" \t\n", clean->data[clean->len - 1]))
		clean->len--;
	return buf_add(clean, " ", 1, err);
}

static int read_all(int fd, const char *path, struct buf *raw, struct err *err)
{
	for (;;) {
		uint8_t *room;
		ssize_t got;

		if (raw->len > SCHEMA_FILE_MAX)
			return schema_error(err, path, 0,
				"too large: expected settings of at most %d bytes",
				SCHEMA_FILE_MAX);
		if (buf_reserve(raw, SCHEMA_TEXT_CHUNK, &room, err) < 0)
			return -1;
		got = read(fd, room, SCHEMA_TEXT_CHUNK);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return err_errno(err, ERR_SETTINGS, "%s: cannot be read", path);
		if (got > 0)
			raw->len += (size_t)got;
	}
}

int schema_text_read(const char *path, struct buf *raw, struct err *err)
{
	/* Not blocking: a pipe of this name would wait for a writer for ever. */
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_SETTINGS,
			"%s: no such file: expected the settings there; write them or "
			"name another file with -c",
			path);
	if (fd < 0)
		return err_errno(err, ERR_SETTINGS,
			"%s: cannot be opened: expected a file that this user may read",
			path);
	if (fstat(fd, &st) < 0)
		return err_errno(err, ERR_SETTINGS, "%s: cannot be read", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_SETTINGS, "%s: expected a regular file", path);
	return read_all(fd, path, raw, err);
}
