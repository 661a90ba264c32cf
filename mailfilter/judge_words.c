/* SPDX-License-Identifier: ISC */
#include "mailfilter/judge_words.h"

#include <string.h>
#include <strings.h>

#include "mailfilter/judge.h"

enum {
	BASE64_LINE = 40, /* characters of a line that is base64 by itself */
	BASE64_SHORT = 16 /* by itself a word; two such lines in a row are not */
};

/* What a byte means to the token it stands in. */
enum mark {
	MARK_END = 1, /* ends the token: a blank, a line end, a control character */
	MARK_BINARY = 1 << 1,    /* is not in text */
	MARK_NO_BASE64 = 1 << 2, /* stands in no base64 */
	MARK_LOOK = 1 << 3,      /* could be part of a link or of markup */
};

struct marks {
	uint8_t of[256];
};

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_word(uint8_t c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

static void marks_init(struct marks *marks)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t byte = (uint8_t)c;

		marks->of[c] = 0;
		if (byte <= ' ' || byte == 0x7f)
			marks->of[c] |= MARK_END;
		else if (!is_word(byte) && byte != '+' && byte != '/' && byte != '=')
			marks->of[c] |= MARK_NO_BASE64;
		if (byte == 0x7f || (byte < ' ' && byte != '\t' && byte != '\r' &&
					    byte != '\n' && byte != '\f'))
			marks->of[c] |= MARK_BINARY;
		if (byte == ':' || byte == '.' || byte == '\\' || byte == '<')
			marks->of[c] |= MARK_LOOK;
	}
}

static bool starts_with(struct span text, const char *start)
{
	size_t len = strlen(start);

	return text.len >= len && strncasecmp((const char *)text.data, start, len) == 0;
}

static bool word_before(struct span token, size_t at)
{
	return at > 0 && is_word(token.data[at - 1]);
}

/* The colon at `at` ends the name of a scheme, and something follows it? */
static bool ends_scheme(struct span token, size_t at)
{
	static const char *const schemes[] = { "http", "https", "ftp", "ftps", "sftp",
		"mailto", "javascript", "vbscript", "data", "file", "smb", "cid", "mid",
		"magnet", "tel", "sms", "callto", "skype", "search-ms", "ldap", "news",
		"nntp", "blob" };
	size_t start = at;

	if (at + 1 >= token.len)
		return false;
	if (starts_with(span_part(token, at, 3), "://"))
		return at > 0;
	while (start > 0 &&
		(is_word(token.data[start - 1]) || strchr("+-", token.data[start - 1])))
		start--;
	if (start == at || !is_letter(token.data[start]))
		return false;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (span_is(span_part(token, start, at - start), schemes[i]))
			return true;
	/* The handlers of one vendor: ms-word:, ms-msdt: */
	return starts_with(span_part(token, start, at - start), "ms-");
}

/* The dot at `at` stands in what mail programs make a link: a domain with a path, or a bare one
 * in the zones that all of them know. */
static bool in_domain(struct span token, size_t at)
{
	static const char *const zones[] = { "com", "net", "org", "info", "biz" };
	struct span rest = span_part(token, at + 1, token.len);
	size_t label = 0;

	if (!word_before(token, at))
		return false;
	while (label < rest.len && is_letter(rest.data[label]))
		label++;
	if (label >= 2 && label < rest.len && rest.data[label] == '/')
		return true;
	for (size_t i = 0; label >= 3 && i < sizeof(zones) / sizeof(zones[0]); i++)
		if (span_is(span_part(rest, 0, label), zones[i]))
			return label == rest.len || rest.data[label] != '@';
	return false;
}

/* "www." or "www2." at the start of a word. */
static bool is_www(struct span token, size_t at)
{
	struct span rest = span_part(token, at, token.len);
	size_t i = 3;

	if (!starts_with(rest, "www") || word_before(token, at))
		return false;
	while (i < rest.len && rest.data[i] >= '0' && rest.data[i] <= '9')
		i++;
	return i < rest.len && rest.data[i] == '.';
}

static bool is_markup(struct span rest)
{
	static const char *const tags[] = { "<html", "<head", "<body", "<script",
		"<iframe", "<object", "<embed", "<applet", "<svg", "<meta", "<form",
		"<img", "<link", "<style", "<base", "<!doctype", "<?xml", "<?php", "<%" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (starts_with(rest, tags[i]))
			return true;
	return span_is(rest, "<a");
}

/* A token that holds one of the characters that matter. */
static unsigned look_closer(struct span token)
{
	unsigned reasons = 0;
	bool address = false; /* what is behind an "@" is somebody's address */

	for (size_t i = 0; i < token.len; i++) {
		uint8_t c = token.data[i];

		address = address || c == '@';

		if ((c == ':' && ends_scheme(token, i)) ||
			(c == '.' && !address && in_domain(token, i)) ||
			((c | 0x20) == 'w' && is_www(token, i)))
			reasons |= JUDGE_LINK;
		if (c == '.' && i >= 3 && span_is(span_part(token, i - 3, 3), "ftp") &&
			!word_before(token, i - 3) && i + 1 < token.len)
			reasons |= JUDGE_LINK;
		if (c == '\\' && i + 2 < token.len && token.data[i + 1] == '\\' &&
			is_word(token.data[i + 2]))
			reasons |= JUDGE_LINK;
		if (c == '<' && is_markup(span_part(token, i, token.len)))
			reasons |= JUDGE_HTML;
	}
	return reasons;
}

/* Longer than allowed, a row of one character counted once? */
static bool too_long(struct span token)
{
	size_t len = 0;

	for (size_t i = 0; i < token.len; i++)
		len += i == 0 || token.data[i] != token.data[i - 1];
	return len > JUDGE_TOKEN_MAX;
}

/* A row of one character is decoration, not base64. */
static bool is_row(struct span token)
{
	return token.len > 1 && memcmp(token.data, token.data + 1, token.len - 1) == 0;
}

struct seen {
	size_t longest; /* token, in bytes */
	size_t tokens;
	unsigned marks; /* of all bytes */
};

/* The end of the token that byte `at` stands in. */
static size_t token_end(const struct marks *marks, struct span line, size_t at)
{
	while (at < line.len && !(marks->of[line.data[at]] & MARK_END))
		at++;
	return at;
}

/* One look at each byte of a line, without a branch that depends on where words end: that is
 * what no processor foresees. A token is looked at closer if something stands in it that at its
 * end would only be the end of a sentence. */
static unsigned judge_line(
	const struct marks *marks, struct span line, struct seen *seen_r)
{
	struct seen seen = { 0 };
	unsigned reasons = 0, before = 0;
	size_t run = 0;

	for (size_t i = 0; i < line.len; i++) {
		unsigned mark = marks->of[line.data[i]];

		if ((before & MARK_LOOK) && !(mark & MARK_END)) {
			size_t end = token_end(marks, line, i);

			reasons |= look_closer(span_part(line, i - run, run + end - i));
			for (; i + 1 < end; i++, run++)
				seen.marks |= marks->of[line.data[i]];
			mark = marks->of[line.data[i]];
		}
		/* 0 at the end of a token; MARK_END is 1 for the sake of this line. */
		run = (run + 1) & ((size_t)(mark & MARK_END) - 1);
		seen.tokens += run == 1;
		seen.longest = run > seen.longest ? run : seen.longest;
		seen.marks |= mark;
		before = mark;
	}
	*seen_r = seen;
	return reasons;
}

static bool has_long_token(const struct marks *marks, struct span line)
{
	for (size_t i = 0, end; i < line.len; i = end + 1) {
		end = token_end(marks, line, i);
		if (too_long(span_part(line, i, end - i)))
			return true;
	}
	return false;
}

/* Is this line one token that base64 could be? Its length, else 0. */
static size_t base64_length(const struct seen *seen, struct span line)
{
	struct span token = span_trim(line);

	if (seen->tokens != 1 || (seen->marks & MARK_NO_BASE64) ||
		seen->longest < BASE64_SHORT || is_row(token))
		return 0;
	return seen->longest;
}

unsigned judge_words(struct span text)
{
	unsigned reasons = 0;
	bool was_base64 = false;
	struct marks marks;

	marks_init(&marks);
	for (size_t pos = 0; pos < text.len;) {
		const uint8_t *lf = memchr(text.data + pos, '\n', text.len - pos);
		size_t end = lf ? (size_t)(lf - text.data) + 1 : text.len, base64;
		struct span line = span_part(text, pos, end - pos);
		struct seen seen;

		reasons |= judge_line(&marks, line, &seen);
		if (seen.marks & MARK_BINARY)
			reasons |= JUDGE_BINARY;
		if (seen.longest > JUDGE_TOKEN_MAX && has_long_token(&marks, line))
			reasons |= JUDGE_TOKEN;
		base64 = base64_length(&seen, line);
		if (base64 >= BASE64_LINE || (base64 > 0 && was_base64))
			reasons |= JUDGE_ENCODED;
		was_base64 = base64 > 0;
		pos = end;
	}
	return reasons;
}
