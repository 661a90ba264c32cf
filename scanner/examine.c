/* SPDX-License-Identifier: ISC */
#include "scanner/examine.h"

#include <stdio.h>
#include <string.h>

enum {
	DECODED_SPARE = 1024, /* no decoding makes more of its input than this */
	LITTLE_MAIL_SPARE = 1024,
};

struct examination {
	struct engine *engine;
	struct span message;
	const struct mime *mime;
	struct verdict *verdict;
	struct result sum;
};

/* What makes it impossible to have seen all of a message, whatever the scans said. */
static const struct {
	enum mime_doubt doubt;
	enum verdict_reason reason;
	const char *detail;
} unseen[] = {
	{ MIME_DOUBT_HEADER_LIMIT, REASON_MALFORMED, "a header over its limits" },
	{ MIME_DOUBT_DEPTH, REASON_LIMIT, "parts nested too deep" },
	{ MIME_DOUBT_PARTS, REASON_LIMIT, "too many parts" },
	{ MIME_DOUBT_PARTIAL, REASON_UNSUPPORTED,
		"message/partial or message/external-body: the content is elsewhere" },
	{ MIME_DOUBT_ENCRYPTED, REASON_ENCRYPTED, "an encrypted part" },
};

static int add_finding(struct examination *ex, const struct mime_part *part,
	const char *signature, struct err *err)
{
	struct finding finding = { .size = part->end - part->body_start };

	(void)snprintf(finding.part, sizeof(finding.part), "%s", part->path);
	(void)snprintf(finding.name, sizeof(finding.name), "%s", part->name);
	(void)snprintf(finding.type, sizeof(finding.type), "%s", part->type);
	(void)snprintf(finding.signature, sizeof(finding.signature), "%s", signature);
	if (ex->verdict->finding_count == FINDINGS_MAX - 1) {
		/* More than can be listed: let it be one, of everything. */
		ex->verdict->finding_count = 0;
		finding.part[0] = '\0';
	}
	return verdict_add_finding(ex->verdict, &finding, err);
}

static int scan_part(
	struct examination *ex, const struct mime_part *part, struct err *err)
{
	struct result result;
	auto_buf struct buf bytes;

	buf_init(&bytes, ex->message.len + DECODED_SPARE);
	if (mime_decode(ex->message, part, &bytes, err) < 0)
		return -1;
	if (bytes.len == 0)
		return 0;
	engine_scan(ex->engine, buf_span(&bytes), &result);
	result_add(&ex->sum, &result);
	if (result.kind != VERDICT_INFECTED)
		return 0;
	return add_finding(ex, part, result.signature, err);
}

/* The part as a mail of its own, for what only libclamav's mail parser finds: uuencode in text, an
 * encoding read in another way. */
static int scan_part_as_mail(
	struct examination *ex, const struct mime_part *part, struct err *err)
{
	struct result result;
	auto_buf struct buf mail;

	buf_init(&mail, ex->message.len + LITTLE_MAIL_SPARE);
	if (buf_add_str(&mail, "From: scanner@localhost\r\nMIME-Version: 1.0\r\n", err) <
			0 ||
		buf_add(&mail, ex->message.data + part->header_start,
			part->end - part->header_start, err) < 0)
		return -1;
	engine_scan(ex->engine, buf_span(&mail), &result);
	if (result.kind != VERDICT_INFECTED)
		return 0;
	return add_finding(ex, part, result.signature, err);
}

static int each_leaf(struct examination *ex,
	int (*scan)(struct examination *, const struct mime_part *, struct err *),
	struct err *err)
{
	for (size_t i = 0; i < ex->mime->count; i++)
		if (!ex->mime->parts[i].is_composite &&
			scan(ex, &ex->mime->parts[i], err) < 0)
			return -1;
	return 0;
}

static int scan_all(struct examination *ex, struct err *err)
{
	struct result whole;

	engine_scan(ex->engine, ex->message, &whole);
	result_add(&ex->sum, &whole);
	if (each_leaf(ex, scan_part, err) < 0)
		return -1;
	if (whole.kind != VERDICT_INFECTED || ex->verdict->finding_count > 0)
		return 0;
	if (each_leaf(ex, scan_part_as_mail, err) < 0)
		return -1;
	if (ex->verdict->finding_count > 0)
		return 0;
	/* The first part is the root: its path is "". */
	return add_finding(ex, &ex->mime->parts[0], whole.signature, err);
}

static void weigh_doubts(struct examination *ex)
{
	for (size_t i = 0; i < sizeof(unseen) / sizeof(*unseen); i++)
		if (ex->mime->doubts & unseen[i].doubt)
			result_add_unscannable(
				&ex->sum, unseen[i].reason, unseen[i].detail);
}

int examine(struct engine *engine, struct span message, struct mime **mime_r,
	struct verdict *verdict_r, struct err *err)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_mime struct mime *mime = NULL;
	struct examination ex = { engine, message, .verdict = &verdict };

	result_init(&ex.sum);
	if (mime_parse(message, &mime, err) < 0)
		return -1;
	ex.mime = mime;
	if (scan_all(&ex, err) < 0)
		return -1;
	weigh_doubts(&ex);
	verdict.kind = ex.sum.kind;
	verdict.reason = ex.sum.reason;
	memcpy(verdict.detail, ex.sum.detail, sizeof(verdict.detail));
	if (ex.sum.kind == VERDICT_CLEAN)
		(void)snprintf(
			verdict.detail, sizeof(verdict.detail), "%s", ex.sum.signature);
	*verdict_r = verdict;
	verdict = (struct verdict){ 0 };
	*mime_r = take_ptr(&mime);
	return 0;
}
