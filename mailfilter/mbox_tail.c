/* SPDX-License-Identifier: ISC */
#include "mailfilter/mbox_tail.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

static int fail(const char *what, const char *path, struct err *err)
{
	return err_errno(err, file_err_kind(errno), "cannot %s %s", what, path);
}

int mbox_tail_compare(const struct mbox_batch *batch, const struct mbox_entry *entry,
	int fd, uint64_t pos, uint64_t *len_r, struct err *err)
{
	uint8_t theirs[sizeof(((struct mbox_piece *)NULL)->bytes)];
	struct mbox_piece ours;
	uint64_t done = 0;
	ssize_t got = 1;

	while (done < entry->len && got > 0) {
		if (mbox_batch_read(batch, entry, done, &ours, err) < 0)
			return -1;
		got = pread(fd, theirs, ours.len, (off_t)(pos + done));
		if (got < 0)
			return err_errno(
				err, file_err_kind(errno), "cannot read the mailbox");
		if (got > 0 && memcmp(ours.bytes, theirs, (size_t)got) != 0)
			break;
		done += (uint64_t)got;
	}
	*len_r = done;
	return 0;
}

/* The line ends before the first message: 1: there, 0: others stand there. */
static int compare_newlines(const struct mbox_batch *batch, int fd, uint64_t *pos)
{
	char found[MBOX_NEWLINES_MAX + 1] = "";
	const size_t count = (size_t)batch->place.newlines;
	ssize_t got;

	if (count > MBOX_NEWLINES_MAX)
		return 0;
	got = pread(fd, found, count, (off_t)*pos);
	if (got < 0 || memcmp(found, "\n\n", (size_t)got) != 0)
		return 0;
	*pos += (uint64_t)got;
	return 1;
}

int mbox_tail_recover(struct mbox_batch *batch, int fd, const char *path, struct err *err)
{
	struct stat st;
	uint64_t pos = batch->place.offset, torn_at = pos, size;
	bool torn = false;

	memset(batch->shown, 0, batch->count);
	if (fstat(fd, &st) < 0)
		return fail("look at", path, err);
	size = (uint64_t)st.st_size;
	if (size <= pos || !compare_newlines(batch, fd, &pos))
		return 0;
	torn = pos == size;
	for (size_t i = 0; i < batch->count && pos < size; i++) {
		const struct mbox_entry *entry = &batch->entries[i];
		uint64_t len;

		if (mbox_tail_compare(batch, entry, fd, pos, &len, err) < 0)
			return -1;
		/* One that failed for want of space was cut off again: it is skipped. */
		torn = len < entry->len && pos + len == size;
		if (len < entry->len && !torn)
			continue;
		torn_at = torn ? torn_at : pos + len;
		pos += len;
		batch->shown[i] = !torn;
	}
	if (torn && ftruncate(fd, (off_t)torn_at) < 0)
		return fail("cut a torn message off", path, err);
	return fsync(fd) < 0 ? fail("sync", path, err) : 0;
}
