/* SPDX-License-Identifier: ISC
 *
 * Delivery to a server, by LMTP or SMTP. The session stays open between two messages, for as long
 * as servers are known to wait. */
#include <string.h>

#include "common/clock.h"

#include "mailfilter/deliver_handover.h"
#include "mailfilter/smtp.h"

enum {
	IDLE_MS = 30 * 1000 /* then it is opened anew: some servers wait no longer */
};

struct deliver_smtp {
	struct handover handover;
	struct smtp smtp;
	int64_t used_ms;
};

static int ready(struct handover *handover, struct err *err)
{
	struct deliver_smtp *own = (struct deliver_smtp *)handover;

	if (smtp_is_open(&own->smtp) && clock_ms() - own->used_ms < IDLE_MS)
		return 0;
	smtp_close(&own->smtp);
	own->used_ms = clock_ms();
	if (smtp_open(&own->smtp, handover->account, &handover->wait, err) == 0)
		return 0;
	smtp_close(&own->smtp);
	if (err && err->kind == ERR_AGAIN)
		(void)err_wrap(err, "the server of `deliver` is not to be had");
	return -1;
}

static uint64_t room(const struct handover *handover)
{
	const struct deliver_smtp *own = (const struct deliver_smtp *)handover;

	return own->smtp.size_max > 0 ? own->smtp.size_max : UINT64_MAX;
}

static enum handover_result give(
	struct handover *handover, struct body *body, const char *sender, struct err *err)
{
	struct deliver_smtp *own = (struct deliver_smtp *)handover;

	if (ready(handover, err) < 0)
		return HANDOVER_DOWN;
	own->used_ms = clock_ms();
	switch (smtp_send(&own->smtp, body, sender, err)) {
	case SMTP_TAKEN:
		return HANDOVER_TAKEN;
	case SMTP_DOUBT:
		(void)err_wrap(err, "sent to its end, and it may have been taken");
		return HANDOVER_DOUBT;
	case SMTP_LOST:
		return HANDOVER_LOST;
	case SMTP_REFUSED:
		break;
	}
	return HANDOVER_REFUSED;
}

static void close_session(struct handover *handover)
{
	smtp_close(&((struct deliver_smtp *)handover)->smtp);
}

static const struct handover_ops ops = {
	.ready = ready, .room = room, .give = give, .close = close_session
};

int deliver_smtp_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err)
{
	struct deliver_smtp *own = calloc(1, sizeof(*own));

	if (!own)
		return err_memory(err);
	own->smtp.link.fd = -1;
	if (handover_open(&own->handover, &ops, tools, err) < 0) {
		free(own);
		return -1;
	}
	*deliver_r = &own->handover.deliver;
	return 0;
}
