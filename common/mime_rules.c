/* SPDX-License-Identifier: ISC
 *
 * The habits of other readers, where the walk over the parts asks for them. */
#include <stdio.h>
#include <string.h>

#include "common/mime_inside.h"

bool mime_rules_end(struct span message, const struct field *field, size_t *pos)
{
	size_t next;

	if (field->kind == FIELD_ODD) {
		*pos = field->start;
		return true;
	}
	for (size_t at = field->start; field->blank_fold && at < field->end; at = next) {
		next = field_line_end(message, at);
		if (span_trim(span_part(message, at, next - at)).len > 0)
			continue;
		*pos = next;
		return true;
	}
	return false;
}

void mime_rules_start(struct span message, size_t *pos)
{
	while (*pos < message.len) {
		size_t next = field_line_end(message, *pos);

		if (span_trim(span_part(message, *pos, next - *pos)).len > 0)
			return;
		*pos = next;
	}
}

/* The value behind the "=" at the start of rest. */
static struct span raw_value(struct span rest)
{
	size_t len = 0;
	uint8_t quote;

	rest = span_trim(span_part(rest, 1, rest.len));
	quote = rest.len > 0 ? rest.data[0] : 0;
	if (quote != '"' && quote != '\'') {
		while (len < rest.len && rest.data[len] > ' ' && rest.data[len] != ';')
			len++;
		return span_part(rest, 0, len);
	}
	rest = span_part(rest, 1, rest.len);
	while (len < rest.len && rest.data[len] != quote && rest.data[len] != '\n')
		len++;
	return span_part(rest, 0, len);
}

/* What stands behind "boundary=", wherever that stands. */
static struct span raw_boundary(struct span value, bool last)
{
	static const char name[] = "boundary";
	struct span found = { NULL, 0 };

	for (size_t i = 0; i + sizeof(name) <= value.len; i++) {
		struct span rest = span_part(value, i + sizeof(name) - 1, value.len);

		if (!span_is(span_part(value, i, sizeof(name) - 1), name))
			continue;
		while (rest.len > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t'))
			rest = span_part(rest, 1, rest.len);
		if (rest.len == 0 || rest.data[0] != '=' || (found.data && !last))
			continue;
		found = raw_value(rest);
	}
	return found;
}

static int set_boundary(
	struct mime_content *content, struct span boundary, struct err *err)
{
	char *copy = strndup((const char *)boundary.data, boundary.len);

	if (!copy)
		return err_memory(err);
	mime_content_done(content);
	content->boundary = copy;
	content->boundary_len = strlen(copy);
	return 0;
}

int mime_rules_content(const struct mime_raw *raw, bool is_root,
	struct mime_content *content, struct err *err)
{
	struct span boundary;

	if (raw->rules & MIME_RULE_ANY) {
		mime_content_done(content);
		if (!is_root)
			return 0;
		(void)snprintf(content->type, sizeof(content->type), "multipart/mixed");
		content->is_identity = true;
		return set_boundary(content, span_str(""), err);
	}
	if (!(raw->rules & MIME_RULE_RAW) || raw->is_over_limit)
		return 0;
	boundary = raw_boundary(raw->type, raw->rules & MIME_RULE_LAST);
	if (boundary.len == 0 && raw->disposition.data)
		boundary = raw_boundary(raw->disposition, raw->rules & MIME_RULE_LAST);
	if (boundary.len == 0 || boundary.len > MIME_BOUNDARY_MAX)
		return 0;
	return set_boundary(content, boundary, err);
}
