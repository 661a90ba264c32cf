/* SPDX-License-Identifier: ISC */
#include "common/edits.h"

#include <inttypes.h>
#include <string.h>

void edits_done(struct edits *edits)
{
	for (size_t i = 0; i < edits->count; i++)
		buf_done(&edits->list[i].text);
	free(edits->list);
	*edits = (struct edits){ 0 };
}

static int grow(struct edits *edits, struct err *err)
{
	size_t size = edits->size ? edits->size * 2 : 8;
	struct edit *list;

	if (edits->count < edits->size)
		return 0;
	list = reallocarray(edits->list, size, sizeof(*list));
	if (!list)
		return err_memory(err);
	edits->list = list;
	edits->size = size;
	return 0;
}

int edits_add(struct edits *edits, uint64_t offset, uint64_t length, struct span text,
	struct err *err)
{
	struct buf copy;

	if (edits->count >= EDITS_MAX)
		return err_set(err, ERR_MESSAGE, "more than %d edits", EDITS_MAX);
	if (text.len > EDIT_TEXT_MAX)
		return err_set(err, ERR_MESSAGE, "the text of an edit is over %d bytes",
			EDIT_TEXT_MAX);
	if (text.len > EDITS_BYTES_MAX - edits->bytes)
		return err_set(err, ERR_MESSAGE,
			"the texts of all edits are over %d bytes", EDITS_BYTES_MAX);
	if (grow(edits, err) < 0)
		return -1;
	buf_init(&copy, EDIT_TEXT_MAX);
	if (buf_add(&copy, text.data, text.len, err) < 0)
		return -1;
	edits->list[edits->count++] =
		(struct edit){ .offset = offset, .length = length, .text = copy };
	edits->bytes += text.len;
	return 0;
}

static bool before(const struct edit *left, const struct edit *right)
{
	if (left->offset != right->offset)
		return left->offset < right->offset;
	return left->length == 0 && right->length > 0;
}

/* By insertion: stable, which qsort does not promise, and quick where they come nearly in order. */
void edits_sort(struct edits *edits)
{
	for (size_t i = 1; i < edits->count; i++) {
		struct edit moved = edits->list[i];
		size_t to = i;

		while (to > 0 && before(&moved, &edits->list[to - 1]))
			to--;
		memmove(&edits->list[to + 1], &edits->list[to], (i - to) * sizeof(moved));
		edits->list[to] = moved;
	}
}

static bool printable(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if ((c < ' ' || c > '~') && c != '\t' && c != '\r' && c != '\n')
			return false;
	}
	return true;
}

/* One edit that must start at or after `from` (the end of the one before it). */
static int check_one(
	const struct edit *edit, uint64_t from, uint64_t size, struct err *err)
{
	if (edit->offset < from)
		return err_set(err, ERR_MESSAGE,
			"the edit at %" PRIu64
			" overlaps the one before it or is out of order",
			edit->offset);
	if (edit->offset > size || edit->length > size - edit->offset)
		return err_set(err, ERR_MESSAGE,
			"the edit at %" PRIu64 " ends past the message", edit->offset);
	if (edit->text.len > EDIT_TEXT_MAX)
		return err_set(err, ERR_MESSAGE,
			"the text of the edit at %" PRIu64 " is over %d bytes",
			edit->offset, EDIT_TEXT_MAX);
	if (!printable(buf_span(&edit->text)))
		return err_set(err, ERR_MESSAGE,
			"the text of the edit at %" PRIu64 " is not printable ASCII",
			edit->offset);
	return 0;
}

int edits_check(const struct edits *edits, uint64_t size, struct err *err)
{
	uint64_t from = 0;
	size_t bytes = 0;

	if (edits->count > EDITS_MAX)
		return err_set(err, ERR_MESSAGE, "more than %d edits", EDITS_MAX);
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->list[i];

		if (check_one(edit, from, size, err) < 0)
			return -1;
		if (i > 0 && before(edit, &edits->list[i - 1]))
			return err_set(err, ERR_MESSAGE,
				"the insertion at %" PRIu64
				" stands behind a removal there",
				edit->offset);
		from = edit->offset + edit->length;
		bytes += edit->text.len;
	}
	if (bytes > EDITS_BYTES_MAX)
		return err_set(err, ERR_MESSAGE,
			"the texts of all edits are over %d bytes", EDITS_BYTES_MAX);
	return 0;
}

int edits_apply(const struct edits *edits, struct span original, struct body *out,
	struct err *err)
{
	size_t at = 0;

	if (edits_check(edits, original.len, err) < 0)
		return -1;
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->list[i];

		if (body_add(out, span_part(original, at, edit->offset - at), err) < 0 ||
			body_add(out, buf_span(&edit->text), err) < 0)
			return -1;
		at = edit->offset + edit->length;
	}
	return body_add(out, span_part(original, at, original.len), err);
}

/* Where a walk over an edited message is, and who gets it. */
struct walk {
	struct body_view view;
	int (*each)(void *arg, struct span piece, struct err *err);
	void *arg;
	uint64_t at;
};

static void walk_done(struct walk *walk)
{
	body_view_done(&walk->view);
}

static int give_until(struct walk *walk, uint64_t end, struct err *err)
{
	while (walk->at < end) {
		struct span piece;

		if (body_view_at(&walk->view, walk->at, &piece, err) < 0)
			return -1;
		piece = span_part(piece, 0, end - walk->at);
		if (walk->each(walk->arg, piece, err) < 0)
			return -1;
		walk->at += piece.len;
	}
	return 0;
}

int edits_each(const struct edits *edits, const struct body *original,
	int (*each)(void *arg, struct span piece, struct err *err), void *arg,
	struct err *err)
{
	struct walk walk DEFER(
		walk_done) = { .view = { .body = original }, .each = each, .arg = arg };

	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->list[i];

		if (give_until(&walk, edit->offset, err) < 0 ||
			each(arg, buf_span(&edit->text), err) < 0)
			return -1;
		walk.at = edit->offset + edit->length;
	}
	return give_until(&walk, original->size, err);
}

static int add_piece(void *arg, struct span piece, struct err *err)
{
	return body_add(arg, piece, err);
}

int edits_apply_body(const struct edits *edits, const struct body *original,
	struct body *out, struct err *err)
{
	if (edits_check(edits, original->size, err) < 0)
		return -1;
	return edits_each(edits, original, add_piece, out, err);
}
