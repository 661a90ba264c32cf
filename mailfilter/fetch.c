/* SPDX-License-Identifier: ISC */
#include "mailfilter/fetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

struct message *fetch_message(const struct fetch *fetch, const char *folder,
	uint32_t uidvalidity, const struct source_item *item,
	const struct record_row *known)
{
	struct message *message = message_new(fetch->spool, fetch->message_max);
	char why[MESSAGE_REASON_MAX];

	if (!message)
		return NULL;
	(void)snprintf(message->key.folder, sizeof(message->key.folder), "%s", folder);
	message->key.uidvalidity = uidvalidity;
	memcpy(message->key.uid, item->uid, sizeof(message->key.uid));
	message->number = item->number;
	message->size = message->listed_size = item->size;
	message->date_s = item->date_s;
	message->listed_ms = clock_ms();
	deliver_new_name(fetch->owner, message->name);
	quarantine_new_id(message->quarantine_id);
	if (known && known->state == RECORD_INTENT) {
		/* Under the name of its first try: shown twice is shown once. */
		message->repeat = true;
		memcpy(message->name, known->name, sizeof(message->name));
		if (known->quarantine_id[0])
			memcpy(message->quarantine_id, known->quarantine_id,
				sizeof(message->quarantine_id));
		message->folder_fixed = known->target_known;
		memcpy(message->folder, known->target, sizeof(message->folder));
	}
	if (known) {
		message->suspect = strcmp(known->judged, MESSAGE_JUDGED_AGAIN) == 0;
		message->attempts = known->attempts;
		message->head = known->head;
	}
	message->since_s = known && known->since_s ? known->since_s : clock_wall_s();
	if (item->size > fetch->message_max) {
		(void)snprintf(why, sizeof(why),
			"%" PRIu64 " bytes, over the limit (message-max) of %" PRIu64,
			item->size, fetch->message_max);
		message_park(message, why);
	}
	return message;
}

static int take_bytes(void *arg, struct span bytes, struct err *err)
{
	struct fetch *fetch = arg;

	if (head_add(&fetch->head, bytes, err) < 0)
		return -1;
	/* A body that cannot be kept costs its message, not the session: the rest of it is read
	 * and dropped. */
	if (fetch->arriving_err.kind == ERR_NONE)
		(void)body_add(&fetch->arriving, bytes, &fetch->arriving_err);
	return 0;
}

static void next_arrival(struct fetch *fetch)
{
	(void)head_result(&fetch->head);
	body_done(&fetch->arriving);
	body_init(&fetch->arriving, fetch->spool, fetch->message_max + BODY_MEMORY_MAX);
	body_set_memory(&fetch->arriving, pipeline_memory(fetch->pipeline));
	fetch->arriving_err.kind = ERR_NONE;
}

/* The expected message of this UID, taken out; NULL if it was not asked for or came before. */
static struct message *take_expected(struct fetch *fetch, const char *uid)
{
	struct message *found = NULL;

	for (size_t i = fetch->next; i < fetch->count && !found; i++)
		if (fetch->expected[i] && strcmp(fetch->expected[i]->key.uid, uid) == 0)
			found = take_ptr(&fetch->expected[i]);
	while (fetch->next < fetch->count && !fetch->expected[fetch->next])
		fetch->next++;
	return found;
}

static void arrived(struct fetch *fetch, struct message *message)
{
	message->head = head_result(&fetch->head);
	if (fetch->arriving_err.kind == ERR_MESSAGE ||
		fetch->arriving.size > fetch->message_max) {
		message_park(message,
			"larger than the server said, and over the limit (message-max)");
		return;
	}
	if (fetch->arriving.size == 0 && fetch->arriving_err.kind == ERR_NONE) {
		message_park(message, "the server lists it and gives an empty message");
		return;
	}
	message->err = fetch->arriving_err;
	message->size = fetch->arriving.size;
	message->stage = STAGE_FETCHED;
	body_done(&message->body);
	body_move(&message->body, &fetch->arriving);
}

static int take_message(
	void *arg, const char *uid, enum source_outcome outcome, struct err *err)
{
	struct fetch *fetch = arg;
	struct message *message = NULL;

	if (outcome != SOURCE_DISCARD)
		message = take_expected(fetch, uid);
	if (message) {
		switch (outcome) {
		case SOURCE_FETCHED:
			arrived(fetch, message);
			break;
		case SOURCE_NIL:
			message_park(message, "the server lists it and gives no content");
			break;
		case SOURCE_ABSENT:
		case SOURCE_DISCARD:
			log_info("account=%s uid=%s vanished before it was fetched",
				fetch->pipeline->tools.account->name, uid);
			message_free(take_ptr(&message));
			break;
		}
	}
	next_arrival(fetch);
	if (message)
		pipeline_add(fetch->pipeline, &message);
	return pipeline_make_room(fetch->pipeline, err);
}

int fetch_chunk(struct fetch *fetch, struct source *source,
	const struct source_item *items, struct message **messages, size_t count,
	struct err *err)
{
	struct source_sink sink = {
		.data = take_bytes, .done = take_message, .arg = fetch
	};
	int result = head_init(&fetch->head, err);

	fetch->expected = messages;
	fetch->count = count;
	fetch->next = 0;
	fetch->missing[0] = '\0';
	if (result == 0) {
		next_arrival(fetch);
		result = source->ops->fetch(source, items, count, &sink, err);
		body_done(&fetch->arriving);
	}
	head_done(&fetch->head);
	if (fetch->next < count && messages[fetch->next])
		memcpy(fetch->missing, messages[fetch->next]->key.uid, MESSAGE_UID_MAX);
	for (size_t i = 0; i < count; i++)
		message_free(take_ptr(&messages[i]));
	fetch->expected = NULL;
	fetch->count = fetch->next = 0;
	return result;
}
