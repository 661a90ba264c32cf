/* SPDX-License-Identifier: ISC
 *
 * Delivery into a Maildir. The link in tmp stays beside the one in new until the record says
 * done: two links tell a repeat that the message was shown, wherever a reader has moved it. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/filebatch.h"

#include "mailfilter/deliver.h"
#include "mailfilter/maildir.h"
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

static int fail(const struct maildir *maildir, const char *what, const char *name,
	struct err *err)
{
	return err_errno(err, file_err_kind(errno), "cannot %s %s/new/%s", what,
		maildir->path, name);
}

static int check_name(const char *name, struct err *err)
{
	if (maildir_is_name(name))
		return 0;
	return err_set(err, ERR_MESSAGE, "no name that a Maildir can have");
}

/* How many names the file in tmp has; 0: there is none. */
static int links(const struct maildir *maildir, const char *name, nlink_t *links_r,
	struct err *err)
{
	struct stat st;

	*links_r = 0;
	if (fstatat(maildir->tmp, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(maildir, "look for", name, err);
	*links_r = st.st_nlink;
	return 0;
}

/* Has an earlier run shown it? 1: yes; 0: no, and its rest in tmp is gone. */
static int was_shown(const struct maildir *maildir, const char *name, struct err *err)
{
	nlink_t count;
	int held;

	if (links(maildir, name, &count, err) < 0)
		return -1;
	if (count > 1)
		return 1;
	/* One link: never shown, or shown and the other link removed by a reader. None: the
	 * power went before the name in tmp was durable, or a cleaner came. */
	held = maildir_holds(maildir, name, err);
	if (held != 0)
		return held;
	if (count > 0 && unlinkat(maildir->tmp, name, 0) < 0 && errno != ENOENT)
		return fail(maildir, "write anew", name, err);
	return 0;
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
	return filebatch_add(&own->batch, message->name, body, err);
}

static int sync_all(struct deliver *deliver, struct err *err)
{
	struct deliver_maildir *own = of(deliver);

	if (own->batch.count == 0)
		return 0;
	/* The names in tmp are synced as well: they tell a repeat what was shown. */
	if (filebatch_sync(&own->batch, err) < 0 ||
		file_sync_dir(own->maildir.tmp, own->maildir.tmp_path, err) < 0) {
		filebatch_discard(&own->batch);
		return -1;
	}
	filebatch_clear(&own->batch);
	return 0;
}

static int show_one(struct deliver *deliver, struct message *message, struct err *err)
{
	const struct maildir *maildir = &of(deliver)->maildir;
	const char *const name = message->name;
	nlink_t count;

	if (check_name(name, err) < 0 || links(maildir, name, &count, err) < 0)
		return -1;
	/* Shown before; a link anew would bring back what a reader has moved to cur. */
	if (count > 1)
		return 0;
	if (linkat(maildir->tmp, name, maildir->new, name, 0) == 0)
		return 0;
	if (errno == EEXIST && message->repeat)
		return 0;
	if (errno == EEXIST || errno == ENOENT)
		return err_errno(err, ERR_AGAIN, "cannot link %s/tmp/%s to new",
			maildir->path, name);
	if (errno == EPERM || errno == EOPNOTSUPP || errno == EXDEV)
		return err_errno(err, ERR_ACCOUNT,
			"%s is on a file system without hard links between tmp and new, "
			"which delivery needs",
			maildir->path);
	return fail(maildir, "link", name, err);
}

static int sync_shown(struct deliver *deliver, struct err *err)
{
	const struct maildir *maildir = &of(deliver)->maildir;

	return file_sync_dir(maildir->new, maildir->new_path, err);
}

static void forget_one(struct deliver *deliver, const char *name)
{
	/* What stays is no harm: a second link in tmp, which readers remove after 36 hours. */
	if (maildir_is_name(name))
		(void)unlinkat(of(deliver)->maildir.tmp, name, 0);
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
	nlink_t count;

	if (!maildir_is_name(message->name))
		return;
	filebatch_remove(&own->batch, message->name);
	/* Of one that was synced, but never of one that was shown: that link is evidence. */
	if (links(&own->maildir, message->name, &count, NULL) == 0 && count == 1)
		(void)unlinkat(own->maildir.tmp, message->name, 0);
}

static void close_all(struct deliver *deliver)
{
	struct deliver_maildir *own = of(deliver);

	filebatch_discard(&own->batch);
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
