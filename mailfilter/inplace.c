/* SPDX-License-Identifier: ISC */
#include "mailfilter/inplace.h"

#include <string.h>

#include "common/clock.h"

static void note_down(struct inplace *inplace, const struct err *why)
{
	inplace->lost = 0;
	inplace->down = *why;
	inplace->down_until_ms = clock_ms() + INPLACE_DOWN_MS;
}

static void note_lost(struct inplace *inplace, const struct err *why)
{
	if (++inplace->lost >= INPLACE_LOST_MAX)
		note_down(inplace, why);
}

int inplace_hold(struct err *why, struct err *err)
{
	if (why->kind != ERR_FATAL)
		why->kind = ERR_AGAIN;
	if (err)
		*err = *why;
	return -1;
}

int inplace_enter(struct inplace *inplace, const char *folder, uint32_t *uidvalidity,
	uint32_t *uidnext_r, struct err *err)
{
	struct err why = { 0 };

	if (clock_ms() < inplace->down_until_ms)
		return err_set(err, ERR_AGAIN, "nothing more is tried now: %s",
			inplace->down.text);
	if (inplace->wait.wait(inplace->wait.arg, -1, 0, 0, err) < 0)
		return -1;
	if (imap_place_enter(inplace->place, folder, uidvalidity, uidnext_r, &why) == 0)
		return 0;
	(void)err_wrap(&why, "in place");
	if (!imap_place_is_open(inplace->place))
		note_down(inplace, &why);
	return inplace_hold(&why, err);
}

/* 1: it is there; 0: it is not, so far. */
static int look_for(struct inplace *inplace, struct inplace_entry *entry,
	const struct body *bytes, struct err *err)
{
	uint32_t uidvalidity = 0, uidnext, from;
	struct placed placed = { 0 };
	struct err why = { 0 };
	int found;

	if (inplace_enter(inplace, entry->folder, &uidvalidity, &uidnext, err) < 0)
		return -1;
	from = uidvalidity == entry->uidvalidity ? entry->from_uid : 1;
	if (strcmp(entry->token, INPLACE_NO_TOKEN) == 0)
		found = imap_place_find_bytes(inplace->place, from, bytes, &placed, &why);
	else
		found = imap_place_find(
			inplace->place, from, entry->token, &placed, &why);
	if (found < 0)
		return inplace_hold(&why, err);
	if (found > 0) {
		placed.uidvalidity = uidvalidity;
		entry->placed = placed;
	}
	return found;
}

int inplace_resolve(struct inplace *inplace, struct inplace_entry *entry,
	const struct body *bytes, struct err *err)
{
	char when[CLOCK_TEXT_MAX];

	while (entry->placed.uid == 0) {
		const int64_t left_s = entry->until_s - clock_wall_s();
		int found = look_for(inplace, entry, bytes, err);

		if (found != 0)
			return found;
		if (left_s <= 0)
			return 0;
		if (left_s > INPLACE_DIED_S)
			return err_set(err, ERR_AGAIN,
				"it may have been put into \"%.100s\", and the server does "
				"not show it; if it is not seen until %s it is put there "
				"again",
				entry->folder, clock_iso(entry->until_s, when));
		if (inplace->wait.wait(inplace->wait.arg, -1, 0,
			    clock_ms() + left_s * 1000, err) < 0)
			return -1;
	}
	return 1;
}

/* What the server made of it. The entry is durable by now. */
static int conclude(struct inplace *inplace, struct message *message,
	enum imap_place_result result, const struct body *bytes, struct err *why,
	struct err *err)
{
	struct inplace_entry *entry =
		inplace_journal_find(&inplace->journal, message->name);

	if (result == IMAP_PLACE_LOST || result == IMAP_PLACE_DOUBT)
		note_lost(inplace, why);
	else
		inplace->lost = 0;
	if (result == IMAP_PLACE_REFUSED || result == IMAP_PLACE_LOST) {
		inplace_journal_drop(&inplace->journal, message->name);
		message->repeat = false;
		return inplace_hold(why, err);
	}
	entry->until_s = clock_wall_s() +
			 (result == IMAP_PLACE_DOUBT ? INPLACE_DOUBT_S : INPLACE_TAKEN_S);
	if (inplace_resolve(inplace, entry, bytes, err) > 0) {
		message->placed = entry->placed;
		return 0;
	}
	/* Should that fail, it is put there once more after a crash, at worst. */
	(void)inplace_journal_save(&inplace->journal, NULL);
	return -1;
}

int inplace_put(struct inplace *inplace, struct message *message,
	const struct inplace_entry *entry, const struct imap_place_facts *facts,
	const struct body *bytes, struct err *err)
{
	enum imap_place_result result;
	struct err why = { 0 };

	if (inplace_journal_put(&inplace->journal, entry, err) < 0)
		return -1;
	result = imap_place_put(inplace->place, entry->folder, facts, bytes, &why);
	return conclude(inplace, message, result, bytes, &why, err);
}

int inplace_open(
	const struct deliver_tools *tools, struct inplace *inplace_r, struct err *err)
{
	struct inplace inplace = { .wait = *tools->wait };

	inplace.place = imap_place_new(tools->account, tools->wait);
	if (!inplace.place)
		return err_memory(err);
	if (inplace_journal_open(tools->dir, &inplace.journal, err) < 0) {
		imap_place_free(inplace.place);
		return -1;
	}
	*inplace_r = inplace;
	return 0;
}

void inplace_close(struct inplace *inplace)
{
	imap_place_free(inplace->place);
	inplace->place = NULL;
	inplace_journal_close(&inplace->journal);
}
