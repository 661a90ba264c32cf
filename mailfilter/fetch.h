/* SPDX-License-Identifier: ISC
 *
 * From a listing to messages in the pipeline: asks a source for a chunk of messages and takes
 * the bytes as they come. What a server says is checked here once more: only a message that was
 * asked for counts, once, up to its limit. */
#ifndef MAILFILTER_FETCH_H
#define MAILFILTER_FETCH_H

#include "mailfilter/pipeline.h"
#include "mailfilter/source.h"

struct fetch {
	struct pipeline *pipeline;
	const char *owner; /* of the names of deliveries */
	const char *spool; /* where bodies over their memory limit go */
	uint64_t message_max;
	struct message **expected; /* asked for and not here yet, in the order asked */
	size_t count, next;        /* all of them; the first that is not here */
	struct body arriving;      /* of the message whose bytes come now */
	struct head_reader head;   /* of the same */
	struct err arriving_err;   /* why they are not kept, or ERR_NONE */
	char missing
		[MESSAGE_UID_MAX]; /* of the last chunk, the first that did not come */
};

/* A message for an item of a listing, with what the record knows of it (NULL: nothing). One
 * over the limit comes ready to be parked. NULL: no memory. */
struct message *fetch_message(const struct fetch *fetch, const char *folder,
	uint32_t uidvalidity, const struct source_item *item,
	const struct record_row *known);

/* Fetch these (owned by the fetch from here on), which stand for these items, into the pipeline.
 * On failure those that did not come are forgotten, and `missing` names the first of them. */
int fetch_chunk(struct fetch *fetch, struct source *source,
	const struct source_item *items, struct message **messages, size_t count,
	struct err *err);

#endif
