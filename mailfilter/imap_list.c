/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mailfilter/imap.h"
#include "mailfilter/imap_facts.h"

enum {
	LIST_AT_ONCE = 10000,        /* messages a command lists, about */
	LIST_FEW = 64,               /* messages whose sizes are soon told */
	LIST_WIDTH_MIN = 1000,       /* UIDs a range spans at first */
	LIST_WIDTH_MAX = 256 * 1024, /* so that a dense stretch stays within the answer */
};

static const char measures[] = " RFC822.SIZE INTERNALDATE";

struct listing {
	uint32_t after_uid;
	bool names; /* sizes and dates are not asked for */
	struct source_item *items;
	size_t count, size;
	enum err_kind failed; /* ERR_NONE while all is well */
};

static void listing_done(struct listing *listing)
{
	free(listing->items);
}

static int64_t seconds(const struct mailimap_date_time *date)
{
	struct tm tm = {
		.tm_year = date->dt_year - 1900,
		.tm_mon = date->dt_month - 1,
		.tm_mday = date->dt_day,
		.tm_hour = date->dt_hour,
		.tm_min = date->dt_min,
		.tm_sec = date->dt_sec,
	};
	/* Zone is +hhmm as a number. Untrusted: only what is a date counts. */
	int64_t zone_s = (date->dt_zone / 100) * 3600 + (date->dt_zone % 100) * 60;

	if (date->dt_year < 1970 || date->dt_year > 9999 || date->dt_month < 1 ||
		date->dt_month > 12 || date->dt_zone < -2400 || date->dt_zone > 2400)
		return 0;
	return (int64_t)timegm(&tm) - zone_s;
}

static int grow(struct listing *listing)
{
	size_t size = listing->size ? listing->size * 2 : 256;
	struct source_item *items;

	if (listing->count < listing->size)
		return 0;
	if (listing->count >= IMAP_ITEMS_MAX) {
		listing->failed = ERR_ACCOUNT;
		return -1;
	}
	items = reallocarray(listing->items, size, sizeof(*items));
	if (!items) {
		listing->failed = ERR_FATAL;
		return -1;
	}
	listing->items = items;
	listing->size = size;
	return 0;
}

static void add(struct listing *listing, uint32_t uid, uint64_t size, int64_t date_s)
{
	struct source_item *item;

	if (listing->failed != ERR_NONE || grow(listing) < 0)
		return;
	item = &listing->items[listing->count++];
	*item = (struct source_item){ .size = size, .date_s = date_s };
	(void)snprintf(item->uid, sizeof(item->uid), "%" PRIu32, uid);
}

/* What a FETCH response says of a message. */
struct facts {
	uint32_t uid, size;
	int64_t date_s;
	bool sized;
};

static struct facts read_facts(const struct mailimap_msg_att *message)
{
	const struct mailimap_msg_att_static *size =
		imap_facts_find(message, MAILIMAP_MSG_ATT_RFC822_SIZE);
	const struct mailimap_msg_att_static *date =
		imap_facts_find(message, MAILIMAP_MSG_ATT_INTERNALDATE);
	struct facts facts = { .uid = imap_facts_message_uid(message),
		.sized = size != NULL };

	if (size)
		facts.size = size->att_data.att_rfc822_size;
	if (date && date->att_data.att_internal_date)
		facts.date_s = seconds(date->att_data.att_internal_date);
	return facts;
}

/* A FETCH response: ours if it has both UID and size, where that was asked for; others are news of
 * flags. */
static void list_message(struct mailimap_msg_att *message, void *arg)
{
	struct listing *listing = arg;
	const struct facts facts = read_facts(message);

	/* "n:*" has the last message in it even where that is below n. */
	if ((facts.sized || listing->names) && facts.uid > listing->after_uid)
		add(listing, facts.uid, facts.size, facts.date_s);
}

static int answered(const struct imap *imap, int result, struct err *err)
{
	if (result != 0)
		return result < 0 ? -1 : 0;
	return err_set(
		err, ERR_SESSION, "the server does not list: %.300s", imap_words(imap));
}

static int list_range(struct imap *imap, struct listing *listing, uint32_t from,
	const char *to, struct err *err)
{
	const struct imap_handler handler = { .message = list_message, .arg = listing };
	int result;

	imap_handle(imap, &handler);
	result = imap_printf(imap, err, "UID FETCH %" PRIu32 ":%s (UID%s)", from, to,
		listing->names ? "" : measures);
	imap_handle(imap, NULL);
	if (result < 0)
		return -1;
	if (listing->failed == ERR_FATAL)
		return err_memory(err);
	if (listing->failed != ERR_NONE)
		return err_set(err, ERR_ACCOUNT,
			"more than %d messages in one folder: move some away",
			IMAP_ITEMS_MAX);
	return answered(imap, result, err);
}

/* A large folder in ranges of UIDs, each answer within the gate's limit; UIDNEXT is only a
 * hint where to stop: the last range is open, so new mail is not missed. */
static int list_ranges(struct imap *imap, struct listing *listing, struct err *err)
{
	const struct mailimap_selection_info *folder = imap->etpan->imap_selection_info;
	uint64_t from = (uint64_t)listing->after_uid + 1, width = LIST_WIDTH_MIN;

	while (from + width < folder->sel_uidnext) {
		size_t before = listing->count;
		char to[16];

		(void)snprintf(to, sizeof(to), "%" PRIu64, from + width - 1);
		if (list_range(imap, listing, (uint32_t)from, to, err) < 0)
			return -1;
		from += width;
		if (listing->count - before < LIST_AT_ONCE / 4)
			width = width * 4 < LIST_WIDTH_MAX ? width * 4 : LIST_WIDTH_MAX;
		else if (listing->count - before > LIST_AT_ONCE)
			width = width / 4 > LIST_WIDTH_MIN ? width / 4 : LIST_WIDTH_MIN;
	}
	return list_range(imap, listing, (uint32_t)from, "*", err);
}

/* Numbers without leading zeros: the longer one is the larger. */
static int compare(const void *left, const void *right)
{
	const struct source_item *a = left, *b = right;
	size_t a_len = strlen(a->uid), b_len = strlen(b->uid);

	return a_len != b_len ? (a_len > b_len) - (a_len < b_len)
			      : strcmp(a->uid, b->uid);
}

/* Ascending, each UID once: servers need not keep an order. */
static void put_in_order(struct listing *listing)
{
	size_t kept = 0;

	if (listing->count == 0)
		return;
	qsort(listing->items, listing->count, sizeof(*listing->items), compare);
	for (size_t i = 1; i < listing->count; i++) {
		if (compare(&listing->items[i], &listing->items[kept]) != 0)
			listing->items[++kept] = listing->items[i];
	}
	listing->count = kept + 1;
}

static int list(struct source *source, struct listing *listing,
	struct source_item **items_r, size_t *count_r, struct err *err)
{
	struct imap *imap = (struct imap *)source;
	const struct mailimap_selection_info *folder = imap->etpan->imap_selection_info;
	int result;

	if (!folder || imap->uidvalidity == 0)
		return err_set(err, ERR_SESSION, "no folder is selected");
	if (listing->after_uid == UINT32_MAX ||
		(folder->sel_has_exists && folder->sel_exists == 0))
		result = 0;
	else if (folder->sel_has_exists && folder->sel_exists <= LIST_AT_ONCE)
		result = list_range(imap, listing, listing->after_uid + 1, "*", err);
	else
		result = list_ranges(imap, listing, err);
	if (result < 0)
		return -1;
	put_in_order(listing);
	*count_r = listing->count;
	*items_r = take_ptr(&listing->items);
	return 0;
}

int imap_list(struct source *source, uint32_t after_uid, struct source_item **items_r,
	size_t *count_r, struct err *err)
{
	DEFER(listing_done) struct listing listing = { .after_uid = after_uid };

	return list(source, &listing, items_r, count_r, err);
}

/* By what was said when the folder was opened. */
static bool are_few(const struct mailimap_selection_info *folder, uint32_t after_uid)
{
	return folder &&
	       ((folder->sel_has_exists && folder->sel_exists <= LIST_FEW) ||
		       (folder->sel_uidnext > 0 &&
			       folder->sel_uidnext <= (uint64_t)after_uid + LIST_FEW));
}

int imap_names(struct source *source, uint32_t after_uid, struct source_item **items_r,
	size_t *count_r, struct err *err)
{
	const struct imap *imap = (const struct imap *)source;
	DEFER(listing_done)
	struct listing listing = { .after_uid = after_uid,
		.names = !are_few(imap->etpan->imap_selection_info, after_uid) };

	return list(source, &listing, items_r, count_r, err) < 0 ? -1 : listing.names;
}

/* In the order of their UIDs. */
struct measured {
	struct source_item *items;
	size_t count;
};

static void measure_message(struct mailimap_msg_att *message, void *arg)
{
	const struct measured *measured = arg;
	const struct facts facts = read_facts(message);
	struct source_item wanted = { 0 }, *item;

	(void)snprintf(wanted.uid, sizeof(wanted.uid), "%" PRIu32, facts.uid);
	item = bsearch(
		&wanted, measured->items, measured->count, sizeof(wanted), compare);
	if (!item || !facts.sized)
		return;
	item->size = facts.size;
	item->date_s = facts.date_s;
}

int imap_measure(
	struct source *source, struct source_item *items, size_t count, struct err *err)
{
	struct imap *imap = (struct imap *)source;
	struct measured measured = { .items = items, .count = count };
	const struct imap_handler handler = { .message = measure_message,
		.arg = &measured };
	int result;

	if (count == 0)
		return 0;
	imap_handle(imap, &handler);
	result = imap_printf(imap, err, "UID FETCH %s:%s (UID%s)", items[0].uid,
		items[count - 1].uid, measures);
	imap_handle(imap, NULL);
	return answered(imap, result, err);
}
