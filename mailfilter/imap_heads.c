/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "mailfilter/imap.h"

/* What was asked for, and the one whose bytes come now. */
struct heads {
	const struct source_item *items;
	size_t count, next; /* the one expected: servers answer in order, as a rule */
	struct head *heads;
	struct head_reader reader;
};

static int take_bytes(void *arg, struct span bytes, struct err *err)
{
	struct heads *heads = arg;

	return head_add(&heads->reader, bytes, err);
}

static int take_head(
	void *arg, const char *uid, enum source_outcome outcome, struct err *err)
{
	struct heads *heads = arg;
	struct head head = head_result(&heads->reader);

	(void)err;
	for (size_t i = 0; i < heads->count && outcome == SOURCE_FETCHED; i++) {
		size_t at = (heads->next + i) % heads->count;

		if (strcmp(heads->items[at].uid, uid) != 0)
			continue;
		heads->heads[at] = head;
		heads->next = at + 1;
		break;
	}
	return 0;
}

int imap_heads(struct source *source, const struct source_item *items, size_t count,
	struct head *heads_r, struct err *err)
{
	struct heads heads = { .items = items, .count = count, .heads = heads_r };
	const struct source_sink sink = {
		.data = take_bytes, .done = take_head, .arg = &heads
	};
	char what[40];
	int result = head_init(&heads.reader, err);

	memset(heads_r, 0, count * sizeof(*heads_r));
	(void)snprintf(what, sizeof(what), "BODY.PEEK[]<0.%d>", HEAD_BYTES);
	if (result == 0)
		result = imap_fetch_what(
			(struct imap *)source, what, items, count, &sink, err);
	head_done(&heads.reader);
	return result;
}
