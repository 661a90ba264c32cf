/* SPDX-License-Identifier: ISC
 *
 * The file: a header, the messages one after the other, an index, and once all is shown the word
 * for it. The header's digest covers header and index, so that a torn one is told from a whole
 * one; numbers are this machine's, whose state it is. */
#include "mailfilter/mbox_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/hash.h"

#include "mailfilter/mbox_text.h"

static const char magic[16] = "mailfilter mbox";
static const char ended[8] = "ended.\n";

struct header {
	char magic[16];
	struct mbox_place place;
	uint64_t end;
	uint64_t count, known;
	struct hash hash;
};

enum {
	INDEX_MAX = (size_t)MBOX_BATCH_MAX * sizeof(struct mbox_entry) +
		    (size_t)MBOX_BATCH_KNOWN_MAX * MESSAGE_NAME_MAX
};

static int fail(const struct mbox_batch *batch, const char *what, struct err *err)
{
	return err_errno(err, file_err_kind(errno), "cannot %s %s", what, batch->path);
}

static int digest(const struct header *header, struct span index, struct hash *hash_r,
	struct err *err)
{
	auto_buf struct buf bytes;
	struct header blank = *header;

	memset(&blank.hash, 0, sizeof(blank.hash));
	buf_init(&bytes, sizeof(blank) + INDEX_MAX);
	if (buf_add(&bytes, &blank, sizeof(blank), err) < 0 ||
		buf_add(&bytes, index.data, index.len, err) < 0)
		return -1;
	return hash_span(buf_span(&bytes), hash_r, err);
}

/* All of it, or false: the file ends before. */
static bool read_all(int fd, void *bytes, size_t len, uint64_t at)
{
	uint8_t *to = bytes;

	while (len > 0) {
		ssize_t got = pread(fd, to, len, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		at += (uint64_t)got;
		len -= (size_t)got;
	}
	return true;
}

static bool terminated(const char *name)
{
	return memchr(name, '\0', MESSAGE_NAME_MAX) != NULL;
}

static int take_index(struct mbox_batch *batch, struct span index, struct names *known,
	size_t known_count, struct err *err)
{
	const uint8_t *names = index.data + batch->count * sizeof(*batch->entries);

	memcpy(batch->entries, index.data, batch->count * sizeof(*batch->entries));
	for (size_t i = 0; i < batch->count; i++) {
		const struct mbox_entry *entry = &batch->entries[i];

		if (!terminated(entry->name) || entry->at > batch->end ||
			entry->len > batch->end - entry->at)
			return 1;
	}
	for (size_t i = 0; i < known_count; i++) {
		const char *name = (const char *)names + i * MESSAGE_NAME_MAX;

		if (!terminated(name))
			return 1;
		if (names_add(known, name, err) < 0)
			return -1;
	}
	return 0;
}

/* 1: nothing that can be used. */
static int load(struct mbox_batch *batch, struct names *known, struct err *err)
{
	auto_buf struct buf index;
	struct header header;
	struct hash hash;
	char word[sizeof(ended)];
	size_t len;
	uint8_t *room;

	buf_init(&index, INDEX_MAX);
	batch->fd = open(batch->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (batch->fd < 0)
		return errno == ENOENT ? 1 : fail(batch, "open", err);
	if (!read_all(batch->fd, &header, sizeof(header), 0) ||
		memcmp(header.magic, magic, sizeof(magic)) != 0 ||
		header.count > MBOX_BATCH_MAX || header.known > MBOX_BATCH_KNOWN_MAX ||
		header.end < sizeof(header) || header.end > INT64_MAX)
		return 1;
	len = header.count * sizeof(*batch->entries) + header.known * MESSAGE_NAME_MAX;
	if (buf_reserve(&index, len, &room, err) < 0)
		return -1;
	if (!read_all(batch->fd, room, len, header.end))
		return 1;
	index.len = len;
	if (digest(&header, buf_span(&index), &hash, err) < 0)
		return -1;
	if (memcmp(&hash, &header.hash, sizeof(hash)) != 0)
		return 1;
	batch->place = header.place;
	batch->end = header.end;
	batch->count = header.count;
	batch->index_end = header.end + len;
	batch->placed = true;
	batch->ended =
		read_all(batch->fd, batch->shown, batch->count, batch->index_end) &&
		read_all(
			batch->fd, word, sizeof(word), batch->index_end + batch->count) &&
		memcmp(word, ended, sizeof(ended)) == 0;
	return take_index(batch, buf_span(&index), known, header.known, err);
}

int mbox_batch_open(
	const char *dir, struct mbox_batch *batch_r, struct names *known, struct err *err)
{
	struct mbox_batch batch = { .dirfd = -1, .fd = -1 };
	int result;

	if (asprintf(&batch.path, "%s/mbox.batch", dir) < 0)
		batch.path = NULL;
	if (asprintf(&batch.new_path, "%s/mbox.batch.new", dir) < 0)
		batch.new_path = NULL;
	batch.entries = calloc(MBOX_BATCH_MAX, sizeof(*batch.entries));
	batch.shown = calloc(MBOX_BATCH_MAX, sizeof(*batch.shown));
	if (!batch.entries || !batch.shown || !batch.path || !batch.new_path)
		result = err_memory(err);
	else if (file_open_dir(dir, &batch.dirfd, err) < 0)
		result = -1;
	else
		result = load(&batch, known, err);
	if (result > 0)
		mbox_batch_clear(&batch);
	if (result < 0) {
		mbox_batch_close(&batch);
		return -1;
	}
	*batch_r = batch;
	return 0;
}

void mbox_batch_close(struct mbox_batch *batch)
{
	defer_close(&batch->dirfd);
	defer_close(&batch->fd);
	free(batch->path);
	free(batch->new_path);
	free(batch->entries);
	free(batch->shown);
	*batch = (struct mbox_batch){ .dirfd = -1, .fd = -1 };
}

static int write_at(
	struct mbox_batch *batch, uint64_t at, struct span bytes, struct err *err)
{
	while (bytes.len > 0) {
		ssize_t done = pwrite(batch->fd, bytes.data, bytes.len, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = ENOSPC;
		if (done <= 0)
			return fail(batch, "write", err);
		at += (uint64_t)done;
		bytes = span_part(bytes, (size_t)done, bytes.len);
	}
	return 0;
}

/* Many lines are quoted one by one: gathered, so that each is not a write of its own. */
struct gather {
	struct mbox_batch *batch;
	struct buf buf;
	uint64_t at;
};

enum {
	GATHER_MAX = 64 * 1024
};

static int flush(struct gather *gather, struct err *err)
{
	if (write_at(gather->batch, gather->at, buf_span(&gather->buf), err) < 0)
		return -1;
	gather->at += gather->buf.len;
	buf_clear(&gather->buf);
	return 0;
}

static int gather_bytes(void *arg, struct span bytes, struct err *err)
{
	struct gather *gather = arg;

	while (bytes.len > 0) {
		const struct span some =
			span_part(bytes, 0, GATHER_MAX - gather->buf.len);

		if (buf_add(&gather->buf, some.data, some.len, err) < 0)
			return -1;
		bytes = span_part(bytes, some.len, bytes.len);
		if (gather->buf.len == GATHER_MAX && flush(gather, err) < 0)
			return -1;
	}
	return 0;
}

static void gather_done(struct gather *gather)
{
	buf_done(&gather->buf);
}

/* Beside the last one, which may hold names that are still needed. */
static int begin(struct mbox_batch *batch, struct err *err)
{
	defer_close(&batch->fd);
	batch->fd = open(batch->new_path,
		O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (batch->fd < 0)
		return err_errno(
			err, file_err_kind(errno), "cannot make %s", batch->new_path);
	batch->end = sizeof(struct header);
	batch->placed = batch->ended = false;
	return 0;
}

int mbox_batch_add(struct mbox_batch *batch, const char *name, const char *sender,
	int64_t wall_s, const struct body *message, struct err *err)
{
	DEFER(gather_done) struct gather gather = { .batch = batch };
	struct mbox_entry *entry = &batch->entries[batch->count];

	if (batch->count == MBOX_BATCH_MAX)
		return err_set(
			err, ERR_AGAIN, "more than %d messages at once", MBOX_BATCH_MAX);
	if (batch->count == 0 && begin(batch, err) < 0)
		return -1;
	buf_init(&gather.buf, GATHER_MAX);
	gather.at = batch->end;
	if (mbox_text_write(message, sender, wall_s, gather_bytes, &gather, err) < 0 ||
		flush(&gather, err) < 0)
		return -1;
	(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
	entry->at = batch->end;
	entry->len = gather.at - batch->end;
	batch->shown[batch->count++] = false;
	batch->end = gather.at;
	return 0;
}

void mbox_batch_remove(struct mbox_batch *batch, const char *name)
{
	size_t i = 0;

	while (i < batch->count && strcmp(batch->entries[i].name, name) != 0)
		i++;
	if (i == batch->count)
		return;
	batch->count--;
	memmove(&batch->entries[i], &batch->entries[i + 1],
		(batch->count - i) * sizeof(*batch->entries));
	memmove(&batch->shown[i], &batch->shown[i + 1], batch->count - i);
}

int mbox_batch_commit(struct mbox_batch *batch, const struct mbox_place *place,
	const struct names *known, struct err *err)
{
	const size_t skipped = known->count > MBOX_BATCH_KNOWN_MAX
				       ? known->count - MBOX_BATCH_KNOWN_MAX
				       : 0;
	auto_buf struct buf index;
	struct header header;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, magic, sizeof(magic));
	header.place = *place;
	header.end = batch->end;
	header.count = batch->count;
	header.known = known->count - skipped;
	buf_init(&index, INDEX_MAX);
	if (buf_add(&index, batch->entries, batch->count * sizeof(*batch->entries), err) <
			0 ||
		(header.known > 0 && buf_add(&index, known->items[skipped],
					     header.known * MESSAGE_NAME_MAX, err) < 0) ||
		digest(&header, buf_span(&index), &header.hash, err) < 0 ||
		write_at(batch, batch->end, buf_span(&index), err) < 0 ||
		write_at(batch, 0, (struct span){ (uint8_t *)&header, sizeof(header) },
			err) < 0)
		return -1;
	/* A message that failed half-way may stand behind it, where its end belongs. */
	if (ftruncate(batch->fd, (off_t)(batch->end + index.len)) < 0 ||
		fsync(batch->fd) < 0 || rename(batch->new_path, batch->path) < 0)
		return fail(batch, "sync", err);
	if (file_sync_dir(batch->dirfd, batch->path, err) < 0)
		return -1;
	batch->place = *place;
	batch->index_end = batch->end + index.len;
	batch->placed = true;
	batch->ended = false;
	return 0;
}

int mbox_batch_read(const struct mbox_batch *batch, const struct mbox_entry *entry,
	uint64_t from, struct mbox_piece *piece_r, struct err *err)
{
	const uint64_t left = entry->len - from;
	const size_t size = sizeof(piece_r->bytes);

	piece_r->len = left < size ? (size_t)left : size;
	errno = EIO;
	if (!read_all(batch->fd, piece_r->bytes, piece_r->len, entry->at + from))
		return fail(batch, "read", err);
	return 0;
}

void mbox_batch_end(struct mbox_batch *batch)
{
	uint8_t bytes[MBOX_BATCH_MAX + sizeof(ended)];

	memcpy(bytes, batch->shown, batch->count);
	memcpy(bytes + batch->count, ended, sizeof(ended));
	(void)write_at(batch, batch->index_end,
		(struct span){ bytes, batch->count + sizeof(ended) }, NULL);
	batch->ended = true;
}

void mbox_batch_clear(struct mbox_batch *batch)
{
	batch->count = 0;
	batch->placed = batch->ended = false;
	defer_close(&batch->fd);
	batch->fd = -1;
	/* Where that fails, or a power cut undoes it, an old batch stays: all of it is on record. */
	(void)unlink(batch->path);
	(void)unlink(batch->new_path);
}
