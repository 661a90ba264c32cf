/* SPDX-License-Identifier: ISC
 *
 * Was it copied before? A server without MOVE copies and marks; where the session broke in between,
 * the copy is found by what tells a message again (head.h), so that it is not made twice. */
#include <stdio.h>
#include <string.h>

#include "mailfilter/imap.h"

enum {
	COPIES_CHUNK = 500 /* heads asked for with one command */
};

/* A message that may have a copy. */
struct wanted {
	uint64_t size;
	struct head head;
	size_t at; /* which of the caller's it is */
};

struct copies {
	struct imap *imap;
	struct wanted *wanted; /* by size */
	size_t count;
	bool *copied;                           /* the caller's */
	struct source_item found[COPIES_CHUNK]; /* in the target, of a wanted size */
	size_t found_count;
	struct head heads[COPIES_CHUNK];
};

static void copies_done(struct copies **copies)
{
	if (*copies)
		free((*copies)->wanted);
	free(*copies);
}

static int compare(const void *left, const void *right)
{
	const struct wanted *a = left, *b = right;

	return (a->size > b->size) - (a->size < b->size);
}

/* The first of this size, or count. */
static size_t first_of(const struct copies *copies, uint64_t size)
{
	size_t low = 0, high = copies->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (copies->wanted[middle].size < size)
			low = middle + 1;
		else
			high = middle;
	}
	return low < copies->count && copies->wanted[low].size == size ? low
								       : copies->count;
}

/* One that stands in the target is the copy of one message at most. */
static void take_copy(struct copies *copies, uint64_t size, const struct head *head)
{
	for (size_t i = first_of(copies, size);
		i < copies->count && copies->wanted[i].size == size; i++) {
		const struct wanted *wanted = &copies->wanted[i];

		if (copies->copied[wanted->at] || !head_equal(&wanted->head, head))
			continue;
		copies->copied[wanted->at] = true;
		return;
	}
}

static int compare_found(struct copies *copies, struct err *err)
{
	size_t count = copies->found_count;

	copies->found_count = 0;
	if (count == 0)
		return 0;
	if (imap_heads(&copies->imap->source, copies->found, count, copies->heads, err) <
		0)
		return -1;
	for (size_t i = 0; i < count; i++)
		take_copy(copies, copies->found[i].size, &copies->heads[i]);
	return 0;
}

/* Through the target, which is the current folder. */
static int look_through(struct copies *copies, struct err *err)
{
	auto_free struct source_item *list = NULL;
	size_t count = 0;

	if (imap_list(&copies->imap->source, 0, &list, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (first_of(copies, list[i].size) == copies->count)
			continue;
		copies->found[copies->found_count++] = list[i];
		if (copies->found_count == COPIES_CHUNK && compare_found(copies, err) < 0)
			return -1;
	}
	return compare_found(copies, err);
}

static int look(struct copies *copies, const char *folder, struct err *err)
{
	struct imap *imap = copies->imap;
	char home[MESSAGE_FOLDER_MAX];
	uint32_t uidvalidity, before = imap->uidvalidity;
	struct err missing;

	(void)snprintf(home, sizeof(home), "%s", imap->folder);
	if (imap_open_folder(imap, "EXAMINE", folder, &uidvalidity, &missing) == 0) {
		if (look_through(copies, err) < 0)
			return -1;
	} else if (missing.kind != ERR_ACCOUNT) {
		*err = missing;
		return -1;
	}
	/* One that is not there holds no copies. */
	if (imap_open_folder(imap, "SELECT", home, &uidvalidity, err) < 0)
		return -1;
	if (uidvalidity == before)
		return 0;
	imap->broken = true;
	return err_set(err, ERR_SESSION, "the folder's UIDVALIDITY changed meanwhile");
}

static int read_wanted(
	struct copies *copies, const struct source_item *items, struct err *err)
{
	auto_free struct head *heads = calloc(copies->count, sizeof(*heads));

	copies->wanted = calloc(copies->count, sizeof(*copies->wanted));
	if (!heads || !copies->wanted)
		return err_memory(err);
	if (imap_heads(&copies->imap->source, items, copies->count, heads, err) < 0)
		return -1;
	for (size_t i = 0; i < copies->count; i++)
		copies->wanted[i] = (struct wanted){ items[i].size, heads[i], i };
	qsort(copies->wanted, copies->count, sizeof(*copies->wanted), compare);
	return 0;
}

int imap_find_copies(struct imap *imap, const char *folder,
	const struct source_item *items, size_t count, bool *copied_r, struct err *err)
{
	struct copies *copies DEFER(copies_done) = calloc(1, sizeof(*copies));

	if (!copies)
		return err_memory(err);
	copies->imap = imap;
	copies->count = count;
	copies->copied = copied_r;
	if (read_wanted(copies, items, err) < 0)
		return -1;
	return look(copies, folder, err);
}
