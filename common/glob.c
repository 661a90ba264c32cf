/* SPDX-License-Identifier: ISC */
#include "common/glob.h"

#include <stdint.h>
#include <string.h>
#include <wctype.h>

#include "common/buf.h"
#include "common/utf8.h"

enum {
	NO_CHARACTER =
		0x110000 /* and a byte above: what is no UTF-8 equals itself only */
};

/* The character at the text, in lower case; *len_r of its bytes. Text is not at its end. */
static uint32_t next(const char *text, size_t *len_r)
{
	uint32_t c = 0;
	size_t len =
		utf8_decode((struct span){ (const uint8_t *)text, strnlen(text, 4) }, &c);

	*len_r = len ? len : 1;
	return len ? (uint32_t)towlower((wint_t)c)
		   : (uint32_t)NO_CHARACTER + (uint8_t)text[0];
}

/* One character of the pattern, "\" taken away. */
static uint32_t literal(const char **pattern)
{
	size_t len;
	uint32_t c;

	if (**pattern == '\\' && (*pattern)[1])
		(*pattern)++;
	c = next(*pattern, &len);
	*pattern += len;
	return c;
}

/* Is c in the set behind "["? *pattern moves behind its "]"; *closed_r: there is one. */
static bool in_set(const char **pattern, uint32_t c, bool *closed_r)
{
	bool inverse = **pattern == '!' || **pattern == '^';
	bool first = true, found = false;

	*pattern += inverse;
	while (**pattern && (first || **pattern != ']')) {
		uint32_t from = literal(pattern), to = from;

		first = false;
		if (**pattern == '-' && (*pattern)[1] && (*pattern)[1] != ']') {
			++*pattern;
			to = literal(pattern);
		}
		found = found || (c >= from && c <= to);
	}
	*closed_r = **pattern == ']';
	*pattern += *closed_r;
	return found != inverse;
}

/* Does one character of the pattern, which is no "*", match this one? It moves behind it. */
static bool matches_one(const char **pattern, uint32_t c)
{
	bool closed;

	if (**pattern == '?') {
		++*pattern;
		return true;
	}
	if (**pattern == '[') {
		++*pattern;
		return in_set(pattern, c, &closed);
	}
	return **pattern && literal(pattern) == c;
}

bool glob_match(const char *pattern, const char *text)
{
	const char *star = NULL,
		   *retry = NULL; /* behind the last "*", and where it ended */

	while (*text) {
		const char *after = pattern;
		size_t len;
		uint32_t c = next(text, &len);

		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (matches_one(&after, c)) {
			pattern = after;
			text += len;
		} else if (star) {
			/* The last "*" takes one character more; those before need not. */
			(void)next(retry, &len);
			retry += len;
			text = retry;
			pattern = star;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

int glob_check(const char *pattern, struct err *err)
{
	const char *at = pattern;
	bool closed = false;

	if (!*pattern || strlen(pattern) > GLOB_MAX || !utf8_valid(span_str(pattern)))
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected a pattern of 1 to %d bytes in UTF-8",
			pattern, GLOB_MAX);
	while (*at) {
		const char c = *at++;

		if (c == '[') {
			(void)in_set(&at, 0, &closed);
			if (!closed)
				return err_set(err, ERR_SETTINGS,
					"\"%.80s\": expected \"]\" behind \"[\", or \"\\[\"",
					pattern);
		} else if (c == '\\') {
			if (!*at)
				return err_set(err, ERR_SETTINGS,
					"\"%.80s\": expected a character behind the \"\\\" at "
					"its end",
					pattern);
			at++;
		}
	}
	return 0;
}
