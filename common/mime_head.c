/* SPDX-License-Identifier: ISC
 *
 * One header field after another: which of them say what a part is, and what is odd in them. */
#include <string.h>
#include <strings.h>

#include "common/mime_inside.h"

static bool has_8bit(struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.data[i] >= 0x80)
			return true;
	return false;
}

static size_t count_byte(struct span bytes, uint8_t byte)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes.len; i++)
		count += bytes.data[i] == byte;
	return count;
}

unsigned mime_head_field(
	struct span message, const struct field *field, struct mime_raw *raw)
{
	static const char *const names[] = { "content-type", "content-transfer-encoding",
		"content-disposition", "content-id", "content-description",
		"content-location", "content-base", "content-language", "content-md5" };
	struct span *const kept[] = { &raw->type, &raw->encoding, &raw->disposition };
	struct span whole = span_part(message, field->start, field->end - field->start);
	unsigned doubts = 0;

	if (has_8bit(whole))
		doubts |= MIME_DOUBT_BINARY;
	if (count_byte(whole, ':') > MIME_COLONS_MAX)
		doubts |= MIME_DOUBT_HEADER_LIMIT;
	if (field->kind == FIELD_ODD || field->blank_fold)
		doubts |= MIME_DOUBT_PARSER;
	if (field->kind == FIELD_ODD || field->name.len < 8 ||
		strncasecmp((const char *)field->name.data, "content-", 8) != 0)
		return doubts;
	if (field->blank_colon)
		doubts |= MIME_DOUBT_PARSER;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!span_is(field->name, names[i]))
			continue;
		if (raw->seen & 1U << i)
			doubts |= MIME_DOUBT_DUPLICATE;
		if (i < sizeof(kept) / sizeof(kept[0]) &&
			(!(raw->seen & 1U << i) || raw->rules & MIME_RULE_LAST))
			*kept[i] = field->value;
		raw->seen |= 1U << i;
	}
	return doubts;
}

bool mime_head_over_parameters(const struct mime_raw *raw)
{
	return count_byte(raw->type, ';') > MIME_PARAMETERS_MAX ||
	       count_byte(raw->disposition, ';') > MIME_PARAMETERS_MAX;
}

static bool token_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The first word, whatever quotes, comments or other junk stand around it. */
static struct span first_token(struct span value)
{
	size_t from = 0, len = 0, depth = 0;

	for (; from < value.len; from++) {
		uint8_t c = value.data[from];
		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && token_char(c))
			break;
	}
	while (from + len < value.len && token_char(value.data[from + len]))
		len++;
	return span_part(value, from, len);
}

/* Read as leniently as the most lenient mail program, and doubted where it took leniency. */
static void read_encoding(struct span value, struct mime_content *content)
{
	static const struct {
		const char *name;
		enum mime_encoding encoding;
	} known[] = { { "7bit", MIME_IDENTITY }, { "8bit", MIME_IDENTITY },
		{ "binary", MIME_IDENTITY }, { "base64", MIME_BASE64 },
		{ "quoted-printable", MIME_QUOTED_PRINTABLE },
		{ "x-uuencode", MIME_UUENCODE }, { "uuencode", MIME_UUENCODE },
		{ "x-uue", MIME_UUENCODE }, { "uue", MIME_UUENCODE } };
	struct span token = first_token(value);

	if (token.len != value.len)
		content->doubts |= MIME_DOUBT_ENCODING;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!span_is(token, known[i].name))
			continue;
		content->encoding = known[i].encoding;
		content->is_identity = content->encoding == MIME_IDENTITY;
		return;
	}
	content->doubts |= MIME_DOUBT_ENCODING;
}

/* Does a parameter of this name, in any of its forms (x=, x*=, x*0*=), stand there? starred_r:
 * in one of RFC 2231. Text inside quotes counts too: not every reader knows quotes. */
static bool has_parameter(struct span value, const char *name, bool *starred_r)
{
	size_t len = strlen(name);

	for (size_t i = 0; i + len < value.len; i++) {
		size_t next = i + len;

		if ((value.data[i] | 0x20) != name[0] ||
			!span_is(span_part(value, i, len), name))
			continue;
		while (next < value.len &&
			strchr("*0123456789 \t\r\n", value.data[next]) &&
			value.data[next])
			next++;
		if (next == value.len || value.data[next] != '=')
			continue;
		if (value.data[i + len] == '*')
			*starred_r = true;
		return true;
	}
	return false;
}

/* Comments outside of quotes: legal, and not known to all. */
static bool has_comment(struct span value)
{
	bool quoted = false;

	for (size_t i = 0; i < value.len; i++) {
		if (quoted && value.data[i] == '\\')
			i++;
		else if (value.data[i] == '"')
			quoted = !quoted;
		else if (!quoted && value.data[i] == '(')
			return true;
	}
	return false;
}

/* One that all readers take for the same: printable, no quoting, no encoded word. */
static bool plain_boundary(const struct mime_content *content)
{
	const char *boundary = content->boundary;

	if (content->boundary_len > 70 || strstr(boundary, "=?") ||
		boundary[content->boundary_len - 1] == ' ')
		return false;
	for (; *boundary; boundary++)
		if (*boundary < ' ' || *boundary > '~' || strchr("\"\\;", *boundary))
			return false;
	return true;
}

void mime_head_content(const struct mime_raw *raw, struct mime_content *content)
{
	bool starred = false, ignored = false;

	if (raw->encoding.data)
		read_encoding(raw->encoding, content);
	/* "filename" ends in it, and so does what GMime cannot make out. */
	if (has_parameter(raw->type, "name", &ignored) ||
		has_parameter(raw->disposition, "name", &ignored))
		content->has_name = true;
	if (has_comment(raw->type) || has_comment(raw->disposition))
		content->doubts |= MIME_DOUBT_PARSER;
	if (has_parameter(raw->disposition, "boundary", &ignored))
		content->doubts |= MIME_DOUBT_PARSER;
	if (!content->boundary)
		return;
	if (content->boundary_len > MIME_BOUNDARY_MAX)
		content->doubts |= MIME_DOUBT_HEADER_LIMIT;
	(void)has_parameter(raw->type, "boundary", &starred);
	if (starred || !plain_boundary(content))
		content->doubts |= MIME_DOUBT_PARSER;
}

static bool is_one_of(const char *type, const char *const *list)
{
	while (*list && strcmp(type, *list) != 0)
		list++;
	return *list != NULL;
}

void mime_classify(
	const struct mime_content *content, unsigned rules, struct mime_part *part)
{
	static const char *const messages[] = { "message/rfc822", "message/rfc2822",
		"message/global", "message/news", NULL };
	static const char *const partial[] = { "message/partial", "message/external-body",
		NULL };
	unsigned *doubts = &part->doubts;
	bool multipart = strncmp(content->type, "multipart/", 10) == 0;
	bool message = is_one_of(content->type, messages);

	memcpy(part->type, content->type, sizeof(part->type));
	memcpy(part->name, content->name, sizeof(part->name));
	memcpy(part->charset, content->charset, sizeof(part->charset));
	part->has_name = content->has_name;
	part->is_attachment = content->is_attachment;
	part->encoding = content->encoding;
	*doubts |= content->doubts;
	if ((multipart || message) && !content->is_identity)
		*doubts |= MIME_DOUBT_ENCODING;
	if (multipart && !content->boundary)
		*doubts |= MIME_DOUBT_PARSER;
	if (content->is_encrypted || strcmp(content->type, "multipart/encrypted") == 0)
		*doubts |= MIME_DOUBT_ENCRYPTED;
	if (is_one_of(content->type, partial))
		*doubts |= MIME_DOUBT_PARTIAL;
	multipart = multipart && content->boundary;
	message = message && (content->is_identity || rules & MIME_RULE_FOLLOW);
	if ((multipart || message) && part->depth >= MIME_DEPTH_MAX) {
		/* A leaf to us, so that its bytes are looked at all the same. */
		*doubts |= MIME_DOUBT_DEPTH;
		return;
	}
	part->is_multipart = multipart;
	part->is_composite = multipart || message;
	if (part->is_composite)
		part->encoding = MIME_IDENTITY;
}
