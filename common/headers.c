/* SPDX-License-Identifier: ISC */
#include "common/headers.h"

#include "common/field.h"

static const char *const our_names[] = { "X-Virus-Status", "X-Virus-Scanned",
	"X-Quarantine-ID" };

/* One field of ours; what could end its line becomes a question mark. */
static int add_field(struct buf *text, const char *name, const char *value,
	const char *eol, struct err *err)
{
	char line[HEADERS_VALUE_MAX + 1];
	size_t i;

	for (i = 0; i < HEADERS_VALUE_MAX && *value; i++, value++)
		line[i] = (char)(*value >= ' ' && *value <= '~' ? *value : '?');
	line[i] = '\0';
	return buf_printf(text, err, "%s: %s%s", name, line, eol);
}

/* The two or three fields. */
static int compose(struct buf *text, const char *eol, const char *status,
	const char *quarantine_id, struct err *err)
{
	if (add_field(text, our_names[0], status, eol, err) < 0 ||
		add_field(text, our_names[1], "mailfilter", eol, err) < 0)
		return -1;
	return quarantine_id[0] ? add_field(text, our_names[2], quarantine_id, eol, err)
				: 0;
}

/* Where the blank line stands that ends the header block. */
static size_t header_end(struct span message, size_t at)
{
	struct field field;

	while (field_next(message, &at, &field) != FIELD_LAST)
		;
	return field.start;
}

/* Does a field of one of our names start here, to any reader? */
static bool is_ours(struct span line)
{
	size_t len = 0;

	while (len < line.len && line.data[len] > ' ' && line.data[len] < 0x7f &&
		line.data[len] != ':')
		len++;
	for (size_t i = 0; i < sizeof(our_names) / sizeof(our_names[0]); i++)
		if (span_is(span_part(line, 0, len), our_names[i]))
			return true;
	return false;
}

int headers_mark(struct span message, const char *eol, const char *status,
	const char *quarantine_id, struct edits *edits, struct err *err)
{
	const size_t start = field_mbox_line(message), end = header_end(message, start);
	auto_buf struct buf text;

	buf_init(&text, EDIT_TEXT_MAX);
	/* An mbox line that the end of the message cuts short. */
	if (start > 0 && message.data[start - 1] != '\n' &&
		buf_add_str(&text, eol, err) < 0)
		return -1;
	if (compose(&text, eol, status, quarantine_id, err) < 0)
		return -1;
	/* A first line that starts with a blank would continue the field before it: ours. */
	if (start < message.len &&
		(message.data[start] == ' ' || message.data[start] == '\t') &&
		add_field(&text, "X-Old-Line", "", eol, err) < 0)
		return -1;
	if (edits_add(edits, start, 0, buf_span(&text), err) < 0)
		return -1;
	for (size_t i = start; i < end; i++) {
		if (i > start && message.data[i - 1] != '\n' &&
			message.data[i - 1] != '\r')
			continue;
		/* "X-Name" becomes "X-Old-Name", whatever stands around it. */
		if (is_ours(span_part(message, i, 64)) &&
			edits_add(edits, i + 2, 0, span_str("Old-"), err) < 0)
			return -1;
	}
	return 0;
}
