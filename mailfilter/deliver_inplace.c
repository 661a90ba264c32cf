/* SPDX-License-Identifier: ISC
 *
 * Mail stays where it is. What is changed or kept back is replaced: the copy is put beside the
 * original over a session of its own, found there, and recorded; then settle removes the original.
 * Until it is found the copy counts as not there, whatever the server said of it: so servers with
 * and without UIDPLUS go the same way, and so does what a crash cut off. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/parse.h"

#include "mailfilter/deliver.h"
#include "mailfilter/imap_place.h"
#include "mailfilter/inplace_journal.h"

enum {
	DOWN_MS = 30 * 1000,    /* where no session can be had, so long none is tried */
	LOST_MAX = 2,           /* of them in a row, then it counts as such */
	HEAD_BYTES = 64 * 1024, /* of a copy, where its token must stand */
	/* Until what the server does not show is not there: where we died, it may just be at it; where
	 * the connection was lost, it may be slow; where it said that it has it, it is odd. */
	DIED_S = 3,
	DOUBT_S = 5 * 60,
	TAKEN_S = 24 * 3600,
	STALE_S = 30 * 24 * 3600, /* a folder that cannot be opened for so long is gone */
};

struct deliver_inplace {
	struct deliver deliver;
	struct stream_wait wait;
	struct imap_place *place;
	struct inplace_journal journal;
	unsigned lost;         /* in a row */
	int64_t down_until_ms; /* for this reason */
	struct err down;
};

static struct deliver_inplace *of(struct deliver *deliver)
{
	return (struct deliver_inplace *)((char *)deliver -
					  offsetof(struct deliver_inplace, deliver));
}

static void note_down(struct deliver_inplace *own, const struct err *why)
{
	own->lost = 0;
	own->down = *why;
	own->down_until_ms = clock_ms() + DOWN_MS;
}

static void note_lost(struct deliver_inplace *own, const struct err *why)
{
	if (++own->lost >= LOST_MAX)
		note_down(own, why);
}

/* Whatever is wrong there, this message is held: the other session goes on, and says it if the
 * account cannot. */
static int hold(struct err *why, struct err *err)
{
	if (why->kind != ERR_FATAL)
		why->kind = ERR_AGAIN;
	if (err)
		*err = *why;
	return -1;
}

static int enter(struct deliver_inplace *own, const char *folder, uint32_t *uidvalidity,
	uint32_t *uidnext_r, struct err *err)
{
	struct err why = { 0 };

	if (clock_ms() < own->down_until_ms)
		return err_set(
			err, ERR_AGAIN, "nothing more is tried now: %s", own->down.text);
	if (own->wait.wait(own->wait.arg, -1, 0, 0, err) < 0)
		return -1;
	if (imap_place_enter(own->place, folder, uidvalidity, uidnext_r, &why) == 0)
		return 0;
	(void)err_wrap(&why, "in place");
	if (!imap_place_is_open(own->place))
		note_down(own, &why);
	return hold(&why, err);
}

/* Look for the copy of an entry. 1: it is there; 0: it is not, nor in the entry's time; -1: that is
 * not known. */
static int look_for(
	struct deliver_inplace *own, struct inplace_entry *entry, struct err *err)
{
	uint32_t uidvalidity = 0, uidnext, uid = 0;
	struct err why = { 0 };
	int found;

	if (enter(own, entry->folder, &uidvalidity, &uidnext, err) < 0)
		return -1;
	found = imap_place_find(own->place,
		uidvalidity == entry->uidvalidity ? entry->from_uid : 1, entry->token,
		&uid, &why);
	if (found < 0)
		return hold(&why, err);
	if (found > 0) {
		entry->uidvalidity = uidvalidity;
		entry->uid = uid;
	}
	return found;
}

/* The same, with patience. */
static int resolve(
	struct deliver_inplace *own, struct inplace_entry *entry, struct err *err)
{
	char when[CLOCK_TEXT_MAX];

	while (entry->uid == 0) {
		const int64_t left_s = entry->until_s - clock_wall_s();
		int found = look_for(own, entry, err);

		if (found != 0)
			return found;
		if (left_s <= 0)
			return 0;
		if (left_s > DIED_S)
			return err_set(err, ERR_AGAIN,
				"the copy may have been put into \"%.100s\", and the server "
				"does not show it; it is put there again if it is not seen "
				"until %s",
				entry->folder, clock_iso(entry->until_s, when));
		if (own->wait.wait(
			    own->wait.arg, -1, 0, clock_ms() + left_s * 1000, err) < 0)
			return -1;
	}
	return 1;
}

static bool is_replaced(const struct message *message)
{
	return message->action == ACTION_CLEAN || message->action == ACTION_QUARANTINE ||
	       message->action == ACTION_PARK;
}

/* Nothing can be written before it is shown; but where nothing can be shown it is held at once,
 * before there is an intent. */
static int write_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct deliver_inplace *own = of(deliver);
	struct inplace_entry *entry = inplace_journal_find(&own->journal, message->name);
	uint32_t uidvalidity = message->key.uidvalidity, uidnext;
	int found = 0;

	if (entry)
		found = resolve(own, entry, err);
	if (found < 0)
		return -1;
	if (found > 0) {
		message->placed_uidvalidity = entry->uidvalidity;
		message->placed_uid = entry->uid;
		return 1;
	}
	inplace_journal_drop(&own->journal, message->name);
	if (!is_replaced(message) && message->action != ACTION_TAG)
		return 0;
	return enter(own, message->key.folder, &uidvalidity, &uidnext, err);
}

static int do_nothing(struct deliver *deliver, struct err *err)
{
	(void)deliver;
	(void)err;
	return 0;
}

/* 1: the message is there still; 0: it has gone, and is not brought back. */
static int look(struct deliver_inplace *own, struct message *message, uint32_t *uidnext_r,
	struct imap_place_facts *facts, struct err *err)
{
	uint32_t uidvalidity = message->key.uidvalidity;
	struct err why = { 0 };
	int there;

	if (enter(own, message->key.folder, &uidvalidity, uidnext_r, err) < 0)
		return -1;
	there = imap_place_look(own->place, message->key.uid, facts, &why);
	if (there < 0)
		return hold(&why, err);
	if (there == 0)
		(void)snprintf(message->remark, sizeof(message->remark),
			"it has left its folder: nothing is changed there");
	return there;
}

static int make_entry(const struct message *message, uint32_t uidnext,
	struct inplace_entry *entry, struct err *err)
{
	uint64_t uid = 0;

	/* UIDs ascend, so a server that does not say UIDNEXT costs but time. */
	if (parse_number(message->key.uid, 1, UINT32_MAX - 1, &uid, err) < 0)
		return -1;
	*entry = (struct inplace_entry){ .uidvalidity = message->key.uidvalidity,
		.from_uid = uidnext > uid ? uidnext : (uint32_t)uid + 1,
		.until_s = clock_wall_s() + DIED_S };
	memcpy(entry->name, message->name, sizeof(entry->name));
	memcpy(entry->token, message->quarantine_id, sizeof(entry->token));
	memcpy(entry->folder, message->key.folder, sizeof(entry->folder));
	return 0;
}

/* What the server made of it. The entry is durable by now. */
static int conclude(struct deliver_inplace *own, struct message *message,
	enum imap_place_result result, struct err *why, struct err *err)
{
	struct inplace_entry *entry = inplace_journal_find(&own->journal, message->name);

	if (result == IMAP_PLACE_REFUSED || result == IMAP_PLACE_LOST) {
		if (result == IMAP_PLACE_LOST)
			note_lost(own, why);
		inplace_journal_drop(&own->journal, message->name);
		message->repeat = false;
		return hold(why, err);
	}
	if (result == IMAP_PLACE_DOUBT)
		note_lost(own, why);
	else
		own->lost = 0;
	entry->until_s =
		clock_wall_s() + (result == IMAP_PLACE_DOUBT ? DOUBT_S : TAKEN_S);
	if (resolve(own, entry, err) > 0) {
		message->placed_uidvalidity = entry->uidvalidity;
		message->placed_uid = entry->uid;
		return 0;
	}
	/* Should that fail, it is put once more after a crash, at worst. */
	(void)inplace_journal_save(&own->journal, NULL);
	return -1;
}

static int replace(struct deliver_inplace *own, struct message *message, struct err *err)
{
	struct imap_place_facts facts = { 0 };
	struct inplace_entry entry;
	struct err why = { 0 };
	enum imap_place_result result;
	struct span bytes;
	uint32_t uidnext = 0;
	int there;

	if (body_span(&message->cleaned, &bytes, err) < 0)
		return -1;
	/* By this alone it is found again. */
	if (span_find(span_part(bytes, 0, HEAD_BYTES), span_str(message->quarantine_id)) <
		0)
		return err_set(err, ERR_AGAIN,
			"the cleaned copy has no X-Quarantine-ID: is the scanner of this "
			"version?");
	there = look(own, message, &uidnext, &facts, err);
	if (there <= 0)
		return there;
	if (make_entry(message, uidnext, &entry, err) < 0 ||
		inplace_journal_put(&own->journal, &entry, err) < 0)
		return -1;
	result = imap_place_put(own->place, entry.folder, &facts, bytes, &why);
	return conclude(own, message, result, &why, err);
}

static int mark(struct deliver_inplace *own, struct message *message, struct err *err)
{
	const char *keyword = message->verdict.kind == VERDICT_INFECTED
				      ? DELIVER_INPLACE_INFECTED
				      : DELIVER_INPLACE_UNSCANNABLE;
	struct imap_place_facts facts = { 0 };
	struct err why = { 0 };
	uint32_t uidnext;
	int done = look(own, message, &uidnext, &facts, err);

	if (done <= 0)
		return done;
	done = imap_place_mark(own->place, message->key.uid, keyword, &why);
	if (done < 0)
		return hold(&why, err);
	if (done == 0)
		(void)snprintf(message->remark, sizeof(message->remark),
			"not marked: %.230s", why.text);
	return 0;
}

static int show_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct deliver_inplace *own = of(deliver);

	if (is_replaced(message))
		return replace(own, message, err);
	if (message->action == ACTION_TAG)
		return mark(own, message, err);
	return 0;
}

static void forget_one(struct deliver *deliver, const char *name)
{
	inplace_journal_drop(&of(deliver)->journal, name);
}

static int each_leftover(struct deliver *deliver,
	int (*each)(void *arg, const char *name, struct err *err), void *arg,
	struct err *err)
{
	const struct inplace_journal *journal = &of(deliver)->journal;

	/* From behind: what is forgotten meanwhile is behind, too. */
	for (size_t i = journal->count; i > 0; i--) {
		char name[MESSAGE_NAME_MAX];

		memcpy(name, journal->entries[i - 1].name, sizeof(name));
		if (each(arg, name, err) < 0)
			return -1;
	}
	return 0;
}

static int each_placed(struct deliver *deliver,
	int (*each)(void *arg, const struct deliver_placed *placed, struct err *err),
	void *arg, struct err *err)
{
	struct deliver_inplace *own = of(deliver);

	for (size_t i = own->journal.count; i > 0; i--) {
		struct inplace_entry *entry = &own->journal.entries[i - 1];
		struct deliver_placed placed = { 0 };
		char name[MESSAGE_NAME_MAX];
		struct err ignored = { 0 };
		int found = resolve(own, entry, &ignored);

		memcpy(name, entry->name, sizeof(name));
		if (found == 0 ||
			(found < 0 && entry->until_s + STALE_S < clock_wall_s()))
			inplace_journal_drop(&own->journal, name);
		if (found <= 0)
			continue;
		placed.name = name;
		placed.key.uidvalidity = entry->uidvalidity;
		memcpy(placed.key.folder, entry->folder, sizeof(placed.key.folder));
		(void)snprintf(
			placed.key.uid, sizeof(placed.key.uid), "%" PRIu32, entry->uid);
		if (each(arg, &placed, err) < 0)
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
	struct deliver_inplace *own = of(deliver);

	imap_place_free(own->place);
	inplace_journal_close(&own->journal);
	free(own);
}

static const struct deliver_ops ops = {
	.write = write_one,
	.sync = do_nothing,
	.show = show_one,
	.shown = do_nothing,
	.forget = forget_one,
	.leftovers = each_leftover,
	.placed = each_placed,
	.discard = discard_one,
	.close = close_all,
};

int deliver_inplace_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err)
{
	struct deliver_inplace *own = calloc(1, sizeof(*own));

	if (!own)
		return err_memory(err);
	own->deliver.ops = &ops;
	own->wait = *tools->wait;
	own->place = imap_place_new(tools->account, tools->wait);
	if (!own->place || inplace_journal_open(tools->dir, &own->journal, err) < 0) {
		if (!own->place)
			(void)err_memory(err);
		imap_place_free(own->place);
		free(own);
		return -1;
	}
	*deliver_r = &own->deliver;
	return 0;
}
