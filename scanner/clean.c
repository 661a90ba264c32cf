/* SPDX-License-Identifier: ISC */
#include "scanner/clean.h"

#include <stdio.h>
#include <string.h>

#include "common/field.h"
#include "common/headers.h"

#include "scanner/notice.h"
#include "scanner/place.h"

struct plan {
	struct span message;
	const struct mime *mime;
	const struct clean_order *order;
	size_t *found;  /* of each finding: its place */
	size_t *target; /* of each finding: the place that goes for it */
	bool *goes;     /* of each place */
	struct edits *edits;
};

static void plan_done(struct plan *plan)
{
	free(plan->found);
	free(plan->target);
	free(plan->goes);
}

/* A cut inside would leave a broken signature or cipher text. (A message/rfc822 in base64 is one
 * part to us, so it goes whole by itself.) */
static bool goes_whole(const struct mime_part *part)
{
	return strcmp(part->type, "multipart/signed") == 0 ||
	       strcmp(part->type, "multipart/encrypted") == 0;
}

static size_t choose_target(const struct mime *mime, size_t found, uint32_t level)
{
	size_t target = found, start, end;

	place_range(mime, target, &start, &end);
	/* One without any bytes has no place to stand in for it. */
	while (target != PLACE_ROOT && (level > 0 || start >= end)) {
		if (level > 0)
			level--;
		target = place_parent(mime, target);
		place_range(mime, target, &start, &end);
	}
	for (size_t at = target; at != PLACE_ROOT; at = place_parent(mime, at))
		if (at < mime->count && goes_whole(&mime->parts[at]))
			target = at;
	return goes_whole(&mime->parts[PLACE_ROOT]) ? PLACE_ROOT : target;
}

/* The outermost place that goes and holds this one. */
static size_t outermost(const struct plan *plan, size_t index)
{
	size_t found = index;

	for (size_t at = index; at != PLACE_ROOT; at = place_parent(plan->mime, at))
		if (plan->goes[at])
			found = at;
	return plan->goes[PLACE_ROOT] ? PLACE_ROOT : found;
}

static int choose(struct plan *plan, struct err *err)
{
	plan->found = calloc(plan->order->count, sizeof(*plan->found));
	plan->target = calloc(plan->order->count, sizeof(*plan->target));
	plan->goes = calloc(place_count(plan->mime), sizeof(*plan->goes));
	if (!plan->found || !plan->target || !plan->goes)
		return err_memory(err);
	for (size_t i = 0; i < plan->order->count; i++) {
		plan->found[i] = place_find(plan->mime, plan->order->findings[i].part);
		plan->target[i] =
			choose_target(plan->mime, plan->found[i], plan->order->level);
		plan->goes[plan->target[i]] = true;
	}
	for (size_t i = 0; i < plan->order->count; i++)
		plan->target[i] = outermost(plan, plan->target[i]);
	return 0;
}

/* The line end before the next delimiter line belongs to that; where there is none, because the
 * message or a header ends there, the text brings its own. */
static bool needs_eol(struct span message, size_t end)
{
	struct span rest = span_part(message, end, 2);

	return rest.len == 0 ||
	       (rest.data[0] != '\n' && !span_equal(rest, span_str("\r\n")));
}

/* Takes the Content-* fields out of a header. Returns where its fields end; *open_r: the last that
 * stays lacks its line end. */
static int remove_content_fields(struct plan *plan, const struct mime_part *part,
	size_t *end_r, bool *open_r, struct err *err)
{
	static const char content[] = "content-";
	size_t pos = part->header_start;
	struct field field;

	*open_r = false;
	while (pos < part->body_start &&
		field_next(plan->message, &pos, &field) != FIELD_LAST) {
		*open_r = plan->message.data[field.end - 1] != '\n';
		/* A line that is no field may be the start of a body to others. */
		if (field.kind == FIELD_NAMED &&
			!span_is(span_part(field.name, 0, strlen(content)), content))
			continue;
		*open_r = false;
		if (edits_add(plan->edits, field.start, field.end - field.start,
			    (struct span){ 0 }, err) < 0)
			return -1;
	}
	*end_r = pos < part->body_start ? pos : part->body_start;
	if (pos > part->header_start && field.kind == FIELD_LAST)
		*end_r = field.start;
	return 0;
}

/* The root of a message, or of one inside: who it is from and what it is about stays. */
static int replace_message(struct plan *plan, const struct mime_part *part,
	const struct notice *notice, struct err *err)
{
	auto_buf struct buf text;
	size_t fields_end;
	bool open;

	buf_init(&text, EDIT_TEXT_MAX);
	if (remove_content_fields(plan, part, &fields_end, &open, err) < 0 ||
		(open && buf_add_str(&text, notice->eol, err) < 0) ||
		notice_add_header(notice, &text, err) < 0)
		return -1;
	/* Without a blank line the header gets one. */
	if (fields_end == part->body_start && buf_add_str(&text, notice->eol, err) < 0)
		return -1;
	if (edits_add(plan->edits, fields_end, 0, buf_span(&text), err) < 0)
		return -1;
	buf_clear(&text);
	if (notice_add_text(notice, &text, err) < 0 ||
		(needs_eol(plan->message, part->end) &&
			buf_add_str(&text, notice->eol, err) < 0))
		return -1;
	return edits_add(plan->edits, part->body_start, part->end - part->body_start,
		buf_span(&text), err);
}

static int replace_part(struct plan *plan, const struct mime_part *part,
	const struct notice *notice, struct err *err)
{
	auto_buf struct buf text;

	buf_init(&text, EDIT_TEXT_MAX);
	if (notice_add_header(notice, &text, err) < 0 ||
		buf_add_str(&text, notice->eol, err) < 0 ||
		notice_add_text(notice, &text, err) < 0 ||
		(needs_eol(plan->message, part->end) &&
			buf_add_str(&text, notice->eol, err) < 0))
		return -1;
	return edits_add(plan->edits, part->header_start, part->end - part->header_start,
		buf_span(&text), err);
}

static bool is_message_root(const struct mime *mime, size_t index)
{
	return index == PLACE_ROOT ||
	       !mime->parts[place_parent(mime, index)].is_multipart;
}

/* What stands before or behind the parts of a multipart: text that most readers do not show. */
static int replace_outside(
	struct plan *plan, size_t place, const struct notice *notice, struct err *err)
{
	auto_buf struct buf text;
	size_t start, end;

	place_range(plan->mime, place, &start, &end);
	buf_init(&text, EDIT_TEXT_MAX);
	if (notice_add_text(notice, &text, err) < 0 ||
		(needs_eol(plan->message, end) &&
			buf_add_str(&text, notice->eol, err) < 0))
		return -1;
	return edits_add(plan->edits, start, end - start, buf_span(&text), err);
}

static int replace(struct plan *plan, size_t index, struct err *err)
{
	auto_free size_t *chosen = calloc(plan->order->count, sizeof(*chosen));
	const struct mime_part *part;
	struct notice notice = { .eol = plan->mime->eol,
		.quarantine_id = plan->order->quarantine_id,
		.findings = plan->order->findings,
		.chosen = chosen };

	if (!chosen)
		return err_memory(err);
	for (size_t i = 0; i < plan->order->count; i++) {
		if (plan->target[i] != index)
			continue;
		chosen[notice.count++] = i;
		notice.enclosing |= plan->found[i] != index;
	}
	if (index >= plan->mime->count)
		return replace_outside(plan, index, &notice, err);
	part = &plan->mime->parts[index];
	if (is_message_root(plan->mime, index))
		return replace_message(plan, part, &notice, err);
	return replace_part(plan, part, &notice, err);
}

static int replace_all(struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < place_count(plan->mime); i++)
		if (plan->goes[i] && outermost(plan, i) == i && replace(plan, i, err) < 0)
			return -1;
	return 0;
}

static int mark(struct plan *plan, struct err *err)
{
	char status[FINDING_SIGNATURE_MAX + 64];

	if (plan->order->count == 1)
		(void)snprintf(status, sizeof(status), "Cleaned (%s)",
			plan->order->findings[0].signature);
	else
		(void)snprintf(status, sizeof(status), "Cleaned (%s and %zu more)",
			plan->order->findings[0].signature, plan->order->count - 1);
	return headers_mark(plan->message, plan->mime->eol, status,
		plan->order->quarantine_id, plan->edits, err);
}

int clean_plan(struct span message, const struct mime *mime,
	const struct clean_order *order, struct edits *edits_r, struct err *err)
{
	__attribute__((cleanup(edits_done))) struct edits edits = { 0 };
	__attribute__((cleanup(plan_done))) struct plan plan = {
		.message = message, .mime = mime, .order = order, .edits = &edits
	};

	if (order->count > 0) {
		if (mime->count == 0)
			return err_set(err, ERR_MESSAGE, "a message without a part");
		/* Marked first: of two insertions at one place the fields at the top stand first. */
		if (mark(&plan, err) < 0 || choose(&plan, err) < 0 ||
			replace_all(&plan, err) < 0)
			return -1;
	}
	edits_sort(&edits);
	if (edits_check(&edits, message.len, err) < 0)
		return -1;
	*edits_r = edits;
	edits = (struct edits){ 0 };
	return 0;
}
