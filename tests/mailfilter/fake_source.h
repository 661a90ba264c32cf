/* SPDX-License-Identifier: ISC
 *
 * A mailbox in memory that behaves as told: folders of messages, sessions that break, settling
 * that is refused. It notes every message that is fetched and settled, and in which folder. */
#ifndef TESTS_FAKE_SOURCE_H
#define TESTS_FAKE_SOURCE_H

#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "mailfilter/source.h"

enum {
	FAKE_FOLDERS_MAX = 3,
	FAKE_MESSAGES_MAX = 40,
	FAKE_NEVER = -1
};

struct fake_message {
	const char *uid, *bytes; /* bytes NULL: none are given */
	bool gone;               /* settled for good */
	bool kills;              /* the process dies of it */
	bool breaks;             /* the session ends when it is fetched */
};

struct fake_folder {
	const char *name;
	uint32_t uidvalidity;
	bool missing;
	bool listed;    /* though it is missing */
	unsigned marks; /* of its listing */
	enum err_kind settle_error;
	struct fake_message messages[FAKE_MESSAGES_MAX];
	int64_t dates[FAKE_MESSAGES_MAX]; /* of the messages, 0: unknown */
};

struct fake_source {
	struct source source;
	struct fake_folder folders[FAKE_FOLDERS_MAX];
	struct fake_folder *selected;
	int fetches_left;  /* then the session breaks; FAKE_NEVER */
	bool deletes;      /* what is settled is gone */
	int settle_breaks; /* so many times the session ends instead of settling */
	int finish_breaks;
	int heads_breaks;
	bool heads_kill; /* the process dies when heads are asked for */
	/* Called when a session breaks: others may be at the mailbox meanwhile. */
	void (*meanwhile)(struct fake_source *fake);
	/* Called when a listing is over, before it is known. */
	void (*arrives)(struct fake_source *fake);
	struct fake_message *numbers[FAKE_MESSAGES_MAX]; /* of this session's listing */
	bool marked[FAKE_MESSAGES_MAX];
	bool lost; /* this session is broken: everything fails */
	int sessions, listings, measures;
	bool renumbers; /* another UIDVALIDITY at each login */
	char log[2048]; /* "fetch A/1;settle A/1;" */
};

static struct fake_source *fake_of(struct source *source)
{
	return (struct fake_source *)(void *)source;
}

static void fake_note(struct fake_source *fake, const char *what, const char *uid)
{
	size_t used = strlen(fake->log);

	(void)snprintf(fake->log + used, sizeof(fake->log) - used, "%s %s/%s;", what,
		fake->selected ? fake->selected->name : "-", uid);
}

static int fake_lost(struct fake_source *fake, struct err *err)
{
	if (!fake->lost && fake->meanwhile)
		fake->meanwhile(fake);
	fake->lost = true;
	return err_set(err, ERR_SESSION, "the line broke");
}

static int fake_select(struct source *source, const char *folder, uint32_t *uidvalidity_r,
	struct err *err)
{
	struct fake_source *fake = fake_of(source);

	fake->selected = NULL;
	if (fake->lost)
		return fake_lost(fake, err);
	for (size_t i = 0; i < FAKE_FOLDERS_MAX; i++) {
		struct fake_folder *at = &fake->folders[i];

		if (!at->name || strcmp(at->name, folder) != 0 || at->missing)
			continue;
		fake->selected = at;
		*uidvalidity_r = at->uidvalidity;
		return 0;
	}
	return err_set(err, ERR_ACCOUNT, "folder \"%s\": no such folder", folder);
}

static int fake_folders(
	struct source *source, struct source_folder_list *list_r, struct err *err)
{
	struct fake_source *fake = fake_of(source);

	if (fake->lost)
		return fake_lost(fake, err);
	fake->listings++;
	*list_r = (struct source_folder_list){ 0 };
	list_r->items = calloc(FAKE_FOLDERS_MAX, sizeof(*list_r->items));
	assert_non_null(list_r->items);
	for (size_t i = 0; i < FAKE_FOLDERS_MAX; i++) {
		const struct fake_folder *at = &fake->folders[i];
		struct source_folder *item = &list_r->items[list_r->count];

		if (!at->name || (at->missing && !at->listed))
			continue;
		(void)snprintf(item->name, sizeof(item->name), "%s", at->name);
		item->separator = '/';
		item->marks = at->marks;
		list_r->count++;
	}
	return 0;
}

static int fake_list(struct source *source, uint32_t after_uid,
	struct source_item **items_r, size_t *count_r, struct err *err)
{
	struct fake_source *fake = fake_of(source);
	struct source_item *items = calloc(FAKE_MESSAGES_MAX, sizeof(*items));
	size_t count = 0;

	assert_non_null(items);
	assert_non_null(fake->selected);
	(void)err;
	for (size_t i = 0; i < FAKE_MESSAGES_MAX; i++) {
		struct fake_message *message = &fake->selected->messages[i];

		if (!message->uid || message->gone ||
			strtoul(message->uid, NULL, 10) <= after_uid)
			continue;
		(void)snprintf(
			items[count].uid, sizeof(items[count].uid), "%s", message->uid);
		/* As POP3 has it: of this session alone. */
		items[count].number = (uint32_t)count + 1;
		fake->numbers[count] = message;
		items[count].size = message->bytes ? strlen(message->bytes) : 10;
		items[count].date_s = fake->selected->dates[i];
		count++;
	}
	*items_r = items;
	*count_r = count;
	if (fake->arrives)
		fake->arrives(fake);
	return 0;
}

/* As IMAP has it: where there are UIDs they come first, and sizes when they are asked for. */
static int fake_names(struct source *source, uint32_t after_uid,
	struct source_item **items_r, size_t *count_r, struct err *err)
{
	if (fake_list(source, after_uid, items_r, count_r, err) < 0)
		return -1;
	if (fake_of(source)->selected->uidvalidity == 0)
		return 0;
	for (size_t i = 0; i < *count_r; i++)
		(*items_r)[i].size = (uint64_t)((*items_r)[i].date_s = 0);
	return 1;
}

static int fake_measure(
	struct source *source, struct source_item *items, size_t count, struct err *err)
{
	struct fake_source *fake = fake_of(source);

	assert_non_null(fake->selected);
	if (fake->lost)
		return fake_lost(fake, err);
	fake->measures++;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < FAKE_MESSAGES_MAX; j++) {
			const struct fake_message *message = &fake->selected->messages[j];

			if (!message->uid || strcmp(message->uid, items[i].uid) != 0)
				continue;
			items[i].size = message->bytes ? strlen(message->bytes) : 10;
			items[i].date_s = fake->selected->dates[j];
		}
	return 0;
}

static struct fake_message *fake_find(struct fake_source *fake, const char *uid)
{
	assert_non_null(fake->selected);
	for (size_t i = 0; i < FAKE_MESSAGES_MAX; i++) {
		struct fake_message *message = &fake->selected->messages[i];

		if (message->uid && !message->gone && strcmp(message->uid, uid) == 0)
			return message;
	}
	return NULL;
}

static int fake_fetch(struct source *source, const struct source_item *items,
	size_t count, const struct source_sink *sink, struct err *err)
{
	struct fake_source *fake = fake_of(source);

	for (size_t i = 0; i < count; i++) {
		struct fake_message *message = fake_find(fake, items[i].uid);

		assert_non_null(message);
		if (message->kills)
			(void)raise(SIGKILL);
		if (fake->lost || message->breaks || fake->fetches_left == 0)
			return fake_lost(fake, err);
		if (fake->fetches_left > 0)
			fake->fetches_left--;
		fake_note(fake, "fetch", items[i].uid);
		if (message->bytes &&
			sink->data(sink->arg, span_str(message->bytes), err) < 0)
			return -1;
		if (sink->done(sink->arg, items[i].uid,
			    message->bytes ? SOURCE_FETCHED : SOURCE_NIL, err) < 0)
			return -1;
	}
	return 0;
}

static int fake_heads(struct source *source, const struct source_item *items,
	size_t count, struct head *heads_r, struct err *err)
{
	struct fake_source *fake = fake_of(source);

	if (fake->heads_kill)
		(void)raise(SIGKILL);
	if (fake->lost || fake->heads_breaks > 0) {
		fake->heads_breaks--;
		return fake_lost(fake, err);
	}
	for (size_t i = 0; i < count; i++) {
		const struct fake_message *message = fake_find(fake, items[i].uid);

		fake_note(fake, "head", items[i].uid);
		heads_r[i] = (struct head){ 0 };
		if (!message || !message->bytes)
			continue;
		heads_r[i].known = true;
		assert_int_equal(
			hash_span(span_part(span_str(message->bytes), 0, HEAD_BYTES),
				&heads_r[i].hash, NULL),
			0);
	}
	return 0;
}

/* By number and at its finish, as POP3, or by UID at once. */
static int fake_settle(struct source *source, const struct source_item *items,
	size_t count, struct err *err)
{
	struct fake_source *fake = fake_of(source);

	if (fake->lost || fake->settle_breaks > 0) {
		fake->settle_breaks--;
		return fake_lost(fake, err);
	}
	assert_non_null(fake->selected);
	if (fake->selected->settle_error != ERR_NONE)
		return err_set(err, fake->selected->settle_error, "%s: over quota",
			fake->selected->name);
	for (size_t i = 0; i < count; i++) {
		struct fake_message *message = fake_find(fake, items[i].uid);

		if (source->settle_at_finish) {
			fake->marked[items[i].number - 1] = true;
			continue;
		}
		fake_note(fake, "settle", items[i].uid);
		if (message && fake->deletes)
			message->gone = true;
	}
	return 0;
}

static int fake_finish(struct source *source, struct err *err)
{
	struct fake_source *fake = fake_of(source);

	if (fake->lost || fake->finish_breaks > 0) {
		fake->finish_breaks--;
		return fake_lost(fake, err);
	}
	for (size_t i = 0; i < FAKE_MESSAGES_MAX; i++) {
		if (!fake->marked[i])
			continue;
		fake_note(fake, "settle", fake->numbers[i]->uid);
		fake->numbers[i]->gone = true;
	}
	return 0;
}

static void fake_close(struct source *source)
{
	fake_of(source)->selected = NULL;
}

static const struct source_ops fake_ops = {
	.folders = fake_folders,
	.select = fake_select,
	.list = fake_list,
	.names = fake_names,
	.measure = fake_measure,
	.fetch = fake_fetch,
	.heads = fake_heads,
	.settle = fake_settle,
	.finish = fake_finish,
	.close = fake_close,
};

/* A new session with it. */
static void fake_connect(struct fake_source *fake)
{
	fake->source.ops = &fake_ops;
	fake->selected = NULL;
	fake->lost = false;
	fake->sessions++;
	for (size_t i = 0; i < FAKE_FOLDERS_MAX && fake->renumbers; i++)
		fake->folders[i].uidvalidity++;
	memset(fake->marked, 0, sizeof(fake->marked));
}

/* How often this stands in the log. */
static inline size_t fake_count(const struct fake_source *fake, const char *what)
{
	size_t count = 0;

	for (const char *at = fake->log; (at = strstr(at, what)); at++)
		count++;
	return count;
}

#endif
