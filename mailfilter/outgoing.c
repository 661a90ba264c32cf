/* SPDX-License-Identifier: ISC */
#include "mailfilter/outgoing.h"

#include "mailfilter/notice.h"

static int apply_edits(struct message *message)
{
	body_done(&message->cleaned);
	body_init(&message->cleaned, message->body.dir,
		message->body.max + EDITS_BYTES_MAX);
	return edits_apply_body(&message->verdict.edits, &message->body,
		&message->cleaned, &message->err);
}

int outgoing_make(struct message *message, const struct account_settings *account)
{
	switch (message->action) {
	case ACTION_CLEAN:
		return apply_edits(message);
	case ACTION_TAG:
		/* In place it is marked by a keyword, and not one byte changes. */
		return account->deliver_kind == DELIVER_INPLACE
			       ? 0
			       : notice_tag(message, &message->err);
	case ACTION_QUARANTINE:
	case ACTION_PARK:
		return notice_write(message, account->name, account->inplace_quarantine,
			&message->err);
	case ACTION_NONE:
	case ACTION_DELIVER:
	case ACTION_HOLD:
		break;
	}
	return 0;
}

bool outgoing_keeps_original(const struct message *message)
{
	return message->action == ACTION_CLEAN || message->action == ACTION_QUARANTINE;
}
