/* SPDX-License-Identifier: ISC */
#include "mailfilter/judge_words.h"

#include <string.h>
#include <strings.h>

#include "mailfilter/judge.h"

enum {
	BASE64_LINE = 40, /* characters of a line that is base64 by itself */
	BASE64_SHORT = 16 /* by itself a word; two such lines in a row are not */
};

/* What a byte makes of the token it stands in. */
enum mark {
	MARK_COLON = 1 << 0,
	MARK_DOT = 1 << 1,
	MARK_BACKSLASH = 1 << 2,
	MARK_LESS = 1 << 3,
	MARK_NO_BASE64 = 1 << 4,
	MARK_CONTROL = 1 << 5, /* ends a token: blanks, and what no text holds */
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

		marks->of[c] = byte <= ' ' || byte == 0x7f ? MARK_CONTROL : 0;
		if (!is_word(byte) && byte != '+' && byte != '/' && byte != '=')
			marks->of[c] |= MARK_NO_BASE64;
	}
	marks->of[':'] |= MARK_COLON;
	marks->of['.'] |= MARK_DOT;
	marks->of['\\'] |= MARK_BACKSLASH;
	marks->of['<'] |= MARK_LESS;
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
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
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

static unsigned judge_token(struct span token, unsigned found)
{
	unsigned reasons = 0;

	if (token.len > JUDGE_TOKEN_MAX && too_long(token))
		reasons |= JUDGE_TOKEN;
	if (found & (MARK_COLON | MARK_DOT | MARK_BACKSLASH | MARK_LESS))
		reasons |= look_closer(token);
	return reasons;
}

/* One line: its tokens, and whether the whole of it is one token that base64 could be. */
static unsigned judge_line(
	const struct marks *marks, struct span line, struct span *base64_r)
{
	unsigned reasons = 0, found = 0;
	size_t tokens = 0, i = 0;
	struct span token = { 0 };

	while (i < line.len) {
		size_t start = i;

		for (found = 0; i < line.len && !(marks->of[line.data[i]] & MARK_CONTROL);
			i++)
			found |= marks->of[line.data[i]];
		if (i > start) {
			tokens++;
			token = span_part(line, start, i - start);
			reasons |= judge_token(token, found);
			if (found & MARK_NO_BASE64)
				tokens = 2;
		}
		if (i < line.len && !memchr(" \t\r\n\f", line.data[i], 5))
			reasons |= JUDGE_BINARY;
		i++;
	}
	*base64_r = (struct span){ 0 };
	if (tokens == 1 && token.len >= BASE64_SHORT && !is_row(token))
		*base64_r = token;
	return reasons;
}

unsigned judge_words(struct span text)
{
	unsigned reasons = 0;
	bool was_base64 = false;
	struct marks marks;

	marks_init(&marks);
	while (text.len > 0) {
		const uint8_t *lf = memchr(text.data, '\n', text.len);
		size_t len = lf ? (size_t)(lf - text.data) + 1 : text.len;
		struct span base64;

		reasons |= judge_line(&marks, span_part(text, 0, len), &base64);
		if (base64.len >= BASE64_LINE || (base64.len > 0 && was_base64))
			reasons |= JUDGE_ENCODED;
		was_base64 = base64.len > 0;
		text = span_part(text, len, text.len);
	}
	return reasons;
}
