/* SPDX-License-Identifier: ISC
 *
 * What the files of readings.h share: readings.c goes over the layers and the rules,
 * readings_leaf.c over the ways to decode one part. */
#ifndef SCANNER_READINGS_INSIDE_H
#define SCANNER_READINGS_INSIDE_H

#include "scanner/readings.h"

/* Bytes that are read as a message: the message itself, a copy of it with other line ends, or what
 * an encoded part holds. */
struct layer {
	struct span bytes;
	struct buf owned;  /* the bytes, but for the message itself */
	bool is_whole;     /* offsets are those of the message */
	size_t start, end; /* else all of it was read from there */
	uint32_t depth;
};

/* A leaf that was read already. */
struct range {
	size_t layer, start, end;
	enum mime_encoding encoding;
};

struct readings {
	struct span message;
	const struct reading_to *to;
	size_t count, bytes;
	size_t looked; /* bytes gone over to find and decode files in text */
	bool is_cut;
	struct layer layers[READINGS_LAYERS_MAX];
	size_t layer_count;
	struct range *ranges;
	size_t range_count;
};

/* Where a reading comes from, and why. */
struct origin {
	const struct layer *layer;
	size_t start, end; /* offsets into the layer */
	const char *why;
};

/* Hand one on, unless it is empty or too much. */
int readings_give(struct readings *readings, const struct origin *origin,
	struct span bytes, struct err *err);

/* One more message to be read: head and bytes behind each other, copied. Too many or too deep: the
 * readings are cut. */
int readings_add_layer(struct readings *readings, const struct origin *origin,
	const char *head, struct span bytes, struct err *err);

/* A leaf in all the ways that there is doubt about. is_known: its decoded bytes need not be given.
 * is_doubtful: try what nothing hints at, too. */
struct leaf {
	size_t layer;
	const struct mime_part *part;
	bool is_known, is_doubtful;
};
int readings_leaf(struct readings *readings, const struct leaf *leaf, struct err *err);

/* The files embedded in a text (uuencode, ...). */
int readings_text(struct readings *readings, const struct origin *origin,
	struct span text, struct err *err);

#endif
