/* SPDX-License-Identifier: ISC */
#include "mailfilter/smtp_text.h"

#include <string.h>

static int give(const struct smtp_text *text, struct span bytes, struct err *err)
{
	return bytes.len > 0 ? text->sink(text->arg, bytes, err) : 0;
}

/* A line ends, or a CR that came ends none. */
static int end_cr(struct smtp_text *text, bool ends_line, struct err *err)
{
	text->cr = false;
	text->inside = !ends_line;
	return give(text, span_str(ends_line ? "\r\n" : " "), err);
}

static int add_run(struct smtp_text *text, struct span run, struct err *err)
{
	if (run.len == 0)
		return 0;
	if (!text->inside && run.data[0] == '.' && give(text, span_str("."), err) < 0)
		return -1;
	text->inside = true;
	return give(text, run, err);
}

/* Of one line, without its end. */
static int add_part(struct smtp_text *text, struct span part, struct err *err)
{
	while (part.len > 0) {
		const uint8_t *cr = memchr(part.data, '\r', part.len);
		const size_t len = cr ? (size_t)(cr - part.data) : part.len;

		if ((text->cr && end_cr(text, false, err) < 0) ||
			add_run(text, span_part(part, 0, len), err) < 0)
			return -1;
		text->cr = cr != NULL;
		part = span_part(part, cr ? len + 1 : len, part.len);
	}
	return 0;
}

int smtp_text_add(struct smtp_text *text, struct span piece, struct err *err)
{
	while (piece.len > 0) {
		const uint8_t *lf = memchr(piece.data, '\n', piece.len);
		const size_t len = lf ? (size_t)(lf - piece.data) : piece.len;

		if (add_part(text, span_part(piece, 0, len), err) < 0 ||
			(lf && end_cr(text, true, err) < 0))
			return -1;
		piece = span_part(piece, lf ? len + 1 : len, piece.len);
	}
	return 0;
}

int smtp_text_end(struct smtp_text *text, struct err *err)
{
	if (text->cr && end_cr(text, false, err) < 0)
		return -1;
	return text->inside ? end_cr(text, true, err) : 0;
}

void smtp_facts_add(struct smtp_facts *facts, struct span piece)
{
	for (const uint8_t *from = piece.data, *const end = piece.data + piece.len, *lf;
		from < end; from = lf + 1) {
		lf = memchr(from, '\n', (size_t)(end - from));
		if (!lf)
			break;
		/* CR LF is two bytes already. */
		facts->size += (lf > piece.data ? lf[-1] : facts->last) != '\r';
	}
	facts->size += piece.len;
	facts->bit8 = facts->bit8 || smtp_text_is_8bit(piece);
	if (piece.len > 0)
		facts->last = piece.data[piece.len - 1];
}

void smtp_facts_end(struct smtp_facts *facts)
{
	if (facts->size > 0 && facts->last != '\n')
		facts->size += 2;
}

bool smtp_text_is_8bit(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80)
			return true;
	return false;
}
