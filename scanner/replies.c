/* SPDX-License-Identifier: ISC */
#include "scanner/replies.h"

#include <stdio.h>

#include "common/log.h"

int replies_send(struct replies *replies, const struct link_peer *peer,
	const struct wire_message *message)
{
	auto_buf struct buf head = { .max = WIRE_HEAD_MAX };
	struct err err = { 0 };

	if (wire_encode(message, &head, &err) < 0) {
		log_error("cannot answer: %s", err.text);
		return -1;
	}
	if (link_send(replies->link, peer, buf_span(&head), false, (struct span){ 0 },
		    &err) == 0)
		return 1;
	if (err.kind == ERR_AGAIN) {
		replies->blocked = true;
		return 0;
	}
	log_debug("%s", err.text);
	return -1;
}

static int send_refusal(struct replies *replies, const struct refusal *refusal)
{
	struct wire_message message = {
		.type = WIRE_REFUSE, .id = refusal->id, .refusal = refusal->why
	};

	(void)snprintf(message.text, sizeof(message.text), "%s", refusal->text);
	return replies_send(replies, &refusal->peer, &message);
}

void replies_refuse(struct replies *replies, const struct link_peer *peer, uint64_t id,
	enum wire_refusal why, const char *text)
{
	struct refusal refusal = { .peer = *peer, .id = id, .why = why };

	(void)snprintf(refusal.text, sizeof(refusal.text), "%.255s", text);
	if (send_refusal(replies, &refusal) == 0 &&
		replies->kept_count < REPLIES_KEPT_MAX)
		replies->kept[replies->kept_count++] = refusal;
}

void replies_again(struct replies *replies)
{
	size_t left = 0;

	replies->blocked = false;
	for (size_t i = 0; i < replies->kept_count; i++)
		if (send_refusal(replies, &replies->kept[i]) == 0)
			replies->kept[left++] = replies->kept[i];
	replies->kept_count = left;
}
