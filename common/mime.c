/* SPDX-License-Identifier: ISC */
#include "common/mime.h"

#include <string.h>

#include "common/mime_inside.h"

/* Not what is over a limit, which GMime must not see, nor a message of one leaf: there is only
 * one way to read that, and for small mails the second reading is most of the time. */
static bool needs_second_reading(const struct mime *mime)
{
	const unsigned too_much =
		MIME_DOUBT_HEADER_LIMIT | MIME_DOUBT_DEPTH | MIME_DOUBT_PARTS;
	const struct mime_part *root = &mime->parts[0];

	if (mime->doubts & too_much)
		return false;
	return root->is_composite || strncmp(root->type, "multipart/", 10) == 0 ||
	       strncmp(root->type, "message/", 8) == 0;
}

static const char *eol_of(struct span message)
{
	size_t eol = field_eol_before(message, field_line_end(message, 0));

	return eol == 1 ? "\n" : "\r\n";
}

static void mime_release(struct mime **mime)
{
	mime_free(*mime);
}

int mime_parse(struct span message, struct mime **mime_r, struct err *err)
{
	DEFER(mime_release) struct mime *mime = calloc(1, sizeof(*mime));

	if (!mime)
		return err_memory(err);
	mime->eol = eol_of(message);
	mime->doubts = mime_doubts_bytes(message);
	if (mime_walk(message, 0, mime, err) < 0)
		return -1;
	for (size_t i = 0; i < mime->count; i++) {
		struct mime_part *part = &mime->parts[i];

		if (!part->is_composite &&
			mime_doubts_leaf(message, part, &part->doubts, err) < 0)
			return -1;
		mime->doubts |= part->doubts;
	}
	if (needs_second_reading(mime))
		mime_second_reading(message, mime);
	*mime_r = take_ptr(&mime);
	return 0;
}

int mime_parse_as(
	struct span message, unsigned rules, struct mime **mime_r, struct err *err)
{
	DEFER(mime_release) struct mime *mime = calloc(1, sizeof(*mime));

	if (!mime)
		return err_memory(err);
	mime->eol = eol_of(message);
	if (mime_walk(message, rules, mime, err) < 0)
		return -1;
	*mime_r = take_ptr(&mime);
	return 0;
}

void mime_free(struct mime *mime)
{
	if (!mime)
		return;
	free(mime->parts);
	free(mime);
}

struct span mime_field(struct span message, size_t header_start, const char *name)
{
	size_t pos = header_start;
	struct field field;

	while (field_next(message, &pos, &field) != FIELD_LAST)
		if (field.kind == FIELD_NAMED && span_is(field.name, name))
			return field.value;
	return (struct span){ NULL, 0 };
}

const char *mime_doubt_name(enum mime_doubt doubt)
{
	switch (doubt) {
	case MIME_DOUBT_HEADER_LIMIT:
		return "header-limit";
	case MIME_DOUBT_DEPTH:
		return "depth";
	case MIME_DOUBT_PARTS:
		return "parts";
	case MIME_DOUBT_PARSER:
		return "parser";
	case MIME_DOUBT_DUPLICATE:
		return "duplicate";
	case MIME_DOUBT_ENCODING:
		return "encoding";
	case MIME_DOUBT_BASE64:
		return "base64";
	case MIME_DOUBT_BINARY:
		return "binary";
	case MIME_DOUBT_LINES:
		return "lines";
	case MIME_DOUBT_EPILOGUE:
		return "epilogue";
	case MIME_DOUBT_PARTIAL:
		return "partial";
	case MIME_DOUBT_ENCRYPTED:
		return "encrypted";
	case MIME_DOUBT_EMBEDDED:
		return "embedded";
	}
	return "unknown";
}
