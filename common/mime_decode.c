/* SPDX-License-Identifier: ISC
 *
 * Transfer encodings back to bytes, as the most lenient mail program would: junk is skipped, and
 * padding in the middle ends a group, not the data. */
#include <string.h>

#include "common/mime_inside.h"

/* Collects bytes so that the buf is asked once for many; the caller flushes at the end. */
struct sink {
	struct buf *out;
	struct err *err;
	unsigned habits; /* of enum mime_habit */
	size_t len;
	bool failed;
	uint8_t bytes[4096];
};

static void flush(struct sink *sink)
{
	if (!sink->failed && buf_add(sink->out, sink->bytes, sink->len, sink->err) < 0)
		sink->failed = true;
	sink->len = 0;
}

static void put(struct sink *sink, uint32_t byte)
{
	if (sink->len == sizeof(sink->bytes))
		flush(sink);
	sink->bytes[sink->len++] = (uint8_t)byte;
}

/* Bytes that stay what they are. */
static void put_all(struct sink *sink, struct span bytes)
{
	if (bytes.len < sizeof(sink->bytes) - sink->len) {
		memcpy(sink->bytes + sink->len, bytes.data, bytes.len);
		sink->len += bytes.len;
		return;
	}
	flush(sink);
	if (!sink->failed && buf_add(sink->out, bytes.data, bytes.len, sink->err) < 0)
		sink->failed = true;
}

enum {
	DIGIT = 64, /* set in the value of each digit */
	/* What four of them have too much. */
	DIGITS = DIGIT << 18 | DIGIT << 12 | DIGIT << 6 | DIGIT
};

#define D(value) (DIGIT + (value))

/* What each character stands for; 0: it is no digit. */
/* clang-format off */
static const uint8_t base64_values[UINT8_MAX + 1] = {
	['+'] = D(62), ['/'] = D(63),
	['0'] = D(52), D(53), D(54), D(55), D(56), D(57), D(58), D(59), D(60), D(61),
	['A'] = D(0), D(1), D(2), D(3), D(4), D(5), D(6), D(7), D(8), D(9), D(10), D(11), D(12),
	D(13), D(14), D(15), D(16), D(17), D(18), D(19), D(20), D(21), D(22), D(23), D(24), D(25),
	['a'] = D(26), D(27), D(28), D(29), D(30), D(31), D(32), D(33), D(34), D(35), D(36), D(37), D(38),
	D(39), D(40), D(41), D(42), D(43), D(44), D(45), D(46), D(47), D(48), D(49), D(50), D(51),
};
/* clang-format on */

int mime_base64_digit(uint8_t c)
{
	return base64_values[c] ? base64_values[c] - DIGIT : -1;
}

size_t mime_base64_run(struct span in)
{
	size_t len = 0;

	while (in.len - len >= 4 && base64_values[in.data[len]] &
					    base64_values[in.data[len + 1]] &
					    base64_values[in.data[len + 2]] &
					    base64_values[in.data[len + 3]] & DIGIT)
		len += 4;
	while (len < in.len && base64_values[in.data[len]])
		len++;
	return len;
}

/* Whole groups of four as they stand in ordinary mail, with line ends between them, as many as there
 * are. Returns their bytes. */
static size_t put_groups(struct span in, struct sink *sink)
{
	/* Not in *sink: a byte written might be a part of it, for all that the compiler knows. */
	size_t i = 0, len = sink->len;

	while (in.len - i >= 4) {
		const uint8_t *c = in.data + i;
		uint32_t a = base64_values[c[0]], b = base64_values[c[1]],
			 d = base64_values[c[2]], e = base64_values[c[3]], bits;

		if (!(a & b & d & e & DIGIT)) {
			if (*c != '\r' && *c != '\n')
				break;
			i++;
			continue;
		}
		if (len + 3 > sizeof(sink->bytes)) {
			sink->len = len;
			flush(sink);
			len = 0;
		}
		bits = (a << 18) + (b << 12) + (d << 6) + e - DIGITS;
		sink->bytes[len++] = (uint8_t)(bits >> 16);
		sink->bytes[len++] = (uint8_t)(bits >> 8);
		sink->bytes[len++] = (uint8_t)bits;
		i += 4;
	}
	sink->len = len;
	return i;
}

/* What stands in `bits` of `count` characters of a group of four. */
static void put_group(struct sink *sink, uint32_t bits, unsigned count)
{
	bits <<= 6 * (4 - count);
	if (count > 1)
		put(sink, bits >> 16 & 0xff);
	if (count > 2)
		put(sink, bits >> 8 & 0xff);
	if (count > 3)
		put(sink, bits & 0xff);
}

/* 0..63, or -1: the alphabet of URLs, if that counts, has other last two. */
static int digit(uint8_t c, unsigned habits)
{
	if (habits & MIME_HABIT_URL && (c == '-' || c == '_'))
		return c == '-' ? 62 : 63;
	return mime_base64_digit(c);
}

static bool is_filling(uint8_t c)
{
	return c == '=' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Is there nothing in the line at pos but the alphabet, padding and blanks? */
static bool is_plain_line(struct span in, size_t pos, unsigned habits)
{
	size_t end = field_line_end(in, pos);

	for (; pos < end; pos++)
		if (digit(in.data[pos], habits) < 0 && !is_filling(in.data[pos]))
			return false;
	return true;
}

static void decode_base64(struct span in, struct sink *sink)
{
	const unsigned habits = sink->habits;
	uint32_t bits = 0;
	unsigned count = 0;

	for (size_t i = 0; i < in.len && !sink->failed; i++) {
		bool is_start, is_end;
		int value;

		if (count == 0 && !(habits & MIME_HABIT_STRICT))
			i += put_groups(span_part(in, i, in.len), sink);
		if (i == in.len)
			break;
		is_start = i == 0 || in.data[i - 1] == '\n';
		is_end = in.data[i] == '=' && !(habits & MIME_HABIT_SKIP_PADDING);
		if (habits & MIME_HABIT_STRICT && is_start &&
			!is_plain_line(in, i, habits)) {
			i = field_line_end(in, i) - 1;
			continue;
		}
		value = digit(in.data[i], habits);
		if (value >= 0) {
			bits = bits << 6 | (uint32_t)value;
			count++;
		}
		if (count == 4 || (is_end && count > 0)) {
			put_group(sink, bits, count);
			bits = count = 0;
		}
		if (is_end && habits & MIME_HABIT_STOP)
			return;
	}
	if (count > 0)
		put_group(sink, bits, count);
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t blanks(struct span rest)
{
	size_t len = 0;

	while (len < rest.len && (rest.data[len] == ' ' || rest.data[len] == '\t'))
		len++;
	return len;
}

/* Bytes of a soft line break behind its "=": blanks and the line end; 0 if it is none. */
static size_t soft_break(struct span rest)
{
	size_t i = blanks(rest);

	if (i == rest.len || rest.data[i] == '\n')
		return i < rest.len ? i + 1 : i;
	if (rest.data[i] == '\r' && (i + 1 == rest.len || rest.data[i + 1] == '\n'))
		return i + 1 < rest.len ? i + 2 : i + 1;
	return 0;
}

/* A run of bytes without "=". Blanks at the end of a line are, to a strict reader, the work of a
 * gateway; ends: a line ends behind the run, too. */
static void put_unquoted(struct span run, bool ends, struct sink *sink)
{
	size_t next;

	if (!(sink->habits & MIME_HABIT_STRICT)) {
		put_all(sink, run);
		return;
	}
	for (size_t pos = 0; pos < run.len; pos = next) {
		size_t len;

		next = pos;
		while (next < run.len && run.data[next] != '\r' && run.data[next] != '\n')
			next++;
		len = next - pos;
		while ((next < run.len || ends) && len > 0 &&
			(run.data[pos + len - 1] == ' ' ||
				run.data[pos + len - 1] == '\t'))
			len--;
		put_all(sink, span_part(run, pos, len));
		if (next < run.len)
			put(sink, run.data[next++]);
	}
}

static void decode_quoted(struct span in, struct sink *sink)
{
	const bool strict = sink->habits & MIME_HABIT_STRICT;

	for (size_t i = 0; i < in.len && !sink->failed; i++) {
		struct span rest = span_part(in, i, in.len);
		const uint8_t *quote = memchr(rest.data, '=', rest.len);
		int high, low;
		size_t skip;

		put_unquoted(span_part(rest, 0,
				     quote ? (size_t)(quote - rest.data) : rest.len),
			!quote, sink);
		if (!quote)
			return;
		i = (size_t)(quote - in.data);
		rest = span_part(in, i + 1, in.len);
		high = rest.len > 1 ? hex_value(rest.data[0]) : -1;
		low = rest.len > 1 ? hex_value(rest.data[1]) : -1;
		if (high >= 0 && low >= 0) {
			put(sink, (uint32_t)(high << 4 | low));
			i += 2;
			continue;
		}
		skip = soft_break(rest);
		if (skip == 0 && rest.len > 0 && !strict)
			put(sink, '=');
		i += skip;
	}
}

/* One line of uuencode: a count, then groups of four characters; another line adds nothing. */
static void decode_uu_line(struct span line, struct sink *sink)
{
	const bool cut = line.len > 0 && line.data[line.len - 1] != '\n';
	size_t left;

	while (line.len > 0 &&
		(line.data[line.len - 1] == '\r' || line.data[line.len - 1] == '\n'))
		line.len--;
	if (line.len == 0 || line.data[0] < ' ' || line.data[0] > '`')
		return;
	left = (line.data[0] - 32U) & 63;
	if (line.len > 1 + (left + 2) / 3 * 4 + 4)
		return;
	for (size_t i = 1; i < line.len && left > 0; i += 4) {
		struct span group = span_part(line, i, 4);
		/* Blanks at the end, which stand for zeros, are often lost; but what the end of
		 * the bytes cuts must not become more than it was. */
		size_t most = cut ? group.len * 6 / 8 : 3;
		uint32_t bits = 0;

		for (size_t j = 0; j < 4; j++)
			bits = bits << 6 |
			       (j < group.len ? (group.data[j] - 32U) & 63 : 0);
		for (size_t byte = 0; byte < most && left > 0; byte++, left--)
			put(sink, bits >> (16 - 8 * byte) & 0xff);
	}
}

bool mime_is_uu_begin(struct span line)
{
	size_t i = 6;

	if (line.len < 10 || memcmp(line.data, "begin ", 6) != 0)
		return false;
	while (i < line.len && line.data[i] >= '0' && line.data[i] <= '7')
		i++;
	return i >= 9 && i <= 10 && i < line.len && line.data[i] == ' ';
}

static bool has_uu_begin(struct span in)
{
	for (size_t pos = 0; pos < in.len; pos = field_line_end(in, pos))
		if (mime_is_uu_begin(span_part(in, pos, 16)))
			return true;
	return false;
}

/* From each "begin" line to its "end"; where there is no "begin", every line that could be one. */
static void decode_uu(struct span in, struct sink *sink)
{
	const bool always = !has_uu_begin(in);
	bool inside = always;
	size_t next;

	for (size_t pos = 0; pos < in.len && !sink->failed; pos = next) {
		struct span line;

		next = field_line_end(in, pos);
		line = span_part(in, pos, next - pos);
		if (mime_is_uu_begin(line))
			inside = true;
		else if (!always && span_is(span_trim(line), "end"))
			inside = false;
		else if (inside)
			decode_uu_line(line, sink);
	}
}

int mime_decode_as(struct span body, enum mime_encoding encoding, unsigned habits,
	struct buf *out, struct err *err)
{
	struct sink sink = { .out = out, .err = err, .habits = habits };

	switch (encoding) {
	case MIME_IDENTITY:
		return buf_add(out, body.data, body.len, err);
	case MIME_BASE64:
		decode_base64(body, &sink);
		break;
	case MIME_QUOTED_PRINTABLE:
		decode_quoted(body, &sink);
		break;
	case MIME_UUENCODE:
		decode_uu(body, &sink);
		break;
	}
	flush(&sink);
	return sink.failed ? -1 : 0;
}

int mime_decode(struct span message, const struct mime_part *part, struct buf *out,
	struct err *err)
{
	return mime_decode_as(
		span_part(message, part->body_start, part->end - part->body_start),
		part->encoding, 0, out, err);
}
