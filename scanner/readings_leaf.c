/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/embedded.h"
#include "common/tnef.h"
#include "common/unicode.h"

#include "scanner/readings_inside.h"

enum {
	TNEF_DEPTH_MAX = 4,
	TYPE_HEAD_MAX = 64 * 1024 + 64,
	RLE_TIMES = 64, /* a run of BinHex makes more of less */
	SPARE = 1024,   /* no other decoding makes more of its input than this */
};

static int read_embedded(struct readings *readings, const struct origin *origin,
	struct span text, const struct embedded *block, struct err *err)
{
	struct span bytes, resource = { NULL, 0 };
	struct err failure = { 0 };
	auto_buf struct buf decoded;

	buf_init(&decoded,
		(block->end - block->start) *
				(block->kind == EMBEDDED_BINHEX ? RLE_TIMES : 1) +
			SPARE);
	if (embedded_decode(text, block, &decoded, &failure) < 0) {
		if (failure.kind != ERR_MESSAGE)
			return err_set(err, failure.kind, "%s", failure.text);
		readings->is_cut = true;
	}
	bytes = buf_span(&decoded);
	if (block->kind == EMBEDDED_BINHEX)
		binhex_forks(buf_span(&decoded), &bytes, &resource);
	if (readings_give(readings, origin, bytes, err) < 0)
		return -1;
	return readings_give(readings, origin, resource, err);
}

/* The next one, if to find and decode them is not more work than a mail is worth: a little one may be
 * decoded from a lot. */
static bool find_embedded(
	struct readings *readings, struct span text, size_t pos, struct embedded *block)
{
	size_t most = readings->message.len * READINGS_LOOK_TIMES + READINGS_LOOK_SPARE;
	bool found = embedded_find(text, pos, block);

	readings->looked += block->looked + (block->end - block->start);
	if (readings->looked <= most)
		return found;
	readings->is_cut = true;
	return false;
}

int readings_text(struct readings *readings, const struct origin *origin,
	struct span text, struct err *err)
{
	bool is_in_place = text.data == origin->layer->bytes.data + origin->start;
	struct embedded block = { 0 };
	size_t pos = 0;

	while (!readings->is_cut && find_embedded(readings, text, pos, &block)) {
		struct origin here = { origin->layer, origin->start, origin->end,
			"a file in a text" };

		if (is_in_place) {
			here.start = origin->start + block.start;
			here.end = origin->start + block.end;
		}
		if (read_embedded(readings, &here, text, &block, err) < 0)
			return -1;
		pos = block.next;
	}
	return 0;
}

static int read_tnef(struct readings *readings, const struct origin *origin,
	struct span bytes, struct err *err)
{
	struct tnef open[TNEF_DEPTH_MAX];
	size_t depth = 0;
	struct span file;

	depth += tnef_open(bytes, &open[0]);
	while (depth > 0 && !readings->is_cut) {
		if (!tnef_next(&open[depth - 1], &file)) {
			depth--;
			continue;
		}
		if (readings_give(readings, origin, file, err) < 0)
			return -1;
		if (depth < TNEF_DEPTH_MAX)
			depth += tnef_open(file, &open[depth]);
		else if (tnef_open(file, &(struct tnef){ 0 }))
			readings->is_cut = true;
	}
	return 0;
}

static bool has_nul(struct span bytes)
{
	return bytes.len > 0 && memchr(bytes.data, '\0', bytes.len);
}

/* The text as a reader sees it, where its bytes are not ASCII. */
static int read_charset(struct readings *readings, const struct origin *origin,
	const struct mime_part *part, struct span bytes, struct err *err)
{
	bool utf7 = strncmp(part->charset, "utf-7", 5) == 0 ||
		    strcmp(part->charset, "unicode-1-1-utf-7") == 0;
	bool utf16 = strncmp(part->charset, "utf-16", 6) == 0 ||
		     strncmp(part->charset, "ucs-2", 5) == 0 ||
		     strstr(part->charset, "10646-ucs-2");
	auto_buf struct buf text;

	utf16 = utf16 || unicode_has_mark(bytes);
	buf_init(&text, bytes.len / 2 * 3 + SPARE);
	if (strncmp(part->type, "text/", 5) != 0 || (!utf7 && !utf16))
		return 0;
	for (int big = 0; big < (utf16 ? 2 : 1); big++) {
		buf_clear(&text);
		if ((utf16 ? unicode_from_utf16(bytes, big, &text, err)
			   : unicode_from_utf7(bytes, &text, err)) < 0 ||
			readings_give(readings, origin, buf_span(&text), err) < 0 ||
			readings_text(readings, origin, buf_span(&text), err) < 0)
			return -1;
	}
	return 0;
}

/* What a part that is not followed holds: read as a message of its own. */
static int read_inside(struct readings *readings, const struct origin *origin,
	const struct mime_part *part, struct span bytes, struct err *err)
{
	const unsigned not_followed =
		MIME_DOUBT_ENCODING | MIME_DOUBT_DEPTH | MIME_DOUBT_PARTIAL;
	struct span type;
	auto_buf struct buf head;
	const char *text;

	buf_init(&head, TYPE_HEAD_MAX);
	if (!(part->doubts & not_followed))
		return 0;
	if (strncmp(part->type, "message/", 8) == 0)
		return readings_add_layer(readings, origin, "", bytes, err);
	if (strncmp(part->type, "multipart/", 10) != 0)
		return 0;
	type = mime_field(origin->layer->bytes, part->header_start, "content-type");
	if (has_nul(type) || type.len > MIME_FIELD_BYTES_MAX)
		return 0;
	if (buf_add_str(&head, "Content-Type: ", err) < 0 ||
		buf_add(&head, type.data, type.len, err) < 0 ||
		buf_add_str(&head, "\r\n\r\n", err) < 0 ||
		buf_text(&head, &text, err) < 0)
		return -1;
	return readings_add_layer(readings, origin, text, bytes, err);
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* Can all of it be quoted-printable, and some of it must? */
static bool looks_quoted(struct span body)
{
	size_t escapes = 0;

	for (size_t i = 0; i < body.len; i++) {
		struct span next = span_part(body, i + 1, 2);

		if (body.data[i] != '=')
			continue;
		if (next.len == 2 && is_hex(next.data[0]) && is_hex(next.data[1]))
			escapes++;
		else if (next.len > 0 && next.data[0] > ' ')
			return false;
	}
	return escapes > 0;
}

/* A leaf on its way through all that it may be. */
struct look {
	struct readings *readings;
	const struct leaf *leaf;
	struct origin origin;
	struct span body, known; /* as it stands there, and decoded as declared */
};

/* One way to decode, if it gives other bytes. */
static int read_as(const struct look *look, enum mime_encoding encoding, unsigned habits,
	struct err *err)
{
	auto_buf struct buf bytes;

	buf_init(&bytes, look->body.len + SPARE);
	if (mime_decode_as(look->body, encoding, habits, &bytes, err) < 0)
		return -1;
	if (span_equal(buf_span(&bytes), look->known))
		return 0;
	return readings_give(look->readings, &look->origin, buf_span(&bytes), err);
}

/* Its own encoding with other habits. */
static int read_habits(const struct look *look, struct err *err)
{
	static const unsigned habits[] = { MIME_HABIT_STOP, MIME_HABIT_SKIP_PADDING,
		MIME_HABIT_STRICT, MIME_HABIT_URL };
	const struct leaf *leaf = look->leaf;
	const enum mime_encoding declared = leaf->part->encoding;
	bool junk = declared == MIME_BASE64 &&
		    (leaf->is_doubtful || !leaf->is_known ||
			    leaf->part->doubts & MIME_DOUBT_BASE64);

	for (size_t i = 0; junk && i < sizeof(habits) / sizeof(*habits); i++)
		if (read_as(look, MIME_BASE64, habits[i], err) < 0)
			return -1;
	if (declared == MIME_QUOTED_PRINTABLE)
		return read_as(look, declared, MIME_HABIT_STRICT, err);
	return 0;
}

/* Other encodings than the declared one, where they are likely. */
static int read_encodings(const struct look *look, struct err *err)
{
	static const enum mime_encoding all[] = { MIME_IDENTITY, MIME_BASE64,
		MIME_QUOTED_PRINTABLE, MIME_UUENCODE };
	const struct leaf *leaf = look->leaf;
	const enum mime_encoding declared = leaf->part->encoding;
	bool junk = leaf->part->doubts & MIME_DOUBT_BASE64;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		bool likely = leaf->is_doubtful;

		if (all[i] == MIME_IDENTITY)
			likely = likely || junk;
		if (all[i] == MIME_QUOTED_PRINTABLE)
			likely = likely || ((junk || declared == MIME_IDENTITY) &&
						   looks_quoted(look->body));
		if (likely && all[i] != declared && read_as(look, all[i], 0, err) < 0)
			return -1;
	}
	return 0;
}

/* Does nothing hint at another encoding than base64? */
static bool is_plain_base64(const struct look *look)
{
	const struct mime_part *part = look->leaf->part;

	return part->encoding == MIME_BASE64 && !look->leaf->is_doubtful &&
	       !(part->doubts & MIME_DOUBT_BASE64);
}

/* Files in the text as it stands there, if it hints at other encodings. */
static int read_body(const struct look *look, struct err *err)
{
	if (is_plain_base64(look))
		return 0;
	return readings_text(look->readings, &look->origin, look->body, err);
}

/* Files in the text as it is decoded. */
static int read_text(const struct look *look, struct err *err)
{
	const struct mime_part *part = look->leaf->part;
	bool plain = is_plain_base64(look);

	if (part->encoding == MIME_IDENTITY ||
		(plain && strncmp(part->type, "text/", 5) != 0 &&
			has_nul(span_part(look->known, 0, SPARE))))
		return 0;
	return readings_text(look->readings, &look->origin, look->known, err);
}

/* The same bytes in the same encoding were read before: by another rule that found them, too. */
static bool is_done(struct readings *readings, const struct leaf *leaf)
{
	const struct mime_part *part = leaf->part;
	const struct range range = { leaf->layer, part->body_start, part->end,
		part->encoding };
	struct range *ranges;

	for (size_t i = 0; i < readings->range_count; i++) {
		const struct range *other = &readings->ranges[i];

		if (other->layer == range.layer && other->start == range.start &&
			other->end == range.end && other->encoding == range.encoding)
			return true;
	}
	if (readings->range_count == READINGS_RANGES_MAX)
		return false;
	ranges = reallocarray(
		readings->ranges, readings->range_count + 1, sizeof(*ranges));
	if (!ranges)
		return false;
	ranges[readings->range_count++] = range;
	readings->ranges = ranges;
	return false;
}

int readings_leaf(struct readings *readings, const struct leaf *leaf, struct err *err)
{
	const struct layer *layer = &readings->layers[leaf->layer];
	const struct mime_part *part = leaf->part;
	struct look look = { readings, leaf,
		{ layer, part->body_start, part->end,
			leaf->is_known ? "another decoding" : "other parts" },
		.body = span_part(
			layer->bytes, part->body_start, part->end - part->body_start) };
	auto_buf struct buf decoded;
	bool is_passed;

	buf_init(&decoded, look.body.len + SPARE);
	if (look.body.len == 0 || is_done(readings, leaf))
		return 0;
	if (mime_decode_as(look.body, part->encoding, 0, &decoded, err) < 0)
		return -1;
	look.known = buf_span(&decoded);
	if (!leaf->is_known && readings_give(readings, &look.origin, look.known, err) < 0)
		return -1;
	if (read_habits(&look, err) < 0 || read_encodings(&look, err) < 0)
		return -1;
	is_passed = readings->to->pass(readings->to->context, look.known);
	/* As it stands there it is not what is passed over. */
	if (!(is_passed && span_equal(look.body, look.known)) &&
		read_body(&look, err) < 0)
		return -1;
	if (is_passed)
		return 0;
	if (read_text(&look, err) < 0 ||
		read_tnef(readings, &look.origin, look.known, err) < 0 ||
		read_charset(readings, &look.origin, part, look.known, err) < 0)
		return -1;
	return read_inside(readings, &look.origin, part, look.known, err);
}
