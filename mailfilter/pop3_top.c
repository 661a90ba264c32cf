/* SPDX-License-Identifier: ISC
 *
 * Headers, by TOP, to tell messages that the server does not. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "mailfilter/pop3.h"

enum {
	FIELD_MAX = 16,        /* enough of a line to tell what it is */
	HASHED_MAX = 64 * 1024 /* of one header */
};

/* What servers over an mbox put into a header, or change there. */
static const char *const changing[] = { "Status:", "X-Status:", "X-UIDL:", "X-Keywords:",
	"X-IMAP:", "X-IMAPbase:", "Lines:" };

/* A header on its way: the start of each line is held back until it tells whether it counts. */
struct header {
	struct hasher hasher;
	size_t hashed;
	uint8_t start[FIELD_MAX];
	size_t start_len;
	bool judged, skipped; /* the present line */
};

static bool is_changing(const struct header *header)
{
	for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++) {
		size_t len = strlen(changing[i]);

		if (header->start_len >= len &&
			strncasecmp((const char *)header->start, changing[i], len) == 0)
			return true;
	}
	return false;
}

static int add(struct header *header, struct span bytes, struct err *err)
{
	struct span part = span_part(bytes, 0, HASHED_MAX - header->hashed);

	if (header->skipped || part.len == 0)
		return 0;
	header->hashed += part.len;
	return hasher_add(&header->hasher, part, err);
}

/* A folded line goes the way of the one before it. */
static int judge(struct header *header, struct err *err)
{
	if (header->start_len > 0 && header->start[0] != ' ' && header->start[0] != '\t')
		header->skipped = is_changing(header);
	header->judged = true;
	return add(header, (struct span){ header->start, header->start_len }, err);
}

static int take_byte(struct header *header, uint8_t c, struct err *err)
{
	if (header->judged) {
		if (add(header, (struct span){ &c, 1 }, err) < 0)
			return -1;
	} else {
		header->start[header->start_len++] = c;
		if ((c == '\n' || header->start_len == FIELD_MAX) &&
			judge(header, err) < 0)
			return -1;
	}
	if (c == '\n') {
		header->judged = false;
		header->start_len = 0;
	}
	return 0;
}

static int read_header(struct pop3 *pop3, struct header *header, struct err *err)
{
	struct pop3_body body = { 0 };
	struct span piece;
	int more;

	while ((more = pop3_body_next(pop3, &body, &piece, err)) > 0)
		for (size_t i = 0; i < piece.len; i++)
			if (take_byte(header, piece.data[i], err) < 0)
				return -1;
	if (more < 0)
		return -1;
	return header->judged ? 0 : judge(header, err);
}

/* One answer. 1: hashed; 0: -ERR. */
static int read_top(struct pop3 *pop3, struct hash *hash_r, struct err *err)
{
	struct header header = { 0 };
	int result = pop3_answer(pop3, err);

	if (result <= 0)
		return result;
	result = hasher_init(&header.hasher, err);
	if (result == 0)
		result = read_header(pop3, &header, err);
	if (result == 0)
		hasher_result(&header.hasher, hash_r);
	hasher_done(&header.hasher);
	return result < 0 ? -1 : 1;
}

static int read_window(struct pop3 *pop3, const uint32_t *numbers, size_t count,
	struct hash *hashes_r, bool *any_r, struct err *err)
{
	stream_begin(pop3->stream);
	for (size_t i = 0; i < count; i++)
		if (pop3_send(pop3, err, "TOP %" PRIu32 " 0", numbers[i]) < 0)
			return -1;
	if (pop3_flush(pop3, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		int result = read_top(pop3, &hashes_r[i], err);

		if (result < 0)
			return -1;
		*any_r = *any_r || result > 0;
	}
	return 0;
}

int pop3_tops(struct pop3 *pop3, const uint32_t *numbers, size_t count,
	struct hash *hashes_r, struct err *err)
{
	bool any = false;

	/* The first alone: a server without TOP is asked but once. */
	for (size_t at = 0, part = 1; at < count; at += part) {
		if (at > 0)
			part = pop3->pipelining ? POP3_WINDOW_COUNT : 1;
		if (part > count - at)
			part = count - at;
		if (read_window(pop3, numbers + at, part, hashes_r + at, &any, err) < 0)
			return -1;
		if (!any)
			return 0;
	}
	return 1;
}
