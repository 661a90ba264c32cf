/* SPDX-License-Identifier: ISC */
#include "mailfilter/reply.h"

static int wrong(struct err *err, const char *what)
{
	return err_set(err, ERR_MESSAGE, "%s", what);
}

static int check_message_hash(
	const struct body *message, const struct verdict *verdict, struct err *err)
{
	struct hash hash;

	if (body_hash(message, &hash, err) < 0)
		return -1;
	if (!hash_equal(&hash, &verdict->message))
		return wrong(err, "it is about other bytes than were sent");
	return 0;
}

static int hash_piece(void *arg, struct span piece, struct err *err)
{
	return hasher_add(arg, piece, err);
}

/* The hash of the edited message, without making it. Checked edits only. */
static int hash_edited(const struct body *message, const struct edits *edits,
	struct hash *hash_r, struct err *err)
{
	auto_hasher struct hasher hasher = { 0 };

	if (hasher_init(&hasher, err) < 0 ||
		edits_each(edits, message, hash_piece, &hasher, err) < 0)
		return -1;
	hasher_result(&hasher, hash_r);
	return 0;
}

static int check_edits(
	const struct body *message, struct verdict *verdict, struct err *err)
{
	struct hash hash;

	if (verdict->finding_count == 0)
		return wrong(err, "infected, but nothing was found");
	if (verdict->edits.count == 0)
		return wrong(err, "infected, but nothing is taken out");
	edits_sort(&verdict->edits);
	if (edits_check(&verdict->edits, message->size, err) < 0 ||
		hash_edited(message, &verdict->edits, &hash, err) < 0)
		return -1;
	if (!hash_equal(&hash, &verdict->cleaned))
		return wrong(
			err, "its edits do not give the message that it scanned clean");
	if (hash_equal(&hash, &verdict->message))
		return wrong(err, "infected, but its edits change nothing");
	return 0;
}

int reply_check(const struct body *message, struct verdict *verdict, struct err *err)
{
	bool edited = verdict->edits.count > 0;

	switch (verdict->kind) {
	case VERDICT_RETRY:
		return edited ? wrong(err, "no verdict, but edits") : 0;
	case VERDICT_CLEAN:
		if (edited)
			return wrong(err, "clean, but with edits");
		if (verdict->reason != REASON_NONE)
			return wrong(err, "clean, but with a reason why it is not");
		return check_message_hash(message, verdict, err);
	case VERDICT_UNSCANNABLE:
		if (edited)
			return wrong(err, "unscannable, but with edits");
		if (verdict->reason == REASON_NONE)
			return wrong(err, "unscannable without a reason");
		return check_message_hash(message, verdict, err);
	case VERDICT_INFECTED:
		if (check_message_hash(message, verdict, err) < 0)
			return -1;
		return check_edits(message, verdict, err);
	}
	return wrong(err, "it is no verdict");
}
