/* SPDX-License-Identifier: ISC
 *
 * A Maildir that a host already has. Whoever may deliver there may also swap files, so that nothing
 * is followed and only what is a file when it is open is read. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/hash.h"

#include "mailfilter/maildir_settle.h"
#include "mailfilter/source.h"

enum {
	READ_AT_ONCE = 64 * 1024,
	NAME_PLAIN_MAX = 100 /* longer ones are hashed */
};

struct source_maildir {
	struct source source;
	const struct account_settings *account;
	struct stream_wait wait;
	int new, cur;
	struct maildir_list list;
};

static int maildir_select(struct source *source, const char *folder,
	uint32_t *uidvalidity_r, struct err *err)
{
	(void)source;
	(void)folder;
	(void)err;
	*uidvalidity_r = 0;
	return 0;
}

static const char hashed[] = "sha256:";

/* No two different names give one uid. */
static int uid_of(const char *name, char uid[static MESSAGE_UID_MAX], struct err *err)
{
	size_t len = maildir_base(name);
	struct span base = { (const uint8_t *)name, len };
	bool plain = len <= NAME_PLAIN_MAX;
	char text[HASH_TEXT_MAX];
	struct hash hash;

	for (size_t i = 0; i < len && plain; i++)
		plain = name[i] > 0x20 && name[i] < 0x7f;
	if (plain) {
		memcpy(uid, name, len);
		uid[len] = '\0';
		return 0;
	}
	/* A plain one cannot look like this: a colon ends the base. */
	if (hash_span(base, &hash, err) < 0)
		return -1;
	(void)snprintf(uid, MESSAGE_UID_MAX, "%s%s", hashed, hash_text(&hash, text));
	return 0;
}

static int maildir_list(struct source *source, uint32_t after_uid,
	struct source_item **items_r, size_t *count_r, struct err *err)
{
	struct source_maildir *maildir = (struct source_maildir *)source;
	struct maildir_list *list = &maildir->list;
	auto_free struct source_item *items = NULL;

	(void)after_uid;
	maildir_list_done(list);
	if (maildir_list_read(list, err) < 0)
		return -1;
	items = calloc(list->count ? list->count : 1, sizeof(*items));
	if (!items)
		return err_memory(err);
	for (size_t i = 0; i < list->count; i++) {
		items[i] = (struct source_item){ .number = (uint32_t)i + 1,
			.size = list->items[i].size,
			.date_s = list->items[i].date_s };
		if (uid_of(list->items[i].name, items[i].uid, err) < 0)
			return -1;
	}
	*count_r = list->count;
	*items_r = take_ptr(&items);
	return 0;
}

/* The file as it is now, without a mark that it was read. -1 with errno. */
static int open_entry(
	const struct source_maildir *maildir, const struct maildir_entry *entry)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int dir = entry->cur ? maildir->cur : maildir->new;
	int fd = openat(dir, entry->name, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? openat(dir, entry->name, flags) : fd;
}

/* What passes is for all messages, and waited out; anything else is this file's own. */
static bool is_short(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM ||
	       errnum == ESTALE || errnum == ETIMEDOUT;
}

/* 1: open; 0: there is nothing to read, for this reason. */
static int open_message(struct source_maildir *maildir, uint32_t number, int *fd_r,
	enum source_outcome *outcome_r, struct err *err)
{
	const struct maildir_entry *entry = &maildir->list.items[number - 1];
	auto_close int fd = open_entry(maildir, entry);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		if (maildir_list_refresh(&maildir->list, err) < 0)
			return -1;
		fd = open_entry(maildir, entry);
	}
	if (fd < 0 && is_short(errno))
		return err_errno(err, ERR_AGAIN, "cannot open a message of %s",
			maildir->account->source_path);
	*outcome_r = fd < 0 && errno == ENOENT ? SOURCE_ABSENT : SOURCE_NIL;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	*fd_r = take_fd(&fd);
	return 1;
}

/* All of it, or so much that it is too large. 1: read; 0: it cannot be read. */
static int read_message(struct source_maildir *maildir, int fd,
	const struct source_sink *sink, struct err *err)
{
	uint64_t left = maildir->account->message_max + STREAM_SLACK;
	uint8_t bytes[READ_AT_ONCE];

	while (left > 0) {
		ssize_t len = read(fd, bytes, sizeof(bytes));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return 0;
		if (len == 0)
			return 1;
		if (sink->data(sink->arg, (struct span){ bytes, (size_t)len }, err) < 0)
			return -1;
		left -= (uint64_t)len < left ? (uint64_t)len : left;
	}
	return 1;
}

static int fetch_one(struct source_maildir *maildir, const struct source_item *item,
	const struct source_sink *sink, struct err *err)
{
	enum source_outcome outcome = SOURCE_NIL;
	auto_close int fd = -1;
	int result;

	if (item->number == 0 || item->number > maildir->list.count)
		return err_set(err, ERR_SESSION, "no such message was listed");
	result = open_message(maildir, item->number, &fd, &outcome, err);
	if (result > 0) {
		result = read_message(maildir, fd, sink, err);
		outcome = result > 0 ? SOURCE_FETCHED : SOURCE_NIL;
		/* What came of it does not count. */
		if (result == 0 && sink->done(sink->arg, "", SOURCE_DISCARD, err) < 0)
			return -1;
	}
	if (result < 0 || sink->done(sink->arg, item->uid, outcome, err) < 0)
		return -1;
	/* No wait for a server: this is where other work, and a signal, gets its turn. */
	return maildir->wait.wait(maildir->wait.arg, -1, 0, clock_ms(), err) < 0 ? -1 : 0;
}

static int maildir_fetch(struct source *source, const struct source_item *items,
	size_t count, const struct source_sink *sink, struct err *err)
{
	struct source_maildir *maildir = (struct source_maildir *)source;

	for (size_t i = 0; i < count; i++)
		if (fetch_one(maildir, &items[i], sink, err) < 0)
			return -1;
	return 0;
}

static int maildir_settle_items(struct source *source, const struct source_item *items,
	size_t count, struct err *err)
{
	struct source_maildir *maildir = (struct source_maildir *)source;

	if (maildir->account->after_kind == AFTER_KEEP)
		return 0;
	return maildir_settle(maildir->account, &maildir->list, items, count, err);
}

/* What settle did is on disk. */
static int maildir_finish(struct source *source, struct err *err)
{
	(void)source;
	(void)err;
	return 0;
}

static void maildir_close_source(struct source *source)
{
	struct source_maildir *maildir = (struct source_maildir *)source;

	maildir_list_done(&maildir->list);
	defer_close(&maildir->new);
	defer_close(&maildir->cur);
	free(maildir);
}

static const struct source_ops maildir_ops = {
	.select = maildir_select,
	.list = maildir_list,
	.fetch = maildir_fetch,
	.settle = maildir_settle_items,
	.finish = maildir_finish,
	.close = maildir_close_source,
};

static int open_folder(
	int root, const char *path, const char *name, int *fd_r, struct err *err)
{
	*fd_r = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd_r >= 0)
		return 0;
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return err_set(err, ERR_ACCOUNT,
			"%s is no Maildir: expected a folder \"%s\" in it", path, name);
	return err_errno(err, file_err_kind(errno), "cannot open %s/%s", path, name);
}

static void maildir_defer(struct source_maildir **maildir)
{
	if (*maildir)
		maildir_close_source(&(*maildir)->source);
}

int source_maildir_open(const struct account_settings *account,
	const struct stream_wait *wait, struct source **source_r, struct err *err)
{
	DEFER(maildir_defer) struct source_maildir *maildir = calloc(1, sizeof(*maildir));
	const char *path = account->source_path;
	auto_close int root = -1;

	if (!maildir)
		return err_memory(err);
	maildir->source.ops = &maildir_ops;
	maildir->account = account;
	maildir->wait = *wait;
	maildir->new = maildir->cur = -1;
	/* The path is its owner's word, so it may be a link; what is inside may not. */
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_errno(err, file_err_kind(errno), "cannot open %s", path);
	if (open_folder(root, path, "new", &maildir->new, err) < 0 ||
		open_folder(root, path, "cur", &maildir->cur, err) < 0)
		return -1;
	maildir->list = (struct maildir_list){
		.new = maildir->new, .cur = maildir->cur, .path = path
	};
	*source_r = &((struct source_maildir *)take_ptr(&maildir))->source;
	return 0;
}
