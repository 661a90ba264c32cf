/* SPDX-License-Identifier: ISC
 *
 * Mail stays where it is. What is changed or kept back is replaced: the copy is put beside the
 * original and, once it is seen there, recorded; then settle removes the original. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/parse.h"

#include "mailfilter/inplace.h"

enum {
	TOKEN_WITHIN = 64 * 1024 /* of a copy, where its token must stand */
};

struct deliver_inplace {
	struct deliver deliver;
	struct inplace inplace;
	bool releases;
};

static struct deliver_inplace *of(struct deliver *deliver)
{
	return (struct deliver_inplace *)((char *)deliver -
					  offsetof(struct deliver_inplace, deliver));
}

static bool is_put(const struct deliver_inplace *own, const struct message *message)
{
	return own->releases || message->action == ACTION_CLEAN ||
	       message->action == ACTION_QUARANTINE || message->action == ACTION_PARK;
}

static const struct body *outgoing(
	const struct deliver_inplace *own, const struct message *message)
{
	return own->releases ? &message->body : &message->cleaned;
}

/* What a crash or a lost connection left in doubt, if this is such a one. 1: it is there. */
static int tell_repeat(
	struct deliver_inplace *own, struct message *message, struct err *err)
{
	struct inplace_entry *entry =
		inplace_journal_find(&own->inplace.journal, message->name);
	int found;

	if (!entry)
		return 0;
	found = inplace_resolve(&own->inplace, entry, outgoing(own, message), err);
	if (found > 0) {
		message->placed = entry->placed;
	} else if (found == 0) {
		inplace_journal_drop(&own->inplace.journal, message->name);
	}
	return found;
}

/* The UIDVALIDITY that the message's folder must have: any for one that is released. */
static uint32_t uidvalidity_of(
	const struct deliver_inplace *own, const struct message *message)
{
	return own->releases ? 0 : message->key.uidvalidity;
}

/* Nothing can be written before it is shown; but where nothing can be shown it is held at once,
 * before there is an intent. */
static int write_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct deliver_inplace *own = of(deliver);
	uint32_t uidvalidity = uidvalidity_of(own, message), uidnext;
	int there = tell_repeat(own, message, err);

	if (there != 0 || (!is_put(own, message) && message->action != ACTION_TAG))
		return there;
	return inplace_enter(
		&own->inplace, message->key.folder, &uidvalidity, &uidnext, err);
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

	if (inplace_enter(
		    &own->inplace, message->key.folder, &uidvalidity, uidnext_r, err) < 0)
		return -1;
	there = imap_place_look(own->inplace.place, message->key.uid, facts, &why);
	if (there < 0)
		return inplace_hold(&why, err);
	if (there == 0)
		(void)snprintf(message->remark, sizeof(message->remark),
			"it has left its folder: nothing is changed there");
	return there;
}

static void make_entry(const struct message *message, const char *token,
	uint32_t uidvalidity, uint32_t uidnext, struct inplace_entry *entry)
{
	*entry = (struct inplace_entry){ .uidvalidity = uidvalidity,
		.from_uid = uidnext,
		.until_s = clock_wall_s() + INPLACE_DIED_S };
	memcpy(entry->name, message->name, sizeof(entry->name));
	(void)snprintf(entry->token, sizeof(entry->token), "%s", token);
	memcpy(entry->folder, message->key.folder, sizeof(entry->folder));
}

static int replace(struct deliver_inplace *own, struct message *message, struct err *err)
{
	const struct body *const bytes = outgoing(own, message);
	auto_body_view struct body_view view = { .body = bytes };
	struct imap_place_facts facts = { 0 };
	struct inplace_entry entry;
	struct span start;
	uint32_t uidnext = 0;
	uint64_t uid = 0;
	int there;

	if (body_view_at(&view, 0, &start, err) < 0)
		return -1;
	/* By this alone it is found again. */
	if (span_find(span_part(start, 0, TOKEN_WITHIN),
		    span_str(message->quarantine_id)) < 0)
		return err_set(err, ERR_AGAIN,
			"the cleaned copy has no X-Quarantine-ID: is the scanner of this "
			"version?");
	there = look(own, message, &uidnext, &facts, err);
	if (there <= 0)
		return there;
	/* UIDs ascend, so a server that does not say UIDNEXT costs but time. */
	if (parse_number(message->key.uid, 1, UINT32_MAX - 1, &uid, err) < 0)
		return -1;
	make_entry(message, message->quarantine_id, message->key.uidvalidity,
		uidnext > uid ? uidnext : (uint32_t)uid + 1, &entry);
	return inplace_put(&own->inplace, message, &entry, &facts, bytes, err);
}

/* Back into its folder as a new message, byte for byte: so only its bytes tell it. */
static int release(struct deliver_inplace *own, struct message *message, struct err *err)
{
	const struct imap_place_facts facts = { 0 };
	struct inplace_entry entry;
	uint32_t uidvalidity = 0, uidnext = 0;

	if (inplace_enter(
		    &own->inplace, message->key.folder, &uidvalidity, &uidnext, err) < 0)
		return -1;
	make_entry(message, INPLACE_NO_TOKEN, uidvalidity, uidnext, &entry);
	return inplace_put(
		&own->inplace, message, &entry, &facts, outgoing(own, message), err);
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
	done = imap_place_mark(own->inplace.place, message->key.uid, keyword, &why);
	if (done < 0)
		return inplace_hold(&why, err);
	if (done == 0)
		(void)snprintf(message->remark, sizeof(message->remark),
			"not marked: %.230s", why.text);
	return 0;
}

static int show_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct deliver_inplace *own = of(deliver);

	if (own->releases)
		return release(own, message, err);
	if (is_put(own, message))
		return replace(own, message, err);
	if (message->action == ACTION_TAG)
		return mark(own, message, err);
	return 0;
}

static void forget_one(struct deliver *deliver, const char *name)
{
	inplace_journal_drop(&of(deliver)->inplace.journal, name);
}

static int each_leftover(struct deliver *deliver,
	int (*each)(void *arg, const char *name, struct err *err), void *arg,
	struct err *err)
{
	const struct inplace_journal *journal = &of(deliver)->inplace.journal;

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
	struct inplace_journal *journal = &own->inplace.journal;
	const struct body nothing = { .fd = -1 };

	for (size_t i = journal->count; i > 0; i--) {
		struct inplace_entry *entry = &journal->entries[i - 1];
		struct deliver_placed placed = { 0 };
		char name[MESSAGE_NAME_MAX], folder[MESSAGE_FOLDER_MAX];
		struct err ignored = { 0 };
		int found = inplace_resolve(&own->inplace, entry, &nothing, &ignored);

		memcpy(name, entry->name, sizeof(name));
		if (found == 0 ||
			(found < 0 && entry->until_s + INPLACE_STALE_S < clock_wall_s()))
			inplace_journal_drop(journal, name);
		if (found <= 0)
			continue;
		memcpy(folder, entry->folder, sizeof(folder));
		placed = (struct deliver_placed){ name, folder, entry->placed };
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

	inplace_close(&own->inplace);
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
	own->releases = tools->releases;
	if (inplace_open(tools, &own->inplace, err) < 0) {
		free(own);
		return -1;
	}
	*deliver_r = &own->deliver;
	return 0;
}
