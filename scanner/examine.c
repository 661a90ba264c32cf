/* SPDX-License-Identifier: ISC */
#include "scanner/examine.h"

#include <stdio.h>
#include <string.h>

#include "scanner/dissect.h"
#include "scanner/exempt.h"
#include "scanner/pkcs7.h"
#include "scanner/place.h"
#include "scanner/readings.h"
#include "scanner/seen.h"
#include "scanner/trail.h"

enum {
	FURTHER_MAX = 256, /* readings scanned besides the parts */
	FURTHER_TIMES = 8, /* as much as the message, and a little */
	FURTHER_SPARE = 1024 * 1024,
	DECODED_SPARE = 1024, /* no decoding makes more of its input than this */
	LITTLE_MAIL_SPARE = 1024,
};

struct examination {
	struct engine *engine;
	struct dissection *dissection;
	struct allowance *allowance;
	struct exempt exempt; /* the parts that are allowed */
	struct span message;
	const struct mime *mime;
	struct verdict *verdict;
	struct result sum;
	struct seen seen; /* empty until there is a reading besides the parts */
	size_t further;   /* readings scanned, and their bytes */
	size_t further_bytes;
	bool is_all; /* there are more finds than can be listed */
};

static void examination_done(struct examination *ex)
{
	seen_done(&ex->seen);
	exempt_done(&ex->exempt);
	dissection_free(ex->dissection);
}

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

static bool is_listed(const struct verdict *verdict, const char *part)
{
	for (size_t i = 0; i < verdict->finding_count; i++)
		if (strcmp(verdict->findings[i].part, part) == 0)
			return true;
	return false;
}

/* reading: how else it was read, NULL if it is found in the part itself. */
static int add_finding(struct examination *ex, size_t place, const struct result *result,
	const struct reading *reading, struct err *err)
{
	struct finding finding = { .type = "text/plain" };
	size_t start, end;

	if (reading ? hash_span(reading->bytes, &finding.hash, err) < 0
		    : place_hash(ex->message, ex->mime, place, &finding.hash, err) < 0)
		return -1;
	place_range(ex->mime, place, &start, &end);
	finding.size = end - start;
	place_name(ex->mime, place, finding.part);
	if (place < ex->mime->count) {
		const struct mime_part *part = &ex->mime->parts[place];

		finding.size = end - part->body_start;
		(void)snprintf(finding.name, sizeof(finding.name), "%s", part->name);
		(void)snprintf(finding.type, sizeof(finding.type), "%s", part->type);
	}
	trail_add(finding.name, result->where);
	(void)snprintf(
		finding.signature, sizeof(finding.signature), "%s", result->signature);
	if (is_listed(ex->verdict, finding.part))
		return 0;
	if (ex->verdict->finding_count == FINDINGS_MAX - 1) {
		/* More than can be listed: let it be one, of everything. */
		ex->verdict->finding_count = 0;
		ex->is_all = true;
		finding.part[0] = '\0';
		if (hash_span(ex->message, &finding.hash, err) < 0)
			return -1;
	}
	return verdict_add_finding(ex->verdict, &finding, err);
}

/* What starts with a part's header, as a mail: for what only libclamav's mail parser finds. */
static int scan_as_mail(struct examination *ex, size_t index, struct span bytes,
	struct result *result_r, struct err *err)
{
	auto_buf struct buf mail;

	buf_init(&mail, bytes.len + LITTLE_MAIL_SPARE);
	if (buf_add_str(&mail, "From: scanner@localhost\r\nMIME-Version: 1.0\r\n", err) <
			0 ||
		buf_add(&mail, bytes.data, bytes.len, err) < 0)
		return -1;
	dissect(ex->dissection, buf_span(&mail), result_r);
	if (result_r->kind != VERDICT_INFECTED)
		return 0;
	return add_finding(ex, index, result_r, NULL, err);
}

/* The part as a mail of its own: uuencode in text, an encoding read in another way. */
static int scan_part_as_mail(struct examination *ex, size_t index, struct err *err)
{
	const struct mime_part *part = &ex->mime->parts[index];
	struct result result;

	if (exempt_has(&ex->exempt, index))
		return 0;
	return scan_as_mail(ex, index,
		span_part(
			ex->message, part->header_start, part->end - part->header_start),
		&result, err);
}

/* An opaque S/MIME signature holds the mail that it signs. */
static int scan_signed(
	struct examination *ex, size_t index, struct span bytes, struct err *err)
{
	enum pkcs7_kind kind;
	struct result result;
	auto_buf struct buf content;

	buf_init(&content, bytes.len);
	if (pkcs7_open(bytes, &content, &kind, err) < 0)
		return -1;
	if (kind == PKCS7_BROKEN)
		result_add_unscannable(&ex->sum, REASON_UNSUPPORTED,
			"an S/MIME signature whose content cannot be taken out");
	if (kind != PKCS7_SIGNED)
		return 0;
	if (scan_as_mail(ex, index, buf_span(&content), &result, err) < 0)
		return -1;
	result_add(&ex->sum, &result);
	return 0;
}

static int scan_part(struct examination *ex, size_t index, struct err *err)
{
	const struct mime_part *part = &ex->mime->parts[index];
	struct result result;
	auto_buf struct buf bytes;

	buf_init(&bytes, ex->message.len + DECODED_SPARE);
	if (exempt_has(&ex->exempt, index))
		return 0;
	if (mime_decode(ex->message, part, &bytes, err) < 0)
		return -1;
	if (bytes.len == 0)
		return 0;
	if (dissect_part(ex->dissection, buf_span(&bytes), &result, err) < 0)
		return -1;
	result_add(&ex->sum, &result);
	if (result.kind == VERDICT_INFECTED)
		return add_finding(ex, index, &result, NULL, err);
	return scan_signed(ex, index, buf_span(&bytes), err);
}

static int each_leaf(struct examination *ex,
	int (*scan)(struct examination *, size_t, struct err *), struct err *err)
{
	for (size_t i = 0; i < ex->mime->count; i++)
		if (!ex->mime->parts[i].is_composite && scan(ex, i, err) < 0)
			return -1;
	return 0;
}

/* Were these bytes not scanned before? Line ends behind the last byte do not count. */
static int remember(
	struct examination *ex, struct span bytes, bool *is_new_r, struct err *err)
{
	struct hash hash;

	while (bytes.len > 0 &&
		(bytes.data[bytes.len - 1] == '\n' || bytes.data[bytes.len - 1] == '\r'))
		bytes.len--;
	if (hash_span(bytes, &hash, err) < 0)
		return -1;
	*is_new_r = !seen_has(&ex->seen, &hash);
	seen_add(&ex->seen, &hash);
	return 0;
}

/* The bytes of a part, scanned already: put aside only when something else turns up. */
static int remember_part(struct examination *ex, size_t index, struct err *err)
{
	auto_buf struct buf bytes;
	bool is_new;

	buf_init(&bytes, ex->message.len + DECODED_SPARE);
	if (mime_decode(ex->message, &ex->mime->parts[index], &bytes, err) < 0)
		return -1;
	return remember(ex, buf_span(&bytes), &is_new, err);
}

static int remember_all(struct examination *ex, struct err *err)
{
	bool is_new;

	if (ex->seen.count > 0)
		return 0;
	if (remember(ex, ex->message, &is_new, err) < 0)
		return -1;
	return each_leaf(ex, remember_part, err);
}

static bool pass_reading(void *context, struct span bytes)
{
	struct examination *ex = context;
	struct hash hash;

	return allowance_has_hashes(ex->allowance) &&
	       hash_span(bytes, &hash, NULL) == 0 && allowance_hash(ex->allowance, &hash);
}

static int take_reading(void *context, const struct reading *reading, struct err *err)
{
	struct examination *ex = context;
	struct result result;
	bool is_new;

	if (remember_all(ex, err) < 0 || remember(ex, reading->bytes, &is_new, err) < 0)
		return -1;
	if (!is_new || pass_reading(ex, reading->bytes))
		return 0;
	if (ex->further == FURTHER_MAX ||
		ex->further_bytes > FURTHER_TIMES * ex->message.len + FURTHER_SPARE)
		return 1;
	ex->further++;
	ex->further_bytes += reading->bytes.len;
	dissect(ex->dissection, reading->bytes, &result);
	result_add(&ex->sum, &result);
	if (result.kind != VERDICT_INFECTED)
		return 0;
	return add_finding(ex,
		place_of(ex->mime, ex->message, reading->start, reading->end), &result,
		reading, err);
}

static int scan_readings(struct examination *ex, struct err *err)
{
	const struct reading_to to = { take_reading, pass_reading, ex };
	bool is_cut = false;

	if (readings_each(ex->message, ex->mime, &to, &is_cut, err) < 0)
		return -1;
	if (is_cut)
		result_add_unscannable(&ex->sum, REASON_LIMIT,
			"it can be read in more ways than are looked at");
	return 0;
}

/* It passes allowed parts over where it takes them out, and yet finds what stands in one that is not
 * encoded, in the bytes of the mail itself: then what is left without such parts decides. */
static int scan_rest(struct examination *ex, struct result *whole_r, struct err *err)
{
	auto_buf struct buf rest;
	struct result without;

	buf_init(&rest, ex->message.len);
	if (whole_r->kind != VERDICT_INFECTED || !whole_r->is_surface ||
		!ex->exempt.parts)
		return 0;
	if (exempt_blank(&ex->exempt, ex->message, ex->mime, &rest, err) < 0)
		return -1;
	dissect(ex->dissection, buf_span(&rest), &without);
	if (without.kind != VERDICT_INFECTED)
		*whole_r = without;
	return 0;
}

/* The message as libclamav reads it, then the parts that are not among what it took out itself: with
 * mail in order none but text, whose line ends it changes. Where there is more to say than clean, all
 * parts, from the start: what is in an archive is then named from its part on. */
static int scan_whole_and_parts(
	struct examination *ex, struct result *whole_r, struct err *err)
{
	dissect_mail(ex->dissection, ex->message, whole_r);
	if (whole_r->kind != VERDICT_CLEAN) {
		dissection_free(take_ptr(&ex->dissection));
		if (dissection_new(ex->engine, &ex->dissection, err) < 0)
			return -1;
	}
	if (each_leaf(ex, scan_part, err) < 0 || scan_rest(ex, whole_r, err) < 0)
		return -1;
	result_add(&ex->sum, whole_r);
	return 0;
}

static int scan_all(struct examination *ex, struct err *err)
{
	struct result whole;

	if (scan_whole_and_parts(ex, &whole, err) < 0)
		return -1;
	if (scan_readings(ex, err) < 0)
		return -1;
	if (ex->verdict->finding_count > 1 && !ex->is_all &&
		place_prune(ex->mime, ex->verdict, err) < 0)
		return -1;
	if (whole.kind != VERDICT_INFECTED || ex->verdict->finding_count > 0)
		return 0;
	if (each_leaf(ex, scan_part_as_mail, err) < 0)
		return -1;
	if (ex->verdict->finding_count > 0)
		return 0;
	return add_finding(ex, PLACE_ROOT, &whole, NULL, err);
}

static void weigh_doubts(struct examination *ex)
{
	for (size_t i = 0; i < sizeof(unseen) / sizeof(*unseen); i++)
		if (ex->mime->doubts & unseen[i].doubt)
			result_add_unscannable(
				&ex->sum, unseen[i].reason, unseen[i].detail);
}

/* What the client allows is passed over, and said. */
static int examine_all(struct examination *ex, struct err *err)
{
	if (pass_reading(ex, ex->message))
		return 0;
	if (exempt_find(ex->message, ex->mime, ex->allowance, &ex->exempt, err) < 0 ||
		scan_all(ex, err) < 0)
		return -1;
	weigh_doubts(ex);
	return 0;
}

/* What was allowed, then a find that only tags, of a clean one; of others why they are not. */
static void write_detail(const struct examination *ex, struct verdict *verdict)
{
	const char *said = allowance_said(ex->allowance);
	bool is_clean = ex->sum.kind == VERDICT_CLEAN;
	const char *other = is_clean ? ex->sum.signature : ex->sum.detail;
	size_t used = 0, size = sizeof(verdict->detail);

	if (is_clean || !other[0])
		used = (size_t)snprintf(verdict->detail, size, "%s%s", said,
			said[0] && other[0] ? "; " : "");
	if (used < size)
		(void)snprintf(verdict->detail + used, size - used, "%s", other);
}

int examine(struct engine *engine, struct span message, struct mime **mime_r,
	struct verdict *verdict_r, struct err *err)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_mime struct mime *mime = NULL;
	DEFER(examination_done)
	struct examination ex = { .engine = engine,
		.message = message,
		.allowance = engine_allowance(engine),
		.verdict = &verdict };

	result_init(&ex.sum);
	if (mime_parse(message, &mime, err) < 0 ||
		dissection_new(engine, &ex.dissection, err) < 0)
		return -1;
	ex.mime = mime;
	if (examine_all(&ex, err) < 0)
		return -1;
	verdict.kind = ex.sum.kind;
	verdict.reason = ex.sum.reason;
	write_detail(&ex, &verdict);
	*verdict_r = verdict;
	verdict = (struct verdict){ 0 };
	*mime_r = take_ptr(&mime);
	return 0;
}
