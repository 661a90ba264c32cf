/* SPDX-License-Identifier: ISC */
#include "mailfilter/message.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	MARK_BYTES_MAX =
		4096 /* the header fields that mark a changed or tagged message */
};

struct message *message_new(const char *dir, uint64_t max)
{
	struct message *message = calloc(1, sizeof(*message));

	if (!message)
		return NULL;
	message->stage = STAGE_LISTED;
	body_init(&message->body, dir, max);
	/* What comes in at the limit must also go out, with all that may be put into it. */
	body_init(&message->cleaned, dir, max + EDITS_BYTES_MAX + MARK_BYTES_MAX);
	return message;
}

void message_free(struct message *message)
{
	if (!message)
		return;
	body_done(&message->body);
	body_done(&message->cleaned);
	verdict_done(&message->verdict);
	free(message);
}

void message_park(struct message *message, const char *why)
{
	message->action = ACTION_PARK;
	message->stage = STAGE_SCANNED;
	(void)snprintf(message->reason, sizeof(message->reason), "%s", why);
}

const char *message_stage_name(enum stage stage)
{
	switch (stage) {
	case STAGE_LISTED:
		return "listed";
	case STAGE_FETCHED:
		return "fetched";
	case STAGE_JUDGED:
		return "judged";
	case STAGE_SENT:
		return "sent";
	case STAGE_SCANNED:
		return "scanned";
	case STAGE_QUARANTINED:
		return "quarantined";
	case STAGE_DELIVERED:
		return "delivered";
	case STAGE_RECORDED:
		return "recorded";
	case STAGE_SETTLED:
		return "settled";
	}
	return "unknown";
}

const char *message_action_name(enum action action)
{
	switch (action) {
	case ACTION_NONE:
		return "none";
	case ACTION_DELIVER:
		return "delivered";
	case ACTION_CLEAN:
		return "cleaned";
	case ACTION_TAG:
		return "tagged";
	case ACTION_QUARANTINE:
		return "quarantined";
	case ACTION_PARK:
		return "parked";
	case ACTION_HOLD:
		return "held";
	}
	return "unknown";
}
