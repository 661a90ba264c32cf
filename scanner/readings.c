/* SPDX-License-Identifier: ISC */
#include "scanner/readings_inside.h"

#include <string.h>

#include "common/field.h"

/* Doubts about which the parts are. */
static const unsigned structural = MIME_DOUBT_HEADER_LIMIT | MIME_DOUBT_DEPTH |
				   MIME_DOUBT_PARSER | MIME_DOUBT_DUPLICATE |
				   MIME_DOUBT_ENCODING | MIME_DOUBT_EPILOGUE;

/* How other readers find the parts. */
static const unsigned rules_of_others[] = {
	MIME_RULE_LAST,
	MIME_RULE_RAW,
	MIME_RULE_RAW | MIME_RULE_LAST,
	MIME_RULE_JUNK_ENDS,
	MIME_RULE_JUNK_ENDS | MIME_RULE_LAST,
	MIME_RULE_PREFIX,
	MIME_RULE_GOES_ON,
	MIME_RULE_GOES_ON | MIME_RULE_LAST,
	MIME_RULE_FOLLOW,
	MIME_RULE_FOLLOW | MIME_RULE_LAST | MIME_RULE_RAW | MIME_RULE_GOES_ON,
	MIME_RULE_ANY,
	MIME_RULE_ANY | MIME_RULE_LAST,
	MIME_RULE_ANY | MIME_RULE_JUNK_ENDS,
};

static void readings_done(struct readings *readings)
{
	for (size_t i = 0; i < readings->layer_count; i++)
		buf_done(&readings->layers[i].owned);
	free(readings->ranges);
}

int readings_give(struct readings *readings, const struct origin *origin,
	struct span bytes, struct err *err)
{
	const struct layer *layer = origin->layer;
	struct reading reading = { bytes, origin->start, origin->end, origin->why };
	size_t most = readings->message.len * READINGS_BYTES_TIMES + READINGS_BYTES_SPARE;
	int taken;

	if (bytes.len == 0 || readings->is_cut)
		return 0;
	if (readings->count == READINGS_MAX || bytes.len > most - readings->bytes) {
		readings->is_cut = true;
		return 0;
	}
	readings->count++;
	readings->bytes += bytes.len;
	if (!layer->is_whole) {
		reading.start = layer->start;
		reading.end = layer->end;
	}
	taken = readings->to->take(readings->to->context, &reading, err);
	if (taken > 0)
		readings->is_cut = true;
	return taken < 0 ? -1 : 0;
}

int readings_add_layer(struct readings *readings, const struct origin *origin,
	const char *head, struct span bytes, struct err *err)
{
	struct layer *layer = &readings->layers[readings->layer_count];
	const struct layer *outer = origin->layer;

	if (bytes.len == 0 || readings->is_cut)
		return 0;
	if (readings->layer_count == READINGS_LAYERS_MAX ||
		outer->depth == READINGS_DEPTH_MAX) {
		readings->is_cut = true;
		return 0;
	}
	*layer = (struct layer){ .depth = outer->depth + 1,
		.start = outer->is_whole ? origin->start : outer->start,
		.end = outer->is_whole ? origin->end : outer->end };
	buf_init(&layer->owned, strlen(head) + bytes.len);
	readings->layer_count++;
	if (buf_add_str(&layer->owned, head, err) < 0 ||
		buf_add(&layer->owned, bytes.data, bytes.len, err) < 0)
		return -1;
	layer->bytes = buf_span(&layer->owned);
	return 0;
}

/* Text before or behind the parts of a multipart. */
static int read_outside(struct readings *readings, const struct layer *layer,
	const struct mime *mime, struct err *err)
{
	bool doubtful = mime->doubts & structural;

	for (size_t i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];
		const struct origin origins[] = {
			{ layer, part->body_start, part->preamble_end, "a preamble" },
			{ layer, part->epilogue_start, part->end, "an epilogue" },
		};

		for (size_t n = 0; part->is_multipart && n < 2; n++) {
			const struct origin *origin = &origins[n];
			struct span text;

			if (origin->start >= origin->end)
				continue;
			text = span_part(
				layer->bytes, origin->start, origin->end - origin->start);
			if (readings_text(readings, origin, text, err) < 0 ||
				(doubtful &&
					readings_give(readings, origin, text, err) < 0))
				return -1;
		}
	}
	return 0;
}

static int read_parts(struct readings *readings, size_t layer, const struct mime *mime,
	bool is_known, struct err *err)
{
	for (size_t i = 0; i < mime->count && !readings->is_cut; i++) {
		const struct leaf leaf = { layer, &mime->parts[i], is_known,
			(mime->parts[i].doubts &
				(MIME_DOUBT_ENCODING | MIME_DOUBT_DUPLICATE)) };

		if (!mime->parts[i].is_composite &&
			readings_leaf(readings, &leaf, err) < 0)
			return -1;
	}
	return read_outside(readings, &readings->layers[layer], mime, err);
}

static void release(struct mime **mime)
{
	mime_free(*mime);
}

/* As others find the parts; and what is embedded anywhere, whatever the parts are. */
static int read_otherwise(struct readings *readings, size_t layer, struct err *err)
{
	const struct layer *from = &readings->layers[layer];
	const size_t count = sizeof(rules_of_others) / sizeof(*rules_of_others);

	for (size_t i = 0; i < count && !readings->is_cut; i++) {
		DEFER(release) struct mime *mime = NULL;

		if (mime_parse_as(from->bytes, rules_of_others[i], &mime, err) < 0 ||
			read_parts(readings, layer, mime, false, err) < 0)
			return -1;
	}
	return readings_text(readings,
		&(struct origin){ from, 0, from->bytes.len, "text anywhere" },
		from->bytes, err);
}

static bool is_bare_cr(struct span bytes, size_t i)
{
	return bytes.data[i] == '\r' && (i + 1 == bytes.len || bytes.data[i + 1] != '\n');
}

/* For readers to whom a bare CR ends a line: a copy in which it does. */
static int add_lines_layer(struct readings *readings, struct err *err)
{
	struct span message = readings->message;
	struct layer *layer;
	size_t i = 0;

	while (i < message.len && !is_bare_cr(message, i))
		i++;
	if (i == message.len)
		return 0;
	layer = &readings->layers[readings->layer_count++];
	*layer = (struct layer){ .is_whole = true };
	buf_init(&layer->owned, message.len);
	if (buf_add(&layer->owned, message.data, message.len, err) < 0)
		return -1;
	for (; i < message.len; i++)
		if (is_bare_cr(message, i))
			layer->owned.data[i] = '\n';
	layer->bytes = buf_span(&layer->owned);
	return 0;
}

/* The layers behind the first, which may add more. */
static int read_layers(struct readings *readings, struct err *err)
{
	for (size_t i = 1; i < readings->layer_count && !readings->is_cut; i++) {
		const struct layer *layer = &readings->layers[i];
		DEFER(release) struct mime *mime = NULL;

		if (mime_parse(layer->bytes, &mime, err) < 0 ||
			readings_give(readings,
				&(struct origin){
					layer, 0, layer->bytes.len, "a message inside" },
				layer->bytes, err) < 0 ||
			read_parts(readings, i, mime, false, err) < 0)
			return -1;
		if (mime->doubts & structural && read_otherwise(readings, i, err) < 0)
			return -1;
	}
	return 0;
}

int readings_each(struct span message, const struct mime *mime,
	const struct reading_to *to, bool *is_cut_r, struct err *err)
{
	DEFER(readings_done)
	struct readings readings = { message, to, .layer_count = 1 };

	readings.layers[0] = (struct layer){ .bytes = message, .is_whole = true };
	if (mime->doubts & MIME_DOUBT_LINES && add_lines_layer(&readings, err) < 0)
		return -1;
	if (read_parts(&readings, 0, mime, true, err) < 0)
		return -1;
	if (mime->doubts & structural && read_otherwise(&readings, 0, err) < 0)
		return -1;
	if (read_layers(&readings, err) < 0)
		return -1;
	*is_cut_r = readings.is_cut;
	return 0;
}
