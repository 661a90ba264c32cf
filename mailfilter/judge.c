/* SPDX-License-Identifier: ISC */
#include "mailfilter/judge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/field.h"
#include "common/mime.h"

#include "mailfilter/judge_words.h"

static void mime_release(struct mime **mime)
{
	mime_free(*mime);
}

/* Charsets in which a byte below 0x80 is that character of ASCII, whatever stands before it. */
static bool is_plain_charset(const char *charset)
{
	static const char *const plain[] = { "", "us-ascii", "ascii", "utf-8", "utf8" };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(charset, plain[i]) == 0)
			return true;
	return strncmp(charset, "iso-8859-", 9) == 0 ||
	       strncmp(charset, "windows-125", 11) == 0;
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Every "=" starts two hexadecimal digits or ends its line? Readers differ on others. */
static bool is_plain_quoted(struct span body)
{
	for (size_t i = 0; i < body.len; i++) {
		if (body.data[i] != '=')
			continue;
		if (i + 1 < body.len && body.data[i + 1] == '\n')
			continue;
		if (i + 2 >= body.len)
			return false;
		if (body.data[i + 1] == '\r' && body.data[i + 2] == '\n')
			continue;
		if (!is_hex(body.data[i + 1]) || !is_hex(body.data[i + 2]))
			return false;
	}
	return true;
}

static unsigned judge_doubts(unsigned doubts)
{
	unsigned reasons = doubts ? JUDGE_MALFORMED : 0;

	if (doubts & (MIME_DOUBT_BASE64 | MIME_DOUBT_EMBEDDED | MIME_DOUBT_ENCRYPTED))
		reasons |= JUDGE_ENCODED;
	if (doubts & MIME_DOUBT_BINARY)
		reasons |= JUDGE_BINARY;
	return reasons;
}

static unsigned judge_part(const struct mime_part *part)
{
	unsigned reasons = 0;

	if (part->has_name || part->is_attachment)
		reasons |= JUDGE_ATTACHMENT;
	if (strcmp(part->type, "text/html") == 0)
		reasons |= JUDGE_HTML;
	else if (!part->is_composite && strcmp(part->type, "text/plain") != 0)
		reasons |= JUDGE_ATTACHMENT;
	if (part->encoding == MIME_BASE64 || part->encoding == MIME_UUENCODE)
		reasons |= JUDGE_ENCODED;
	if (!part->is_composite && !is_plain_charset(part->charset))
		reasons |= JUDGE_CHARSET;
	return reasons;
}

/* Content-* fields that are not for plain text, or that nobody knows. */
static unsigned judge_header(struct span message)
{
	static const char *const known[] = { "content-type", "content-transfer-encoding",
		"content-disposition", "content-language", "content-length", "content-id",
		"content-description", "content-class" };
	unsigned reasons = 0;
	struct field field;
	char subject[1024];
	size_t pos = 0;

	while (field_next(message, &pos, &field) != FIELD_LAST) {
		size_t i = 0;

		if (field.kind != FIELD_NAMED || field.name.len < 8 ||
			strncasecmp((const char *)field.name.data, "content-", 8) != 0)
			continue;
		while (i < sizeof(known) / sizeof(known[0]) &&
			!span_is(field.name, known[i]))
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			reasons |= JUDGE_MALFORMED;
	}
	mime_field_text(message, "subject", subject, sizeof(subject));
	return reasons | (judge_words(span_str(subject)) & (JUDGE_LINK | JUDGE_HTML));
}

static int judge_body(struct span message, const struct mime_part *part,
	unsigned *reasons, struct err *err)
{
	struct span body =
		span_part(message, part->body_start, part->end - part->body_start);
	auto_buf struct buf decoded;

	buf_init(&decoded, body.len);
	if (part->encoding == MIME_QUOTED_PRINTABLE) {
		if (!is_plain_quoted(body))
			*reasons |= JUDGE_MALFORMED;
		if (mime_decode(message, part, &decoded, err) < 0)
			return -1;
		body = buf_span(&decoded);
	}
	*reasons |= judge_words(body);
	return 0;
}

unsigned judge_message(struct span message)
{
	DEFER(mime_release) struct mime *mime = NULL;
	struct err err = { 0 };
	unsigned reasons;

	if (message.len > JUDGE_BYTES_MAX)
		return JUDGE_LARGE;
	if (mime_parse(message, &mime, &err) < 0)
		return JUDGE_ERROR;
	reasons = judge_doubts(mime->doubts) | judge_header(message);
	for (size_t i = 0; i < mime->count; i++)
		reasons |= judge_part(&mime->parts[i]);
	if (mime->count != 1 || mime->parts[0].is_composite)
		return reasons | JUDGE_MULTIPART;
	if (judge_body(message, &mime->parts[0], &reasons, &err) < 0)
		return reasons | JUDGE_ERROR;
	return reasons;
}

const char *judge_reason_name(enum judge_reason reason)
{
	switch (reason) {
	case JUDGE_ATTACHMENT:
		return "attachment";
	case JUDGE_HTML:
		return "html";
	case JUDGE_LINK:
		return "link";
	case JUDGE_ENCODED:
		return "encoded";
	case JUDGE_TOKEN:
		return "token";
	case JUDGE_BINARY:
		return "binary";
	case JUDGE_MALFORMED:
		return "malformed";
	case JUDGE_LARGE:
		return "large";
	case JUDGE_MULTIPART:
		return "multipart";
	case JUDGE_CHARSET:
		return "charset";
	case JUDGE_ERROR:
		return "error";
	case JUDGE_SETTING:
		return "setting";
	case JUDGE_RULE:
		return "rule";
	}
	return "unknown";
}

const char *judge_text(unsigned reasons, char *text, size_t size)
{
	size_t used = 0;

	if (size > 0)
		text[0] = '\0';
	for (unsigned bit = 1; bit <= JUDGE_RULE; bit <<= 1) {
		int len;

		if (!(reasons & bit) || used >= size)
			continue;
		len = snprintf(text + used, size - used, "%s%s", used > 0 ? "," : "",
			judge_reason_name((enum judge_reason)bit));
		used += len > 0 ? (size_t)len : 0;
	}
	return text;
}
