/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/hash.h"
#include "common/parse.h"

#include "mailfilter/pop3.h"
#include "mailfilter/pop3_uid.h"

struct listing {
	struct source_item *items;
	size_t count, size;
};

static void listing_done(struct listing *listing)
{
	free(listing->items);
}

static int grow(struct listing *listing, struct err *err)
{
	size_t size = listing->size ? listing->size * 2 : 256;
	struct source_item *items;

	if (listing->count < listing->size)
		return 0;
	if (listing->count >= POP3_LINES_MAX)
		return err_set(err, ERR_ACCOUNT,
			"more than %d messages in one mailbox: move some away",
			POP3_LINES_MAX);
	items = reallocarray(listing->items, size, sizeof(*items));
	if (!items)
		return err_memory(err);
	listing->items = items;
	listing->size = size;
	return 0;
}

/* "NUMBER REST". Numbers are positive, and there is a limit to how many; a server that says
 * otherwise is not to be followed. */
static int take_number(
	struct pop3 *pop3, uint32_t *number_r, char **rest_r, struct err *err)
{
	char *rest = strchr(pop3->line, ' ');
	uint64_t number;

	if (rest)
		*rest++ = '\0';
	if (parse_number(pop3->line, 1, POP3_LINES_MAX, &number, NULL) < 0) {
		pop3->broken = true;
		return err_set(
			err, ERR_SESSION, "\"%.40s\" is no message number", pop3->line);
	}
	while (rest && *rest == ' ')
		rest++;
	*number_r = (uint32_t)number;
	*rest_r = rest ? rest : pop3->line + strlen(pop3->line);
	return 0;
}

static int add_uidl(struct pop3 *pop3, struct source_item *item, struct err *err)
{
	char *rest = pop3->line;

	if (take_number(pop3, &item->number, &rest, err) < 0)
		return -1;
	return pop3_uid(span_trim(span_str(rest)), item->uid, err);
}

static int add_size(struct pop3 *pop3, struct source_item *item, struct err *err)
{
	char *rest = pop3->line;

	if (take_number(pop3, &item->number, &rest, err) < 0)
		return -1;
	rest[strcspn(rest, " ")] = '\0'; /* some add more */
	if (parse_number(rest, 0, UINT64_MAX, &item->size, NULL) < 0) {
		pop3->broken = true;
		return err_set(err, ERR_SESSION, "LIST: \"%.40s\" is no size", rest);
	}
	return 0;
}

static int compare_number(const void *left, const void *right)
{
	const struct source_item *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

/* Stable by number, so that the first of equal UIDLs stays the first. */
static int compare_uid(const void *left, const void *right)
{
	const struct source_item *a = left, *b = right;
	int order = strcmp(a->uid, b->uid);

	return order ? order : compare_number(left, right);
}

static void sort(
	struct listing *listing, int (*compare)(const void *left, const void *right))
{
	if (listing->count > 1)
		qsort(listing->items, listing->count, sizeof(*listing->items), compare);
}

/* A command's whole answer, by number, each once. 1: done, 0: -ERR. */
static int read_listing(struct pop3 *pop3, const char *command, struct listing *listing,
	int (*add)(struct pop3 *pop3, struct source_item *item, struct err *err),
	struct err *err)
{
	int result = pop3_command(pop3, err, command);

	if (result <= 0)
		return result;
	while ((result = pop3_list_line(pop3, err)) > 0) {
		struct source_item item = { 0 };

		if (add(pop3, &item, err) < 0 || grow(listing, err) < 0) {
			pop3->broken = true;
			return -1;
		}
		listing->items[listing->count++] = item;
	}
	if (result < 0)
		return -1;
	sort(listing, compare_number);
	for (size_t i = 1; i < listing->count; i++) {
		if (listing->items[i].number == listing->items[i - 1].number)
			return err_set(err, ERR_SESSION, "%s: message %u twice", command,
				listing->items[i].number);
	}
	return 1;
}

/* Where the run of equal UIDLs ends that begins here; the items are in their order. */
static size_t end_of_run(const struct listing *listing, size_t start)
{
	size_t end = start + 1;

	while (end < listing->count &&
		strcmp(listing->items[end].uid, listing->items[start].uid) == 0)
		end++;
	return end;
}

static void name_by_top(struct source_item *item, const struct hash *hash)
{
	char text[HASH_TEXT_MAX];

	(void)snprintf(
		item->uid, sizeof(item->uid), POP3_UID_TOP "%s", hash_text(hash, text));
}

/* Equal UIDLs of equal messages are fine (RFC 1939 allows them), those of different ones tell
 * nothing: if one of them is deleted, another takes its place. Then their headers tell. */
static void name_run(struct source_item *items, const struct hash *hashes, size_t count)
{
	bool differ = false;

	for (size_t i = 1; i < count; i++)
		differ = differ || !hash_equal(&hashes[i], &hashes[0]);
	for (size_t i = 0; differ && i < count; i++)
		name_by_top(&items[i], &hashes[i]);
}

/* The headers of all these, if the server has TOP. 1: it has. */
static int read_tops(struct pop3 *pop3, const struct source_item *items, size_t count,
	struct hash **hashes_r, struct err *err)
{
	auto_free uint32_t *numbers = calloc(count, sizeof(*numbers));
	auto_free struct hash *hashes = calloc(count, sizeof(*hashes));
	int result;

	if (!numbers || !hashes)
		return err_memory(err);
	for (size_t i = 0; i < count; i++)
		numbers[i] = items[i].number;
	result = pop3_tops(pop3, numbers, count, hashes, err);
	if (result > 0)
		*hashes_r = take_ptr(&hashes);
	return result;
}

/* Runs of equal UIDLs, whose messages may differ. */
static int tell_equal(struct pop3 *pop3, struct listing *listing, struct err *err)
{
	for (size_t start = 0, end; start < listing->count; start = end) {
		auto_free struct hash *hashes = NULL;
		int result;

		end = end_of_run(listing, start);
		if (end == start + 1)
			continue;
		result = read_tops(
			pop3, &listing->items[start], end - start, &hashes, err);
		if (result < 0)
			return -1;
		if (result == 0)
			return 0;
		name_run(&listing->items[start], hashes, end - start);
	}
	return 0;
}

/* What is equal still: the second becomes UIDL#2. */
static void count_equal(struct listing *listing)
{
	for (size_t start = 0, end; start < listing->count; start = end) {
		end = end_of_run(listing, start);
		for (size_t i = start + 1; i < end; i++) {
			struct source_item *item = &listing->items[i];

			(void)snprintf(item->uid + strlen(item->uid),
				sizeof(item->uid) - strlen(item->uid), "#%zu",
				i - start + 1);
		}
	}
}

/* Each gets a name of its own, that it has in the next session too. */
static int make_unique(struct pop3 *pop3, struct listing *listing, struct err *err)
{
	sort(listing, compare_uid);
	if (tell_equal(pop3, listing, err) < 0)
		return -1;
	sort(listing, compare_uid);
	count_equal(listing);
	sort(listing, compare_number);
	return 0;
}

/* No UIDL: the headers are all there is to tell messages by. */
static int name_all(struct pop3 *pop3, struct listing *listing, struct err *err)
{
	auto_free struct hash *hashes = NULL;
	char refusal[200];
	int result;

	(void)snprintf(refusal, sizeof(refusal), "%s", pop3_words(pop3));
	result = read_listing(pop3, "LIST", listing, add_size, err);
	if (result == 0)
		return err_set(err, ERR_SESSION, "LIST: %.300s", pop3_words(pop3));
	if (result < 0 || listing->count == 0)
		return result < 0 ? -1 : 0;
	result = read_tops(pop3, listing->items, listing->count, &hashes, err);
	if (result < 0)
		return -1;
	if (result == 0)
		return err_set(err, ERR_ACCOUNT,
			"%.100s has neither UIDL nor TOP, so what was fetched before cannot "
			"be told: %.200s (use IMAP if it offers that)",
			pop3->account->host, refusal);
	for (size_t i = 0; i < listing->count; i++)
		name_by_top(&listing->items[i], &hashes[i]);
	return 0;
}

/* The sizes of what has UIDLs. */
static int add_sizes(struct pop3 *pop3, struct listing *uids, struct err *err)
{
	DEFER(listing_done) struct listing sizes = { 0 };
	int result = read_listing(pop3, "LIST", &sizes, add_size, err);

	if (result < 0)
		return -1;
	if (result == 0)
		return err_set(err, ERR_SESSION, "LIST: %.300s", pop3_words(pop3));
	if (uids->count != sizes.count)
		return err_set(err, ERR_SESSION, "LIST has %zu messages, UIDL %zu",
			sizes.count, uids->count);
	for (size_t i = 0; i < uids->count; i++) {
		if (uids->items[i].number != sizes.items[i].number)
			return err_set(err, ERR_SESSION,
				"LIST and UIDL name different messages");
		uids->items[i].size = sizes.items[i].size;
	}
	return 0;
}

int pop3_list(struct source *source, uint32_t after_uid, struct source_item **items_r,
	size_t *count_r, struct err *err)
{
	struct pop3 *pop3 = (struct pop3 *)source;
	DEFER(listing_done) struct listing listing = { 0 };
	int result;

	(void)after_uid;
	result = read_listing(pop3, "UIDL", &listing, add_uidl, err);
	if (result == 0 && pop3_temporary(pop3))
		return err_set(
			err, ERR_SESSION, "UIDL: not now: %.300s", pop3_words(pop3));
	if (result >= 0)
		result = result ? add_sizes(pop3, &listing, err)
				: name_all(pop3, &listing, err);
	if (result < 0 || make_unique(pop3, &listing, err) < 0)
		return -1;
	*count_r = listing.count;
	*items_r = take_ptr(&listing.items);
	return 0;
}
