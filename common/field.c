/* SPDX-License-Identifier: ISC */
#include "common/field.h"

#include <string.h>

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

size_t field_line_end(struct span message, size_t pos)
{
	const uint8_t *lf;

	if (pos >= message.len)
		return message.len;
	lf = memchr(message.data + pos, '\n', message.len - pos);
	return lf ? (size_t)(lf - message.data) + 1 : message.len;
}

size_t field_eol_before(struct span message, size_t pos)
{
	if (pos == 0 || pos > message.len || message.data[pos - 1] != '\n')
		return 0;
	return pos > 1 && message.data[pos - 2] == '\r' ? 2 : 1;
}

size_t field_mbox_line(struct span message)
{
	size_t i;

	if (message.len < 5 || memcmp(message.data, "From ", 5) != 0)
		return 0;
	/* "From : a@b" is a field with blanks before its colon. */
	for (i = 5; i < message.len && blank(message.data[i]);)
		i++;
	if (i < message.len && message.data[i] == ':')
		return 0;
	return field_line_end(message, 0);
}

static bool is_blank_line(struct span message, size_t pos, size_t end)
{
	while (pos < end && (blank(message.data[pos]) || message.data[pos] == '\r' ||
				    message.data[pos] == '\n'))
		pos++;
	return pos == end;
}

/* Splits the first line, line..end, at its colon; false if no field starts there. */
static bool split(struct span message, size_t line, size_t end, struct field *field)
{
	size_t i = line, name;

	while (i < end && message.data[i] > ' ' && message.data[i] != ':' &&
		message.data[i] != 0x7f)
		i++;
	name = i - line;
	while (i < end && blank(message.data[i]))
		i++;
	if (name == 0 || i == end || message.data[i] != ':')
		return false;
	field->name = span_part(message, line, name);
	field->blank_colon = i > line + name;
	field->value = span_part(message, i + 1, field->end - i - 1);
	field->value = span_trim(field->value);
	return true;
}

enum field_kind field_next(struct span message, size_t *pos, struct field *field_r)
{
	size_t start = *pos, line = field_line_end(message, start);

	*field_r = (struct field){ .start = start, .end = line };
	if (start >= message.len || message.data[start] == '\n' ||
		(message.data[start] == '\r' && line == start + 2)) {
		field_r->kind = FIELD_LAST;
		*pos = line;
		return FIELD_LAST;
	}
	while (field_r->end < message.len && blank(message.data[field_r->end])) {
		size_t next = field_line_end(message, field_r->end);
		if (is_blank_line(message, field_r->end, next))
			field_r->blank_fold = true;
		field_r->end = next;
	}
	field_r->kind = FIELD_NAMED;
	if (!split(message, start, line, field_r))
		field_r->kind = FIELD_ODD;
	*pos = field_r->end;
	return field_r->kind;
}
