/* SPDX-License-Identifier: ISC */
#include "scanner/clean.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/headers.h"

#include "scanner/notice.h"

enum {
	ROOT = 0 /* parents come before children: index 0 is the root */
};

struct plan {
	struct span message;
	const struct mime *mime;
	const struct finding *findings;
	size_t finding_count;
	const char *quarantine_id;
	size_t *target; /* of each finding: the part that goes for it */
	bool *goes;     /* of each part */
	struct edits *edits;
};

static void plan_done(struct plan *plan)
{
	free(plan->target);
	free(plan->goes);
}

static size_t find_part(const struct mime *mime, const char *path)
{
	for (size_t i = 0; path[0] && i < mime->count; i++)
		if (strcmp(mime->parts[i].path, path) == 0)
			return i;
	return ROOT;
}

/* A cut inside would leave a broken signature or cipher text, or needs encoding anew. */
static bool goes_whole(const struct mime_part *part)
{
	return strcmp(part->type, "multipart/signed") == 0 ||
	       strcmp(part->type, "multipart/encrypted") == 0 ||
	       (strcmp(part->type, "message/rfc822") == 0 &&
		       part->encoding != MIME_IDENTITY);
}

static size_t parent_of(const struct mime *mime, size_t index)
{
	return index == ROOT ? ROOT : (size_t)mime->parts[index].parent;
}

static size_t choose_target(const struct mime *mime, const char *path, uint32_t level)
{
	size_t target = find_part(mime, path);

	/* A part without any bytes has no place to stand in for it. */
	while (target != ROOT && (level > 0 || mime->parts[target].header_start >=
						       mime->parts[target].end)) {
		if (level > 0)
			level--;
		target = parent_of(mime, target);
	}
	for (size_t at = target; at != ROOT; at = parent_of(mime, at))
		if (goes_whole(&mime->parts[at]))
			target = at;
	return goes_whole(&mime->parts[ROOT]) ? ROOT : target;
}

/* The outermost part that goes and holds this one. */
static size_t outermost(const struct plan *plan, size_t index)
{
	size_t found = index;

	for (size_t at = index; at != ROOT; at = parent_of(plan->mime, at))
		if (plan->goes[at])
			found = at;
	return plan->goes[ROOT] ? ROOT : found;
}

static int choose(struct plan *plan, uint32_t level, struct err *err)
{
	plan->target = calloc(plan->finding_count + 1, sizeof(*plan->target));
	plan->goes = calloc(plan->mime->count + 1, sizeof(*plan->goes));
	if (!plan->target || !plan->goes)
		return err_memory(err);
	for (size_t i = 0; i < plan->finding_count; i++) {
		plan->target[i] =
			choose_target(plan->mime, plan->findings[i].part, level);
		plan->goes[plan->target[i]] = true;
	}
	for (size_t i = 0; i < plan->finding_count; i++)
		plan->target[i] = outermost(plan, plan->target[i]);
	return 0;
}

/* The end of the line that starts at from. */
static size_t line_end(struct span message, size_t from, size_t end)
{
	struct span rest = span_part(message, from, end - from);
	ptrdiff_t found = span_find(rest, span_str("\n"));

	return found < 0 ? end : from + (size_t)found + 1;
}

static bool is_content_field(struct span line)
{
	return line.len > 8 && strncasecmp((const char *)line.data, "Content-", 8) == 0;
}

/* Take the Content-* fields out of the root's header; *blank_r is where its fields end. */
static int remove_content_fields(struct plan *plan, size_t *blank_r, struct err *err)
{
	const struct mime_part *root = &plan->mime->parts[ROOT];
	size_t at = root->header_start, end;
	bool removing = false;

	for (; at < root->body_start; at = end) {
		struct span line;

		end = line_end(plan->message, at, root->body_start);
		line = span_part(plan->message, at, end - at);
		if (end == root->body_start && span_trim(line).len == 0)
			break;
		if (line.data[0] != ' ' && line.data[0] != '\t')
			removing = is_content_field(line);
		if (removing &&
			edits_add(plan->edits, at, end - at, (struct span){ 0 }, err) < 0)
			return -1;
	}
	*blank_r = at;
	return 0;
}

static int replace_root(struct plan *plan, const struct notice *notice, struct err *err)
{
	const struct mime_part *root = &plan->mime->parts[ROOT];
	auto_buf struct buf text;
	bool ended;
	size_t blank;

	buf_init(&text, EDIT_TEXT_MAX);
	if (remove_content_fields(plan, &blank, err) < 0)
		return -1;
	/* A header without its last line end or without a blank line gets them. */
	ended = blank == 0 || plan->message.data[blank - 1] == '\n';
	if ((!ended && buf_add_str(&text, notice->eol, err) < 0) ||
		notice_add_header(notice, &text, err) < 0 ||
		(blank == root->body_start && buf_add_str(&text, notice->eol, err) < 0) ||
		edits_add(plan->edits, blank, 0, buf_span(&text), err) < 0)
		return -1;
	buf_clear(&text);
	if (notice_add_text(notice, &text, err) < 0 ||
		buf_add_str(&text, notice->eol, err) < 0)
		return -1;
	return edits_add(plan->edits, root->body_start,
		plan->message.len - root->body_start, buf_span(&text), err);
}

static int replace_part(struct plan *plan, const struct mime_part *part,
	const struct notice *notice, struct err *err)
{
	auto_buf struct buf text;

	buf_init(&text, EDIT_TEXT_MAX);
	if (notice_add_header(notice, &text, err) < 0 ||
		buf_add_str(&text, notice->eol, err) < 0 ||
		notice_add_text(notice, &text, err) < 0)
		return -1;
	/* The line end of the last line belongs to the delimiter, where there is one. */
	if (part->end == plan->message.len && buf_add_str(&text, notice->eol, err) < 0)
		return -1;
	return edits_add(plan->edits, part->header_start, part->end - part->header_start,
		buf_span(&text), err);
}

static int replace(struct plan *plan, size_t index, struct err *err)
{
	const struct mime_part *part = &plan->mime->parts[index];
	auto_free const struct finding **inside =
		calloc(plan->finding_count, sizeof(*inside));
	struct notice notice = { .eol = plan->mime->eol,
		.quarantine_id = plan->quarantine_id };

	if (!inside)
		return err_memory(err);
	for (size_t i = 0; i < plan->finding_count; i++) {
		if (plan->target[i] != index)
			continue;
		inside[notice.count++] = &plan->findings[i];
		notice.enclosing |=
			find_part(plan->mime, plan->findings[i].part) != index;
	}
	notice.findings = inside;
	if (index == ROOT)
		return replace_root(plan, &notice, err);
	return replace_part(plan, part, &notice, err);
}

static int mark(struct plan *plan, struct err *err)
{
	char status[FINDING_SIGNATURE_MAX + 64];

	if (plan->finding_count == 1)
		(void)snprintf(status, sizeof(status), "Cleaned (%s)",
			plan->findings[0].signature);
	else
		(void)snprintf(status, sizeof(status), "Cleaned (%s and %zu more)",
			plan->findings[0].signature, plan->finding_count - 1);
	return headers_mark(plan->message, plan->mime->eol, status, plan->quarantine_id,
		plan->edits, err);
}

int clean_plan(struct span message, const struct mime *mime,
	const struct finding *findings, size_t finding_count, uint32_t level,
	const char *quarantine_id, struct edits *edits_r, struct err *err)
{
	__attribute__((cleanup(edits_done))) struct edits edits = { 0 };
	__attribute__((cleanup(plan_done))) struct plan plan = { .message = message,
		.mime = mime,
		.findings = findings,
		.finding_count = finding_count,
		.quarantine_id = quarantine_id,
		.edits = &edits };

	if (finding_count > 0 && mime->count == 0)
		return err_set(err, ERR_MESSAGE, "a message without a part");
	if (choose(&plan, level, err) < 0)
		return -1;
	for (size_t i = 0; finding_count > 0 && i < mime->count; i++)
		if (plan.goes[i] && outermost(&plan, i) == i &&
			replace(&plan, i, err) < 0)
			return -1;
	if (finding_count > 0 && mark(&plan, err) < 0)
		return -1;
	edits_sort(&edits);
	if (edits_check(&edits, message.len, err) < 0)
		return -1;
	*edits_r = edits;
	edits = (struct edits){ 0 };
	return 0;
}
