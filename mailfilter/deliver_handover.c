/* SPDX-License-Identifier: ISC */
#include "mailfilter/deliver_handover.h"

#include <stddef.h>
#include <string.h>

#include "common/clock.h"

#include "mailfilter/envelope.h"

static struct handover *of(struct deliver *deliver)
{
	return (struct handover *)((char *)deliver - offsetof(struct handover, deliver));
}

static struct body *outgoing(struct message *message)
{
	return message->cleaned.size > 0 ? &message->cleaned : &message->body;
}

/* Nothing more is tried for a while. */
static void note_down(struct handover *handover, const struct err *why)
{
	handover->lost = 0;
	handover->down = *why;
	if (why->kind == ERR_AGAIN)
		handover->down.kind = ERR_AWAY;
	handover->down_until_ms = clock_ms() + HANDOVER_DOWN_MS;
}

/* One message may be to blame for its own; to wait for each of many would take too long. */
static void count_lost(struct handover *handover, const struct err *why)
{
	if (++handover->lost >= HANDOVER_LOST_MAX)
		note_down(handover, why);
}

/* Is it worth trying? Not while the destination is known to be away, nor once we are to stop. */
static int check_open(struct handover *handover, struct err *err)
{
	if (clock_ms() < handover->down_until_ms) {
		const struct err *why = &handover->down;

		return err_set(
			err, why->kind, "nothing more is tried now: %s", why->text);
	}
	if (handover->wait.wait(handover->wait.arg, -1, 0, 0, err) < 0 ||
		sent_catch_up(&handover->sent, err) < 0)
		return -1;
	return 0;
}

static int check_doubt(
	const struct handover *handover, const struct message *message, struct err *err)
{
	const struct sent_doubt *doubt = sent_find_doubt(&handover->sent, message->name);
	char when[CLOCK_TEXT_MAX];

	if (!doubt || doubt->count < 2 ||
		clock_wall_s() - doubt->last_s >= HANDOVER_AGAIN_S)
		return 0;
	return err_set(err, ERR_AGAIN,
		"sent %u times to its end without an answer, so it may be there already; "
		"it is sent again after %s",
		(unsigned)doubt->count,
		clock_iso(doubt->last_s + HANDOVER_AGAIN_S, when));
}

static int ask(
	struct deliver *deliver, const char *folder, uint64_t *room_r, struct err *err)
{
	struct handover *handover = of(deliver);
	struct err why = { 0 };

	(void)folder;
	if (!handover->ops->ready)
		return 0;
	if (handover->wait.wait(handover->wait.arg, -1, 0, 0, err) < 0)
		return -1;
	/* Once for all folders of the account: a login that is refused is not for many tries. */
	if (clock_ms() >= handover->down_until_ms) {
		if (handover->ops->ready(handover, &why) == 0) {
			*room_r = handover->ops->room(handover);
			return 1;
		}
		note_down(handover, &why);
	}
	if (err)
		*err = handover->down;
	return -1;
}

/* Nothing can be written before it is shown; but where nothing can be shown it is held at once,
 * before there is an intent. */
static int write_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct handover *handover = of(deliver);
	struct err why = { 0 };

	if (message->repeat && names_have(&handover->sent.names, message->name))
		return 1;
	if (check_doubt(handover, message, err) < 0 || check_open(handover, err) < 0)
		return -1;
	if (!handover->ops->ready || handover->ops->ready(handover, &why) == 0)
		return 0;
	note_down(handover, &why);
	if (err)
		*err = handover->down;
	return -1;
}

static int sync_all(struct deliver *deliver, struct err *err)
{
	(void)deliver;
	(void)err;
	return 0;
}

static enum handover_result give(
	struct handover *handover, struct message *message, struct err *err)
{
	struct body *body = outgoing(message);
	char sender[ENVELOPE_SENDER_MAX];
	struct span bytes;

	if (check_open(handover, err) < 0 || body_span(body, &bytes, err) < 0)
		return HANDOVER_REFUSED;
	envelope_sender(handover->account->sender, bytes, sender);
	return handover->ops->give(handover, body, sender, err);
}

static int show_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct handover *handover = of(deliver);
	struct err why = { 0 };

	switch (give(handover, message, &why)) {
	case HANDOVER_TAKEN:
		/* That this is not durable costs a repeat after a crash; it is made good
		 * before the next one goes out. */
		(void)sent_note(&handover->sent, message->name, NULL);
		handover->lost = 0;
		return 0;
	case HANDOVER_DOUBT:
		(void)sent_note_doubt(
			&handover->sent, message->name, clock_wall_s(), NULL);
		count_lost(handover, &why);
		break;
	case HANDOVER_LOST:
		count_lost(handover, &why);
		break;
	case HANDOVER_DOWN:
		note_down(handover, &why);
		why.kind = handover->down.kind;
		break;
	case HANDOVER_REFUSED:
		handover->lost = 0;
		break;
	}
	/* In doubt now or since an earlier try: what is known of it is known by its name. */
	if (!sent_find_doubt(&handover->sent, message->name))
		message->repeat = false;
	if (err)
		*err = why;
	return -1;
}

static void forget_one(struct deliver *deliver, const char *name)
{
	sent_forget(&of(deliver)->sent, name);
}

static int each_leftover(struct deliver *deliver,
	int (*each)(void *arg, const char *name, struct err *err), void *arg,
	struct err *err)
{
	const struct names *names = &of(deliver)->sent.names;

	/* From behind: what is forgotten meanwhile is behind, too. */
	for (size_t i = names->count; i > 0; i--) {
		char name[MESSAGE_NAME_MAX];

		memcpy(name, names->items[i - 1], sizeof(name));
		if (each(arg, name, err) < 0)
			return -1;
	}
	return 0;
}

static void discard_one(struct deliver *deliver, struct message *message)
{
	(void)deliver;
	(void)message;
}

static void close_all(struct deliver *deliver)
{
	struct handover *handover = of(deliver);

	handover->ops->close(handover);
	sent_close(&handover->sent);
	free(handover);
}

static const struct deliver_ops ops = {
	.ask = ask,
	.write = write_one,
	.sync = sync_all,
	.show = show_one,
	.shown = sync_all,
	.forget = forget_one,
	.leftovers = each_leftover,
	.discard = discard_one,
	.close = close_all,
};

int handover_open(struct handover *handover, const struct handover_ops *handover_ops,
	const struct deliver_tools *tools, struct err *err)
{
	handover->deliver =
		(struct deliver){ .ops = &ops, .batch_max = HANDOVER_BATCH_MAX };
	handover->ops = handover_ops;
	handover->account = tools->account;
	handover->wait = *tools->wait;
	return sent_open(tools->dir, &handover->sent, err);
}
