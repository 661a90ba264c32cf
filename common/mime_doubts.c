/* SPDX-License-Identifier: ISC
 *
 * What the bytes themselves leave in doubt: line ends, control bytes, text outside of the parts,
 * base64 that decoders read differently, code hidden in text. */
#include <string.h>
#include <strings.h>

#include "common/mime_inside.h"

/* Ordinary in text: tab, LF, form feed, CR, and ESC (ISO-2022-JP). */
static bool is_odd_control(uint8_t c)
{
	static const uint32_t ordinary =
		1U << '\t' | 1U << '\n' | 1U << '\f' | 1U << '\r' | 1U << 0x1b;

	return c < 0x20 ? !(ordinary >> c & 1U) : c == 0x7f;
}

/* How many bytes from pos on are neither control bytes nor DEL, in steps of eight. */
static size_t plain_bytes(struct span message, size_t pos, size_t end)
{
	const uint64_t ones = UINT64_MAX / 255, highs = ones * 128;
	size_t at = pos;

	for (; at + sizeof(uint64_t) <= end; at += sizeof(uint64_t)) {
		uint64_t eight, del;

		memcpy(&eight, message.data + at, sizeof(eight));
		del = eight ^ ones * 0x7f;
		/* A byte below n borrows from its highest bit, which was not set. */
		if ((((eight - ones * ' ') & ~eight) | ((del - ones) & ~del)) & highs)
			break;
	}
	return at - pos;
}

unsigned mime_doubts_bytes(struct span message)
{
	size_t lf = 0, crlf = 0, next;
	unsigned doubts = 0;

	for (size_t pos = 0; pos < message.len; pos = next) {
		size_t cr = 0, odd = 0, eol, len;

		next = field_line_end(message, pos);
		eol = field_eol_before(message, next);
		/* The LF of an empty line may follow a CR that ended the line before. */
		len = next - pos - (eol > next - pos ? next - pos : eol);
		crlf += eol == 2;
		lf += eol == 1;
		for (size_t i = pos; i < pos + len; i++) {
			uint8_t c;

			i += plain_bytes(message, i, pos + len);
			if (i == pos + len)
				break;
			c = message.data[i];

			if (c >= ' ' && c != 0x7f)
				continue;
			cr += c == '\r';
			odd += is_odd_control(c);
		}
		if (cr > 0 || len > MIME_LINE_MAX)
			doubts |= MIME_DOUBT_LINES;
		if (odd > 0)
			doubts |= MIME_DOUBT_BINARY;
	}
	if (lf > 0 && crlf > 0)
		doubts |= MIME_DOUBT_LINES;
	return doubts;
}

static bool starts_with(struct span line, const char *text)
{
	size_t len = strlen(text);

	return line.len >= len && memcmp(line.data, text, len) == 0;
}

bool mime_is_embedded(struct span line)
{
	if (line.len == 0)
		return false;
	switch (line.data[0]) {
	case 'b':
		return mime_is_uu_begin(line) || starts_with(line, "begin-base64 ");
	case '=':
		return starts_with(line, "=ybegin ") || starts_with(line, "=ypart ");
	case '(':
		return starts_with(line, "(This file must be converted with BinHex");
	default:
		return false;
	}
}

/* A delimiter line of someone's, or a header of a part? Lines of dashes alone are decoration. */
static bool looks_like_part(struct span line)
{
	size_t i = 0;

	if (line.len >= 8 && strncasecmp((const char *)line.data, "content-", 8) == 0)
		return true;
	if (!starts_with(line, "--"))
		return false;
	line = span_trim(line);
	while (i < line.len && line.data[i] == '-')
		i++;
	return i < line.len;
}

unsigned mime_doubts_outside(struct span between)
{
	unsigned doubts = 0;
	size_t next;

	for (size_t pos = 0; pos < between.len; pos = next) {
		struct span line;

		next = field_line_end(between, pos);
		line = span_part(between, pos, next - pos);
		if (looks_like_part(line))
			doubts |= MIME_DOUBT_EPILOGUE;
		if (mime_is_embedded(line))
			doubts |= MIME_DOUBT_EMBEDDED;
	}
	return doubts;
}

/* Whole groups, padding at the end alone, nothing but line ends between? */
static bool plain_base64(struct span body)
{
	size_t digits = 0, padding = 0;

	for (size_t i = 0; i < body.len; i++) {
		size_t run = mime_base64_run(span_part(body, i, body.len));
		uint8_t c;

		if (run > 0 && padding > 0)
			return false;
		digits += run;
		i += run;
		if (i == body.len)
			break;
		c = body.data[i];
		if (c == '=')
			padding++;
		else if (c != '\r' && c != '\n' && c != ' ' && c != '\t')
			return false;
	}
	return padding <= 2 && (digits + padding) % 4 == 0;
}

static unsigned doubts_text(struct span text)
{
	unsigned doubts = 0;

	for (size_t pos = 0; pos < text.len; pos = field_line_end(text, pos)) {
		struct span line = span_part(text, pos, 64);

		if (mime_is_embedded(line))
			doubts |= MIME_DOUBT_EMBEDDED;
		if (line.data[0] == '-' &&
			starts_with(line, "-----BEGIN PGP MESSAGE-----"))
			doubts |= MIME_DOUBT_ENCRYPTED;
	}
	return doubts;
}

int mime_doubts_leaf(struct span message, const struct mime_part *part, unsigned *doubts,
	struct err *err)
{
	struct span body =
		span_part(message, part->body_start, part->end - part->body_start);
	auto_buf struct buf decoded;

	buf_init(&decoded, body.len);
	if (part->encoding == MIME_BASE64 && !plain_base64(body))
		*doubts |= MIME_DOUBT_BASE64;
	if (strncmp(part->type, "text/", 5) != 0)
		return 0;
	if (part->encoding != MIME_IDENTITY) {
		if (mime_decode(message, part, &decoded, err) < 0)
			return -1;
		body = buf_span(&decoded);
	}
	*doubts |= doubts_text(body);
	return 0;
}
