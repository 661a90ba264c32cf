/* SPDX-License-Identifier: ISC */
#include "mailfilter/placed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

static int put_copy(struct record *record, const char *folder,
	const struct placed *placed, struct err *err)
{
	struct record_row row = { .key.uidvalidity = placed->uidvalidity,
		.state = RECORD_SETTLED,
		.action = ACTION_DELIVER,
		.reason = "put there by mailfilter",
		.size = placed->size,
		.listed_size = placed->size,
		.head = placed->head,
		.time_s = clock_wall_s() };

	(void)snprintf(row.key.folder, sizeof(row.key.folder), "%s", folder);
	(void)snprintf(row.key.uid, sizeof(row.key.uid), "%" PRIu32, placed->uid);
	row.since_s = row.time_s;
	return record_put(record, &row, err);
}

int placed_put(struct record *record, const struct message *message, struct err *err)
{
	return put_copy(record, message->key.folder, &message->placed, err);
}

/* The intent of a delivery, by its name: UIDs may have changed since. */
struct search {
	const char *name;
	struct record_row row;
	bool found;
};

static int look(const struct record_row *row, void *arg)
{
	struct search *search = arg;

	if (strcmp(row->name, search->name) != 0)
		return 0;
	search->row = *row;
	search->found = true;
	return -1;
}

static int put_both(struct record *record, const struct deliver_placed *placed,
	struct search *search, struct err *err)
{
	struct record_row *row = &search->row;

	if (record_each(record, NULL, 0, 1U << RECORD_INTENT, look, search, err) < 0 ||
		put_copy(record, placed->folder, &placed->placed, err) < 0)
		return -1;
	if (!search->found)
		return 0;
	row->state = row->action == ACTION_PARK ? RECORD_PARKED : RECORD_DONE;
	row->time_s = clock_wall_s();
	return record_put(record, row, err);
}

struct catch_up {
	struct record *record;
	struct deliver *deliver;
};

static int catch_up_one(void *arg, const struct deliver_placed *placed, struct err *err)
{
	const struct catch_up *own = arg;
	struct search search = { .name = placed->name };

	if (record_begin(own->record, err) < 0)
		return -1;
	if (put_both(own->record, placed, &search, err) < 0) {
		record_rollback(own->record);
		return -1;
	}
	if (record_commit(own->record, err) < 0)
		return -1;
	/* Else its original, when it is told again, must still find its copy. */
	if (search.found)
		own->deliver->ops->forget(own->deliver, placed->name);
	return 0;
}

int placed_catch_up(struct record *record, struct deliver *deliver, struct err *err)
{
	struct catch_up own = { record, deliver };

	if (!deliver || !deliver->ops->placed)
		return 0;
	return deliver->ops->placed(deliver, catch_up_one, &own, err);
}
