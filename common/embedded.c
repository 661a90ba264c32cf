/* SPDX-License-Identifier: ISC */
#include "common/embedded.h"

#include <string.h>

#include "common/embedded_inside.h"
#include "common/field.h"
#include "common/mime.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span line_at(struct span text, size_t pos)
{
	struct span line = span_part(text, pos, field_line_end(text, pos) - pos);

	while (line.len > 0 && is_blank(line.data[line.len - 1]))
		line.len--;
	return line;
}

static bool starts(struct span line, const char *text)
{
	size_t len = strlen(text);

	return line.len >= len && memcmp(line.data, text, len) == 0;
}

/* Behind this line and the empty ones that follow. */
static size_t next_line(struct span text, size_t pos)
{
	pos = field_line_end(text, pos);
	for (;;) {
		if (starts(span_part(text, pos, 1), "\n"))
			pos++;
		else if (starts(span_part(text, pos, 2), "\r\n"))
			pos += 2;
		else
			return pos;
	}
}

/* Characters of a line of base64 alone, blanks at its start allowed; 0 if it is none. */
static size_t base64_digits(struct span line, bool *padded_r)
{
	size_t digits = 0;

	*padded_r = false;
	line = span_trim(line);
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = line.data[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '+' || c == '/')
			digits++;
		else if (c == '=')
			*padded_r = true;
		else
			return 0;
	}
	return digits;
}

/* Where inside of a run another block may be seen to start: behind padding, and where lines are
 * long after lines that were short. */
static bool is_new_start(bool padded_before, size_t digits_before, size_t digits)
{
	return padded_before ||
	       (digits >= EMBEDDED_LONG_LINE && digits_before < EMBEDDED_LONG_LINE);
}

/* known_end: of the run that goes on here, or 0: not known, it is followed to its end. */
static bool find_base64(
	struct span text, size_t pos, size_t known_end, struct embedded *block)
{
	size_t total = 0, before = 0, at = pos;
	bool padded_before = false;

	*block = (struct embedded){ EMBEDDED_BASE64, pos, pos, .data = pos };
	while (at < text.len) {
		struct span line = line_at(text, at);
		bool padded;
		size_t digits = base64_digits(line, &padded);

		block->looked = field_line_end(text, at) - pos;
		/* No block starts with a blank line: each of a million would be followed to the
		 * end of all. */
		if (digits == 0 && !padded && (line.len > 0 || at == pos))
			break;
		if (digits > 0 && block->next == 0 && total > 0 &&
			is_new_start(padded_before, before, digits))
			block->next = at;
		at = next_line(text, at);
		if (digits == 0 && !padded)
			continue;
		total += digits;
		before = digits;
		padded_before = padded;
		block->end = at;
		if (known_end > 0 && block->next > 0 && total >= EMBEDDED_BASE64_MIN) {
			block->end = known_end;
			return true;
		}
	}
	if (block->next == 0)
		block->next = block->end;
	return total >= EMBEDDED_BASE64_MIN;
}

/* Is it as long as its first character says? Blanks at its end may be lost. */
static bool is_uu_line(struct span line)
{
	size_t left, expected;

	if (line.len < 2 || line.data[0] <= ' ' || line.data[0] > '`')
		return false;
	left = (line.data[0] - 32U) & 63;
	expected = 1 + (left + 2) / 3 * 4;
	return left > 0 && line.len + 3 >= expected && line.len <= expected + 3;
}

/* "begin 644 name", or for the lenient any line of "begin " before a line of code. */
static bool is_uu_begin(struct span text, size_t pos)
{
	return starts(span_part(text, pos, 6), "begin ") &&
	       is_uu_line(line_at(text, field_line_end(text, pos)));
}

static bool find_uu(struct span text, size_t pos, struct embedded *block)
{
	size_t at = field_line_end(text, pos);

	if (!is_uu_begin(text, pos))
		return false;
	*block = (struct embedded){ EMBEDDED_UUENCODE, pos, .data = at };
	while (at < text.len && !span_is(line_at(text, at), "end") &&
		!is_uu_begin(text, at))
		at = field_line_end(text, at);
	block->end = block->next = at;
	block->looked = field_line_end(text, at) - pos;
	return true;
}

static bool find_yenc(struct span text, size_t pos, struct embedded *block)
{
	size_t at = field_line_end(text, pos);

	if (!starts(span_part(text, pos, 8), "=ybegin "))
		return false;
	if (starts(span_part(text, at, 7), "=ypart "))
		at = field_line_end(text, at);
	*block = (struct embedded){ EMBEDDED_YENC, pos, .data = at };
	while (at < text.len && !starts(span_part(text, at, 5), "=yend") &&
		!starts(span_part(text, at, 8), "=ybegin "))
		at = field_line_end(text, at);
	block->end = block->next = at;
	block->looked = field_line_end(text, at) - pos;
	return true;
}

static bool find_binhex(struct span text, size_t pos, struct embedded *block)
{
	struct span rest = span_part(text, pos + 1, text.len);
	size_t len = 0;

	while (len < rest.len &&
		(binhex_value(rest.data[len]) >= 0 || is_blank(rest.data[len])))
		len++;
	*block = (struct embedded){ .looked = 1 + len };
	if (len < EMBEDDED_BINHEX_MIN)
		return false;
	*block = (struct embedded){ EMBEDDED_BINHEX, pos, pos + 1 + len, .data = pos + 1,
		.next = pos + 1 + len, .looked = 1 + len };
	return true;
}

/* The start of the line behind pos; pos itself if it is one. */
static size_t line_from(struct span text, size_t pos)
{
	if (pos == 0 || pos >= text.len || text.data[pos - 1] == '\n')
		return pos;
	return field_line_end(text, pos);
}

static bool find_at(
	struct span text, size_t pos, size_t known_end, struct embedded *block)
{
	switch (text.data[pos]) {
	case '=':
		return find_yenc(text, pos, block);
	case ':':
		return find_binhex(text, pos, block);
	default:
		return find_uu(text, pos, block) ||
		       find_base64(text, pos, known_end, block);
	}
}

bool embedded_find(struct span text, size_t pos, struct embedded *block)
{
	bool goes_on =
		block->kind == EMBEDDED_BASE64 && block->next == pos && block->end > pos;
	size_t known_end = goes_on ? block->end : 0, looked = 0;

	while (pos < text.len) {
		struct embedded here = { 0 };
		bool found = find_at(text, pos, known_end, &here);

		looked += here.looked;
		if (found) {
			*block = here;
			block->next = line_from(text, here.next);
			block->looked = looked;
			return true;
		}
		/* What was too short for base64 is not looked at again. */
		if (here.kind == EMBEDDED_BASE64 && here.end > pos)
			pos = here.end;
		else
			pos = next_line(text, pos);
		known_end = 0;
	}
	*block = (struct embedded){ .looked = looked };
	return false;
}

int embedded_decode(
	struct span text, const struct embedded *block, struct buf *out, struct err *err)
{
	struct span data = span_part(text, block->data, block->end - block->data);

	switch (block->kind) {
	case EMBEDDED_BASE64:
		return mime_decode_as(data, MIME_BASE64, 0, out, err);
	case EMBEDDED_UUENCODE:
		return mime_decode_as(data, MIME_UUENCODE, 0, out, err);
	case EMBEDDED_YENC:
		return yenc_decode(data, out, err);
	case EMBEDDED_BINHEX:
		return binhex_decode(data, out, err);
	}
	return 0;
}
