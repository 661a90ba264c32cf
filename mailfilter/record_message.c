/* SPDX-License-Identifier: ISC
 *
 * The record's rows of messages and of the last run. */
#include <string.h>

#include "mailfilter/record_private.h"

static void bind_key(sqlite3_stmt *statement, const struct message_key *key)
{
	record_bind_text(statement, 1, key->folder);
	record_bind_number(statement, 2, key->uidvalidity);
	record_bind_text(statement, 3, key->uid);
}

void record_read_row(sqlite3_stmt *from, struct record_row *row)
{
	*row = (struct record_row){
		.key.uidvalidity = (uint32_t)sqlite3_column_int64(from, 1),
		.state = (enum record_state)sqlite3_column_int(from, 3),
		.action = (enum action)sqlite3_column_int(from, 4),
		.size = (uint64_t)sqlite3_column_int64(from, 10),
		.attempts = (uint32_t)sqlite3_column_int64(from, 11),
		.time_s = sqlite3_column_int64(from, 12),
		.since_s = sqlite3_column_int64(from, 14),
		.listed_size = (uint64_t)sqlite3_column_int64(from, 15),
	};
	record_column_text(from, 0, row->key.folder, sizeof(row->key.folder));
	record_column_text(from, 2, row->key.uid, sizeof(row->key.uid));
	record_column_text(from, 5, row->name, sizeof(row->name));
	record_column_text(from, 6, row->quarantine_id, sizeof(row->quarantine_id));
	record_column_text(from, 7, row->verdict, sizeof(row->verdict));
	record_column_text(from, 8, row->reason, sizeof(row->reason));
	record_column_text(from, 9, row->judged, sizeof(row->judged));
	record_column_text(from, 13, row->rule, sizeof(row->rule));
	record_column_head(from, 16, &row->head);
	row->target_known = sqlite3_column_type(from, 17) == SQLITE_TEXT;
	record_column_text(from, 17, row->target, sizeof(row->target));
	row->waits = (enum waits)sqlite3_column_int(from, 18);
}

/* The row of a message in *find_r, to be reset behind its reading. */
static int find_row(struct record *record, enum record_sql which,
	const struct message_key *key, sqlite3_stmt **find_r, struct err *err)
{
	*find_r = record_prepare(record, which, err);
	if (!*find_r)
		return -1;
	bind_key(*find_r, key);
	return record_step(record, *find_r, err);
}

int record_find_state(struct record *record, const struct message_key *key,
	enum record_state *state_r, struct err *err)
{
	sqlite3_stmt *row;
	const int got = find_row(record, SQL_FIND_STATE, key, &row, err);

	if (got == 1)
		*state_r = (enum record_state)sqlite3_column_int(row, 0);
	(void)sqlite3_reset(row);
	return got;
}

int record_find(struct record *record, const struct message_key *key,
	struct record_row *row_r, struct err *err)
{
	sqlite3_stmt *row;
	const int got = find_row(record, SQL_FIND, key, &row, err);

	if (got == 1)
		record_read_row(row, row_r);
	(void)sqlite3_reset(row);
	return got;
}

int record_is_delivered(struct record *record, const char *name, struct err *err)
{
	sqlite3_stmt *const find = record_prepare(record, SQL_IS_DELIVERED, err);
	int got;

	if (!find)
		return -1;
	record_bind_text(find, 1, name);
	record_bind_number(find, 2, RECORD_PARKED);
	record_bind_number(find, 3, RECORD_DONE);
	record_bind_number(find, 4, RECORD_SETTLED);
	got = record_step(record, find, err);
	(void)sqlite3_reset(find);
	return got;
}

int record_put(struct record *record, const struct record_row *row, struct err *err)
{
	sqlite3_stmt *const put = record_prepare(record, SQL_PUT, err);

	if (!put)
		return -1;
	bind_key(put, &row->key);
	record_bind_number(put, 4, row->state);
	record_bind_number(put, 5, row->action);
	record_bind_text(put, 6, row->name);
	record_bind_text(put, 7, row->quarantine_id);
	record_bind_text(put, 8, row->verdict);
	record_bind_text(put, 9, row->reason);
	record_bind_text(put, 10, row->judged);
	record_bind_number(put, 11, (int64_t)row->size);
	record_bind_number(put, 12, row->attempts);
	record_bind_number(put, 13, row->time_s);
	record_bind_text(put, 14, row->rule);
	record_bind_number(put, 15, row->since_s);
	record_bind_number(put, 16, (int64_t)row->listed_size);
	record_bind_head(put, 17, &row->head);
	record_bind_text(put, 18, row->target_known ? row->target : NULL);
	record_bind_number(put, 19, row->waits);
	return record_write(record, put, err);
}

static int last_change(struct record *record, int64_t *last_r, struct err *err)
{
	sqlite3_stmt *const last = record_prepare(record, SQL_LAST, err);
	int got;

	if (!last)
		return -1;
	got = record_step(record, last, err);
	if (got == 1)
		*last_r = sqlite3_column_int64(last, 0);
	(void)sqlite3_reset(last);
	return got < 0 ? -1 : 0;
}

/* What one walk over the rows asks for. */
struct walk {
	const char *folder;
	uint32_t uidvalidity;
	unsigned states;
	int64_t after, until; /* changes */
};

/* The next rows of a walk; moves it behind them. */
static int read_page(struct record *record, struct walk *walk,
	struct record_row page[static RECORD_PAGE], size_t *count_r, struct err *err)
{
	sqlite3_stmt *const each = record_prepare(record, SQL_EACH, err);
	size_t count = 0;
	int got;

	if (!each)
		return -1;
	record_bind_number(each, 1, walk->after);
	record_bind_number(each, 2, walk->until);
	record_bind_number(each, 3, walk->states);
	record_bind_text(each, 4, walk->folder);
	record_bind_number(each, 5, walk->uidvalidity);
	record_bind_number(each, 6, RECORD_PAGE);
	while ((got = record_step(record, each, err)) == 1 && count < RECORD_PAGE) {
		walk->after = sqlite3_column_int64(each, 19);
		record_read_row(each, &page[count++]);
	}
	(void)sqlite3_reset(each);
	*count_r = count;
	return got < 0 ? -1 : 0;
}

static int walk_rows(struct record *record, struct walk *walk,
	struct record_row page[static RECORD_PAGE],
	int (*each)(const struct record_row *row, void *arg), void *arg, struct err *err)
{
	size_t count = RECORD_PAGE;

	/* What each itself changes lies behind this end and is not seen again. */
	if (last_change(record, &walk->until, err) < 0)
		return -1;
	while (count == RECORD_PAGE) {
		if (read_page(record, walk, page, &count, err) < 0)
			return -1;
		for (size_t i = 0; i < count; i++)
			if (each(&page[i], arg) < 0)
				return 0;
	}
	return 0;
}

/* NOLINTNEXTLINE(readability-function-size): seven parameters, all of them the question */
int record_each(struct record *record, const char *folder, uint32_t uidvalidity,
	unsigned states, int (*each)(const struct record_row *row, void *arg), void *arg,
	struct err *err)
{
	struct walk walk = { folder, uidvalidity, states, 0, 0 };
	struct record_row *page = calloc(RECORD_PAGE, sizeof(*page));
	int done;

	if (!page)
		return err_memory(err);
	done = walk_rows(record, &walk, page, each, arg, err);
	free(page);
	return done;
}

static void add_count(struct record_counts *counts, enum record_state state,
	bool infected, uint64_t number)
{
	if (infected)
		counts->infected += number;
	switch (state) {
	case RECORD_HELD:
		counts->held += number;
		break;
	case RECORD_PARKED:
		counts->parked += number;
		break;
	case RECORD_INTENT:
		counts->pending += number;
		break;
	case RECORD_DONE:
	case RECORD_SETTLED:
		counts->done += number;
		break;
	case RECORD_PASSED:
		break;
	}
}

int record_count(struct record *record, struct record_counts *counts_r, struct err *err)
{
	sqlite3_stmt *const count = record_prepare(record, SQL_COUNT, err);
	struct record_counts counts = { 0 };
	int got;

	if (!count)
		return -1;
	while ((got = record_step(record, count, err)) == 1)
		add_count(&counts, (enum record_state)sqlite3_column_int(count, 0),
			sqlite3_column_int(count, 1) != 0,
			(uint64_t)sqlite3_column_int64(count, 2));
	(void)sqlite3_reset(count);
	if (got < 0)
		return -1;
	*counts_r = counts;
	return 0;
}

int record_run(struct record *record, int64_t *last_s_r, char *summary, size_t size,
	struct err *err)
{
	sqlite3_stmt *const run = record_prepare(record, SQL_RUN, err);
	int got;

	if (!run)
		return -1;
	got = record_step(record, run, err);
	if (got >= 0)
		*last_s_r = got ? sqlite3_column_int64(run, 0) : 0;
	if (got == 1)
		record_column_text(run, 1, summary, size);
	else if (got == 0 && size > 0)
		summary[0] = '\0';
	(void)sqlite3_reset(run);
	return got < 0 ? -1 : 0;
}

int record_set_run(
	struct record *record, int64_t when_s, const char *summary, struct err *err)
{
	sqlite3_stmt *const set = record_prepare(record, SQL_SET_RUN, err);

	if (!set)
		return -1;
	record_bind_number(set, 1, when_s);
	record_bind_text(set, 2, summary);
	return record_write(record, set, err);
}
