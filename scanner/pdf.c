/* SPDX-License-Identifier: ISC */
#include "scanner/pdf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	HEAD_MAX = 1024, /* bytes that may stand before its magic */
	TAIL = 2048,     /* what libclamav looks at */
	WORD_LEN = 7,
	NUMBER_MAX = 10, /* digits */
	REFERENCE_MAX = 32,
	ID_NEAR = 4096, /* it stands in the same dictionary */
	ID_LEN = 400,
};

static int hex_of(uint8_t c)
{
	if (isdigit(c))
		return c - '0';
	return isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* The name at a slash is "Encrypt", any of its characters perhaps written as "#45"? *end_r: behind. */
static bool is_word(struct span bytes, size_t at, size_t *end_r)
{
	at++;
	for (size_t i = 0; i < WORD_LEN; i++, at++) {
		int c;

		if (at + 3 > bytes.len)
			return false;
		c = bytes.data[at];
		if (c == '#' && hex_of(bytes.data[at + 1]) >= 0 &&
			hex_of(bytes.data[at + 2]) >= 0) {
			c = hex_of(bytes.data[at + 1]) * 16 + hex_of(bytes.data[at + 2]);
			at += 2;
		}
		if (c != "Encrypt"[i])
			return false;
	}
	*end_r = at;
	return true;
}

static size_t skip(struct span bytes, size_t at, int (*is)(int c), size_t most)
{
	for (size_t i = 0; i < most && at < bytes.len && is(bytes.data[at]); i++)
		at++;
	return at;
}

static int is_blank(int c)
{
	return c == 0 || isspace(c);
}

/* "12 0 R" as it is to be written, or "0 0 R" for a dictionary that stands right here. */
static bool is_reference(struct span bytes, size_t at, char text[static REFERENCE_MAX])
{
	size_t first = skip(bytes, at, is_blank, bytes.len), first_end, second,
	       second_end;

	if (first + 1 < bytes.len && bytes.data[first] == '<' &&
		bytes.data[first + 1] == '<') {
		(void)snprintf(text, REFERENCE_MAX, "0 0 R");
		return true;
	}
	first_end = skip(bytes, first, isdigit, NUMBER_MAX);
	second = skip(bytes, first_end, is_blank, bytes.len);
	second_end = skip(bytes, second, isdigit, NUMBER_MAX);
	at = skip(bytes, second_end, is_blank, bytes.len);
	if (first_end == first || second_end == second || at >= bytes.len ||
		bytes.data[at] != 'R')
		return false;
	(void)snprintf(text, REFERENCE_MAX, "%.*s %.*s R", (int)(first_end - first),
		(const char *)bytes.data + first, (int)(second_end - second),
		(const char *)bytes.data + second);
	return true;
}

/* The next place from *at on; false if there is none. */
static bool next(struct span bytes, size_t *at, char text[static REFERENCE_MAX])
{
	size_t end;

	for (; *at < bytes.len; (*at)++) {
		const uint8_t *slash = memchr(bytes.data + *at, '/', bytes.len - *at);

		if (!slash)
			return false;
		*at = (size_t)(slash - bytes.data);
		if (is_word(bytes, *at, &end) && is_reference(bytes, end, text))
			return true;
	}
	return false;
}

static ptrdiff_t find_last(struct span bytes, const char *text)
{
	ptrdiff_t last = -1, found = 0;
	size_t at = 0;

	for (; found >= 0; at = (size_t)last + 1) {
		found = span_find(span_part(bytes, at, bytes.len), span_str(text));
		if (found >= 0)
			last = (ptrdiff_t)at + found;
	}
	return last;
}

/* As libclamav looks for it. */
static bool is_seen(struct span bytes)
{
	struct span tail =
		span_part(bytes, bytes.len > TAIL ? bytes.len - TAIL : 0, TAIL);
	ptrdiff_t end = find_last(tail, "%%EOF");
	char text[REFERENCE_MAX];
	ptrdiff_t word = span_find(tail, span_str("/Encrypt"));

	return end > 0 && word >= 0 &&
	       span_find(span_part(tail, 1, (size_t)end), span_str("startxref")) >= 0 &&
	       is_reference(tail, (size_t)word + 1 + WORD_LEN, text);
}

enum pdf_encryption pdf_encryption(struct span bytes)
{
	char first[REFERENCE_MAX], more[REFERENCE_MAX];
	size_t at = 0;

	if (span_find(span_part(bytes, 0, HEAD_MAX), span_str("%PDF-")) < 0 ||
		!next(bytes, &at, first))
		return PDF_PLAIN;
	for (at++; next(bytes, &at, more); at++)
		if (strcmp(first, more) != 0)
			return PDF_AMBIGUOUS;
	return is_seen(bytes) ? PDF_PLAIN : PDF_OVERSEEN;
}

int pdf_add_trailer(struct span bytes, struct buf *out, struct err *err)
{
	char text[REFERENCE_MAX] = "";
	struct span id = { 0 };
	size_t at = 0, near;
	ptrdiff_t found;

	(void)next(bytes, &at, text);
	near = at > ID_NEAR ? at - ID_NEAR : 0;
	found = find_last(span_part(bytes, near, 2L * ID_NEAR), "/ID");
	if (found >= 0)
		id = span_part(bytes, near + (size_t)found, ID_LEN);
	/* Nothing of the file itself is to be in what libclamav looks at. */
	if (buf_add(out, bytes.data, bytes.len, err) < 0 ||
		buf_printf(out, err, "%*s", TAIL, "\ntrailer\n<</Encrypt ") < 0 ||
		buf_add_str(out, text, err) < 0 || buf_add(out, id.data, id.len, err) < 0)
		return -1;
	return buf_add_str(out, ">>\nstartxref\n0\n%%EOF\n", err);
}
