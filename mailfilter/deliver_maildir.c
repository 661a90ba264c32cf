/* SPDX-License-Identifier: ISC
 *
 * Delivery into a Maildir. A second name in tmp stays until the record says done: it tells a
 * repeat that the message was shown, wherever a reader has moved it, and even if one has deleted it
 * (maildir_left.h). */
#include <stddef.h>

#include "common/file.h"
#include "common/filebatch.h"

#include "mailfilter/deliver.h"
#include "mailfilter/maildir_left.h"
#include "mailfilter/room.h"

struct deliver_maildir {
	struct deliver deliver;
	struct maildir maildir;
	struct filebatch batch; /* written to tmp, not yet synced */
};

static struct deliver_maildir *of(struct deliver *deliver)
{
	return (struct deliver_maildir *)((char *)deliver -
					  offsetof(struct deliver_maildir, deliver));
}

static int check_name(const char *name, struct err *err)
{
	if (maildir_is_name(name))
		return 0;
	return err_set(err, ERR_MESSAGE, "no name that a Maildir can have");
}

/* Has an earlier run shown it? 1: yes; 0: no, and its rest in tmp is gone. */
static int was_shown(const struct maildir *maildir, const char *name, struct err *err)
{
	enum maildir_left left;
	int held;

	if (maildir_look(maildir, name, &left, err) < 0)
		return -1;
	if (left == MAILDIR_SHOWN || left == MAILDIR_TAKEN)
		return 1;
	/* In doubt, or nothing to tell by: the power went before its names in tmp were durable, or
	 * a cleaner came. Rather twice than lost. */
	held = maildir_holds(maildir, name, err);
	if (held != 0)
		return held;
	return maildir_drop(maildir, name, err);
}

static int ask(
	struct deliver *deliver, const char *folder, uint64_t *room_r, struct err *err)
{
	const struct maildir *maildir = &of(deliver)->maildir;
	char name[MESSAGE_NAME_MAX];

	(void)folder;
	maildir_new_name(maildir->owner, name);
	return room_ask(maildir->tmp, maildir->tmp_path, name, room_r, err) < 0 ? -1 : 1;
}

static int write_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct deliver_maildir *own = of(deliver);
	struct body *body =
		message->cleaned.size > 0 ? &message->cleaned : &message->body;
	int shown;

	if (check_name(message->name, err) < 0)
		return -1;
	if (message->repeat) {
		shown = was_shown(&own->maildir, message->name, err);
		if (shown != 0)
			return shown;
	}
	if (filebatch_add(&own->batch, message->name, body, err) < 0)
		return -1;
	if (maildir_keep(&own->maildir, message->name, err) < 0) {
		filebatch_remove(&own->batch, message->name);
		return -1;
	}
	return 0;
}

/* Second names first, as maildir_drop. */
static void discard_batch(struct deliver_maildir *own)
{
	for (size_t i = 0; i < own->batch.count; i++)
		(void)maildir_drop(&own->maildir, filebatch_name(&own->batch, i), NULL);
	filebatch_discard(&own->batch);
}

static int sync_all(struct deliver *deliver, struct err *err)
{
	struct deliver_maildir *own = of(deliver);

	if (own->batch.count == 0)
		return 0;
	/* The names in tmp are synced as well: they tell a repeat what was shown. */
	if (filebatch_sync(&own->batch, err) < 0 ||
		file_sync_dir(own->maildir.tmp, own->maildir.tmp_path, err) < 0) {
		discard_batch(own);
		return -1;
	}
	filebatch_clear(&own->batch);
	return 0;
}

static int show_one(struct deliver *deliver, struct message *message, struct err *err)
{
	if (check_name(message->name, err) < 0)
		return -1;
	return maildir_show(&of(deliver)->maildir, message->name, err);
}

static int sync_shown(struct deliver *deliver, struct err *err)
{
	const struct maildir *maildir = &of(deliver)->maildir;

	return file_sync_dir(maildir->new, maildir->new_path, err);
}

static void forget_one(struct deliver *deliver, const char *name)
{
	if (maildir_is_name(name))
		maildir_forget(&of(deliver)->maildir, name);
}

static int each_leftover(struct deliver *deliver,
	int (*each)(void *arg, const char *name, struct err *err), void *arg,
	struct err *err)
{
	return maildir_sweep(&of(deliver)->maildir, each, arg, err);
}

static void discard_one(struct deliver *deliver, struct message *message)
{
	struct deliver_maildir *own = of(deliver);
	enum maildir_left left;

	if (!maildir_is_name(message->name))
		return;
	/* Never of one that was shown: that name is evidence. */
	if (maildir_look(&own->maildir, message->name, &left, NULL) == 0 &&
		left == MAILDIR_WRITTEN)
		(void)maildir_drop(&own->maildir, message->name, NULL);
	filebatch_remove(&own->batch, message->name);
}

static void close_all(struct deliver *deliver)
{
	struct deliver_maildir *own = of(deliver);

	discard_batch(own);
	filebatch_done(&own->batch);
	maildir_close(&own->maildir);
	free(own);
}

static const struct deliver_ops ops = {
	.ask = ask,
	.write = write_one,
	.sync = sync_all,
	.show = show_one,
	.shown = sync_shown,
	.forget = forget_one,
	.leftovers = each_leftover,
	.discard = discard_one,
	.close = close_all,
};

int deliver_maildir_open(
	const char *path, const char *owner, struct deliver **deliver_r, struct err *err)
{
	struct deliver_maildir *own = calloc(1, sizeof(*own));

	if (!own)
		return err_memory(err);
	own->deliver.ops = &ops;
	if (maildir_open(path, owner, &own->maildir, err) < 0) {
		free(own);
		return -1;
	}
	filebatch_init(&own->batch, own->maildir.tmp, own->maildir.tmp_path);
	*deliver_r = &own->deliver;
	return 0;
}
