/* SPDX-License-Identifier: ISC
 *
 * Delivery into an mbox file. Before the first byte is appended the batch, and where it goes, are
 * durable beside the record (mbox_batch.h): after a crash the mailbox's end is held against it. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/deliver.h"
#include "mailfilter/envelope.h"
#include "mailfilter/mbox_batch.h"
#include "mailfilter/mbox_lock.h"
#include "mailfilter/mbox_tail.h"
#include "mailfilter/room.h"
#include "mailfilter/stream.h"

struct deliver_mbox {
	struct deliver deliver;
	const char *path, *sender;
	struct stream_wait wait;
	int64_t lock_ms;
	struct mbox_batch batch;
	struct mbox_lock lock; /* from sync to shown */
	uint64_t end;          /* of the mailbox, as we know it while it is locked */
	struct names known;    /* delivered, and not yet forgotten */
};

static struct deliver_mbox *of(struct deliver *deliver)
{
	return (struct deliver_mbox *)((char *)deliver -
				       offsetof(struct deliver_mbox, deliver));
}

static int fail(const struct deliver_mbox *own, const char *what, struct err *err)
{
	return err_errno(err, file_err_kind(errno), "cannot %s %s", what, own->path);
}

/* The mailbox itself is not touched: others may be reading it. */
static int ask(
	struct deliver *deliver, const char *folder, uint64_t *room_r, struct err *err)
{
	struct deliver_mbox *own = of(deliver);
	uint64_t room, own_room;

	(void)folder;
	if (room_ask(own->batch.dirfd, own->batch.path, "mbox.probe", &own_room, err) <
			0 ||
		room_of_file(own->path, &room, err) < 0)
		return -1;
	*room_r = room < own_room ? room : own_room;
	return 1;
}

/* Let go of the batch; its file stays while it holds names that are needed. */
static void drop_batch(struct deliver_mbox *own)
{
	mbox_lock_close(&own->lock);
	own->batch.count = 0;
	if (own->known.count == 0)
		mbox_batch_clear(&own->batch);
}

static int write_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct deliver_mbox *own = of(deliver);
	struct body *body =
		message->cleaned.size > 0 ? &message->cleaned : &message->body;
	char sender[ENVELOPE_SENDER_MAX];
	struct span bytes;

	if (message->repeat && names_have(&own->known, message->name))
		return 1;
	if (body_span(body, &bytes, err) < 0)
		return -1;
	envelope_sender(own->sender, bytes, sender);
	return mbox_batch_add(
		&own->batch, message->name, sender, clock_wall_s(), body, err);
}

/* How many line ends are missing before a new message: it stands behind an empty line. */
static int missing_newlines(
	const struct deliver_mbox *own, uint64_t size, uint64_t *count_r, struct err *err)
{
	const size_t len = size < MBOX_NEWLINES_MAX ? (size_t)size : MBOX_NEWLINES_MAX;
	char last[MBOX_NEWLINES_MAX];

	*count_r = 0;
	if (size == 0)
		return 0;
	if (pread(own->lock.fd, last, len, (off_t)(size - len)) != (ssize_t)len)
		return fail(own, "read", err);
	if (last[len - 1] != '\n')
		*count_r = 2;
	else if (len == MBOX_NEWLINES_MAX && last[0] != '\n')
		/* An empty line of a mail with CR LF ends in CR LF, too: one more is no harm. */
		*count_r = 1;
	return 0;
}

static int place_batch(struct deliver_mbox *own, struct err *err)
{
	struct mbox_place place = { 0 };
	struct stat st;

	if (mbox_lock_open(own->path, true, own->lock_ms, &own->wait, &own->lock, err) <
		0)
		return -1;
	if (fstat(own->lock.fd, &st) < 0)
		return fail(own, "look at", err);
	own->end = (uint64_t)st.st_size;
	place.dev = own->lock.dev;
	place.ino = own->lock.ino;
	place.offset = own->end;
	if (missing_newlines(own, own->end, &place.newlines, err) < 0)
		return -1;
	return mbox_batch_commit(&own->batch, &place, &own->known, err);
}

static int sync_all(struct deliver *deliver, struct err *err)
{
	struct deliver_mbox *own = of(deliver);

	if (own->batch.count == 0 || own->batch.placed)
		return 0;
	if (place_batch(own, err) == 0)
		return 0;
	drop_batch(own);
	return -1;
}

/* Before the first of the batch alone: each ends with an empty line. */
static uint64_t newlines_before(const struct deliver_mbox *own)
{
	return own->end == own->batch.place.offset ? own->batch.place.newlines : 0;
}

static int append(
	struct deliver_mbox *own, const struct mbox_entry *entry, struct err *err)
{
	struct mbox_piece piece;

	if (file_write(own->lock.fd,
		    span_part(span_str("\n\n"), 0, (size_t)newlines_before(own)),
		    own->path, err) < 0)
		return -1;
	for (uint64_t done = 0; done < entry->len; done += piece.len) {
		if (mbox_batch_read(&own->batch, entry, done, &piece, err) < 0 ||
			file_write(own->lock.fd, (struct span){ piece.bytes, piece.len },
				own->path, err) < 0)
			return -1;
	}
	return 0;
}

/* Take back what an append that failed left: only what is a prefix of this message. */
static bool cut_torn(struct deliver_mbox *own, const struct mbox_entry *entry)
{
	const uint64_t text = own->end + newlines_before(own);
	uint64_t len = 0;
	struct stat st;

	if (fstat(own->lock.fd, &st) < 0)
		return false;
	if ((uint64_t)st.st_size > text && (mbox_tail_compare(&own->batch, entry,
						    own->lock.fd, text, &len, NULL) < 0 ||
						   text + len != (uint64_t)st.st_size))
		return false;
	return (uint64_t)st.st_size <= own->end ||
	       ftruncate(own->lock.fd, (off_t)own->end) == 0;
}

static struct mbox_entry *find(struct deliver_mbox *own, const char *name, size_t *at_r)
{
	for (size_t i = 0; i < own->batch.count; i++)
		if (strcmp(own->batch.entries[i].name, name) == 0) {
			*at_r = i;
			return &own->batch.entries[i];
		}
	return NULL;
}

static int show_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct deliver_mbox *own = of(deliver);
	size_t at = 0;
	const struct mbox_entry *entry = find(own, message->name, &at);

	if (!entry || own->lock.fd < 0)
		return err_set(err, ERR_AGAIN, "%s: not written", own->path);
	if (append(own, entry, err) == 0) {
		own->end += newlines_before(own) + entry->len;
		own->batch.shown[at] = true;
		return 0;
	}
	if (cut_torn(own, entry))
		message->repeat = false;
	return -1;
}

/* All of the batch is in doubt: take it back, so that it can be written anew. */
static void take_back(struct deliver_mbox *own)
{
	struct stat st;

	/* If it is as long as we made it, nobody else has written behind it. */
	if (fstat(own->lock.fd, &st) == 0 && (uint64_t)st.st_size == own->end &&
		ftruncate(own->lock.fd, (off_t)own->batch.place.offset) == 0)
		(void)fsync(own->lock.fd);
	drop_batch(own);
}

static int sync_shown(struct deliver *deliver, struct err *err)
{
	struct deliver_mbox *own = of(deliver);
	struct err own_err = { 0 };

	if (own->lock.fd < 0)
		return 0;
	if (fsync(own->lock.fd) < 0)
		(void)fail(own, "sync", &own_err);
	if (own_err.kind == ERR_NONE)
		(void)mbox_lock_check(&own->lock, own->path, &own_err);
	for (size_t i = 0; i < own->batch.count && own_err.kind == ERR_NONE; i++)
		if (own->batch.shown[i])
			(void)names_add(
				&own->known, own->batch.entries[i].name, &own_err);
	if (own_err.kind != ERR_NONE) {
		if (err)
			*err = own_err;
		take_back(own);
		return -1;
	}
	mbox_batch_end(&own->batch);
	drop_batch(own);
	return 0;
}

static void forget_one(struct deliver *deliver, const char *name)
{
	struct deliver_mbox *own = of(deliver);

	if (names_remove(&own->known, name) && own->known.count == 0 &&
		own->batch.count == 0)
		mbox_batch_clear(&own->batch);
}

static void discard_one(struct deliver *deliver, struct message *message)
{
	struct deliver_mbox *own = of(deliver);

	mbox_batch_remove(&own->batch, message->name);
	if (own->batch.count == 0)
		drop_batch(own);
}

/* Find out what is there of a batch that a crash cut off. */
static int recover(struct deliver_mbox *own, struct err *err)
{
	struct mbox_lock lock = { .fd = -1 };
	int result;

	if (own->batch.count == 0 || own->batch.ended)
		return 0;
	memset(own->batch.shown, 0, own->batch.count);
	result = mbox_lock_open(own->path, false, own->lock_ms, &own->wait, &lock, err);
	if (result == 0 && lock.dev == own->batch.place.dev &&
		lock.ino == own->batch.place.ino)
		result = mbox_tail_recover(&own->batch, lock.fd, own->path, err);
	mbox_lock_close(&lock);
	return result < 0 ? -1 : 0;
}

static int take_known(struct deliver_mbox *own, struct err *err)
{
	if (recover(own, err) < 0)
		return -1;
	for (size_t i = 0; i < own->batch.count; i++)
		if (own->batch.shown[i] &&
			names_add(&own->known, own->batch.entries[i].name, err) < 0)
			return -1;
	mbox_batch_end(&own->batch);
	return 0;
}

static int each_leftover(struct deliver *deliver,
	int (*each)(void *arg, const char *name, struct err *err), void *arg,
	struct err *err)
{
	struct deliver_mbox *own = of(deliver);

	if (own->batch.placed && take_known(own, err) < 0)
		return -1;
	own->batch.count = 0;
	/* From behind: what is forgotten meanwhile is behind, too. */
	for (size_t i = own->known.count; i > 0; i--) {
		char name[MESSAGE_NAME_MAX];

		memcpy(name, own->known.items[i - 1], sizeof(name));
		if (each(arg, name, err) < 0)
			return -1;
	}
	if (own->known.count == 0)
		mbox_batch_clear(&own->batch);
	return 0;
}

static void close_all(struct deliver *deliver)
{
	struct deliver_mbox *own = of(deliver);

	mbox_lock_close(&own->lock);
	mbox_batch_close(&own->batch);
	names_done(&own->known);
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

/* The folder that the mailbox is in. */
static int make_parent(const char *path, struct err *err)
{
	auto_free char *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!parent)
		return err_memory(err);
	if (!slash || slash == parent)
		return 0;
	*slash = '\0';
	return file_mkdirs(parent, S_IRWXU, err);
}

int deliver_mbox_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err)
{
	struct deliver_mbox *own = calloc(1, sizeof(*own));

	if (!own)
		return err_memory(err);
	own->deliver.ops = &ops;
	own->path = tools->account->deliver_path;
	own->sender = tools->account->sender;
	own->wait = *tools->wait;
	own->lock_ms = tools->account->deliver_timeout_ms;
	if (own->lock_ms > MBOX_LOCK_MS)
		own->lock_ms = MBOX_LOCK_MS;
	own->lock.fd = -1;
	if (make_parent(own->path, err) < 0 ||
		mbox_batch_open(tools->dir, &own->batch, &own->known, err) < 0) {
		free(own);
		return -1;
	}
	*deliver_r = &own->deliver;
	return 0;
}
