/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/hash.h"
#include "common/parse.h"

#include "mailfilter/pop3.h"

enum {
	UIDL_PLAIN_MAX = 100 /* RFC 1939 says 70; room is left for "#" and a number */
};

static const char hashed[] = "sha256:";

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

/* Ends in "#" and digits: what a repeated UIDL is made into. */
static bool looks_counted(struct span uidl)
{
	size_t len = uidl.len;

	while (len > 0 && uidl.data[len - 1] >= '0' && uidl.data[len - 1] <= '9')
		len--;
	return len < uidl.len && len > 0 && uidl.data[len - 1] == '#';
}

static bool is_plain(struct span uidl)
{
	if (uidl.len == 0 || uidl.len > UIDL_PLAIN_MAX || looks_counted(uidl) ||
		span_is(span_part(uidl, 0, sizeof(hashed) - 1), hashed))
		return false;
	for (size_t i = 0; i < uidl.len; i++) {
		if (uidl.data[i] < 0x21 || uidl.data[i] > 0x7e)
			return false;
	}
	return true;
}

/* No two different UIDLs give one uid: what is too long or could be taken for a name made here
 * becomes its hash. */
static int uid_of(struct span uidl, char uid[static MESSAGE_UID_MAX], struct err *err)
{
	char text[HASH_TEXT_MAX];
	struct hash hash;

	if (is_plain(uidl)) {
		memcpy(uid, uidl.data, uidl.len);
		uid[uidl.len] = '\0';
		return 0;
	}
	if (hash_span(uidl, &hash, err) < 0)
		return -1;
	(void)snprintf(uid, MESSAGE_UID_MAX, "%s%s", hashed, hash_text(&hash, text));
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
	return uid_of(span_trim(span_str(rest)), item->uid, err);
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
	if (listing->count > 1)
		qsort(listing->items, listing->count, sizeof(*listing->items),
			compare_number);
	for (size_t i = 1; i < listing->count; i++) {
		if (listing->items[i].number == listing->items[i - 1].number)
			return err_set(err, ERR_SESSION, "%s: message %u twice", command,
				listing->items[i].number);
	}
	return 1;
}

/* UIDLs may repeat (RFC 1939 allows it for equal messages): the second becomes UIDL#2. */
static void count_equal(struct listing *listing)
{
	size_t ordinal = 1;

	if (listing->count < 2)
		return;
	qsort(listing->items, listing->count, sizeof(*listing->items), compare_uid);
	for (size_t i = 1; i < listing->count; i++) {
		struct source_item *item = &listing->items[i];
		const struct source_item *first = item - ordinal;

		if (strcmp(item->uid, first->uid) != 0) {
			ordinal = 1;
			continue;
		}
		ordinal++;
		(void)snprintf(item->uid + strlen(item->uid),
			sizeof(item->uid) - strlen(item->uid), "#%zu", ordinal);
	}
	qsort(listing->items, listing->count, sizeof(*listing->items), compare_number);
}

int pop3_list(struct source *source, uint32_t after_uid, struct source_item **items_r,
	size_t *count_r, struct err *err)
{
	struct pop3 *pop3 = (struct pop3 *)source;
	DEFER(listing_done) struct listing uids = { 0 };
	DEFER(listing_done) struct listing sizes = { 0 };
	int result;

	(void)after_uid;
	result = read_listing(pop3, "UIDL", &uids, add_uidl, err);
	if (result == 0)
		return err_set(err, ERR_ACCOUNT,
			"%.100s has no UIDL, so what was fetched before cannot be told: "
			"%.200s (use IMAP if it offers that)",
			pop3->account->host, pop3_words(pop3));
	if (result > 0)
		result = read_listing(pop3, "LIST", &sizes, add_size, err);
	if (result < 0)
		return -1;
	if (result == 0)
		return err_set(err, ERR_SESSION, "LIST: %.300s", pop3_words(pop3));
	if (uids.count != sizes.count)
		return err_set(err, ERR_SESSION, "LIST has %zu messages, UIDL %zu",
			sizes.count, uids.count);
	for (size_t i = 0; i < uids.count; i++) {
		if (uids.items[i].number != sizes.items[i].number)
			return err_set(err, ERR_SESSION,
				"LIST and UIDL name different messages");
		uids.items[i].size = sizes.items[i].size;
	}
	count_equal(&uids);
	*count_r = uids.count;
	*items_r = take_ptr(&uids.items);
	return 0;
}
