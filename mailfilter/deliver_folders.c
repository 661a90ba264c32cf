/* SPDX-License-Identifier: ISC
 *
 * Several destinations of one account as one: the usual place first, then the folders of its
 * rules, then those that its rules had. A batch is synced and shown in all of them. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

#include "mailfilter/deliver.h"
#include "mailfilter/record_look.h"
#include "mailfilter/rule_settings.h"

struct place {
	const char *folder;              /* borrowed; "" for the usual place */
	struct account_settings account; /* of a folder; owns nothing but path */
	char *path, *dir;
	struct deliver *deliver;
};

struct deliver_folders {
	struct deliver deliver;
	struct place *places;
	size_t count;
	char (*begun)[MESSAGE_TARGET_MAX];
	size_t begun_count;
};

static struct deliver_folders *of(struct deliver *deliver)
{
	return (struct deliver_folders *)((char *)deliver -
					  offsetof(struct deliver_folders, deliver));
}

static struct place *find(struct deliver_folders *own, const char *folder)
{
	for (size_t i = 0; i < own->count; i++)
		if (strcmp(own->places[i].folder, folder) == 0)
			return &own->places[i];
	return NULL;
}

static struct deliver *deliver_of(struct deliver *deliver, const struct message *message)
{
	struct deliver_folders *own = of(deliver);
	const struct place *place = find(own, message->folder);

	return place ? place->deliver : own->places[0].deliver;
}

static int ask(
	struct deliver *deliver, const char *folder, uint64_t *room_r, struct err *err)
{
	struct deliver_folders *own = of(deliver);
	const struct place *place = find(own, folder);
	struct deliver *to = place ? place->deliver : own->places[0].deliver;

	if (to->ops->ask)
		return to->ops->ask(to, folder, room_r, err);
	*room_r = UINT64_MAX;
	return 1;
}

static int write_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct deliver *to = deliver_of(deliver, message);

	return to->ops->write(to, message, err);
}

/* All of them in any case: one that fails takes back its own, and what others made durable is left
 * and swept by the next run, as after a crash. */
static int sync_all(struct deliver *deliver, struct err *err)
{
	struct deliver_folders *own = of(deliver);
	int result = 0;

	for (size_t i = 0; i < own->count; i++) {
		struct deliver *to = own->places[i].deliver;
		struct err one = { 0 };

		if (to->ops->sync(to, &one) < 0 && result == 0) {
			result = -1;
			*err = one;
		}
	}
	return result;
}

static int show_one(struct deliver *deliver, struct message *message, struct err *err)
{
	struct deliver *to = deliver_of(deliver, message);

	return to->ops->show(to, message, err);
}

static int sync_shown(struct deliver *deliver, struct err *err)
{
	struct deliver_folders *own = of(deliver);
	int result = 0;

	for (size_t i = 0; i < own->count; i++) {
		struct deliver *to = own->places[i].deliver;
		struct err one = { 0 };

		if (to->ops->shown(to, &one) < 0 && result == 0) {
			result = -1;
			*err = one;
		}
	}
	return result;
}

/* By its name alone, which no two messages have: wherever it is. */
static void forget_one(struct deliver *deliver, const char *name)
{
	struct deliver_folders *own = of(deliver);

	for (size_t i = 0; i < own->count; i++)
		own->places[i].deliver->ops->forget(own->places[i].deliver, name);
}

static int each_leftover(struct deliver *deliver,
	int (*each)(void *arg, const char *name, struct err *err), void *arg,
	struct err *err)
{
	struct deliver_folders *own = of(deliver);

	for (size_t i = 0; i < own->count; i++) {
		struct deliver *to = own->places[i].deliver;

		if (to->ops->leftovers(to, each, arg, err) < 0)
			return -1;
	}
	return 0;
}

static int each_placed(struct deliver *deliver,
	int (*each)(void *arg, const struct deliver_placed *placed, struct err *err),
	void *arg, struct err *err)
{
	struct deliver_folders *own = of(deliver);

	for (size_t i = 0; i < own->count; i++) {
		struct deliver *to = own->places[i].deliver;

		if (to->ops->placed && to->ops->placed(to, each, arg, err) < 0)
			return -1;
	}
	return 0;
}

static void discard_one(struct deliver *deliver, struct message *message)
{
	struct deliver *to = deliver_of(deliver, message);

	to->ops->discard(to, message);
}

static void close_all(struct deliver *deliver)
{
	struct deliver_folders *own = of(deliver);

	for (size_t i = 0; i < own->count; i++) {
		struct place *place = &own->places[i];

		if (place->deliver)
			place->deliver->ops->close(place->deliver);
		free(place->path);
		free(place->dir);
	}
	free(own->places);
	free(own->begun);
	free(own);
}

static const struct deliver_ops ops = {
	.ask = ask,
	.write = write_one,
	.sync = sync_all,
	.show = show_one,
	.shown = sync_shown,
	.forget = forget_one,
	.leftovers = each_leftover,
	.placed = each_placed,
	.discard = discard_one,
	.close = close_all,
};

/* Where mail for this folder goes, beside where all other mail goes. */
static char *path_of(const struct account_settings *account, const char *folder)
{
	const char *const usual = account->deliver_path;
	const char *const slash = usual ? strrchr(usual, '/') : NULL;
	char *path = NULL;
	int made;

	if (account->deliver_kind == DELIVER_MBOX)
		made = asprintf(&path, "%.*s/%s", slash ? (int)(slash - usual) : 0,
			slash ? usual : "", folder);
	else
		made = asprintf(&path, "%s/.%s", usual ? usual : "", folder);
	return made < 0 ? NULL : path;
}

/* The usual place is opened as the account says. A folder has an account of its own, which differs
 * in its path alone, and a folder in the state for a journal of its own. */
static int open_place(struct place *place, const struct deliver_tools *tools,
	const char *folder, struct err *err)
{
	struct deliver_tools own = *tools;

	if (!folder[0])
		return deliver_open(tools, &place->deliver, err);
	place->account = *tools->account;
	place->path = path_of(tools->account, folder);
	if (asprintf(&place->dir, "%s/folders/%s", tools->dir, folder) < 0)
		place->dir = NULL;
	if (!place->path || !place->dir)
		return err_memory(err);
	if (file_mkdirs(place->dir, S_IRWXU, err) < 0)
		return -1;
	place->account.deliver_path = place->path;
	own.account = &place->account;
	own.dir = place->dir;
	return deliver_open(&own, &place->deliver, err);
}

static int add(struct deliver_folders *own, const struct deliver_tools *tools,
	const char *folder, struct err *err)
{
	struct place *place = &own->places[own->count];
	size_t batch_max;

	place->folder = folder;
	own->count++;
	if (open_place(place, tools, folder, err) < 0)
		return -1;
	batch_max = place->deliver->batch_max;
	if (batch_max > 0 &&
		(own->deliver.batch_max == 0 || batch_max < own->deliver.batch_max))
		own->deliver.batch_max = batch_max;
	return 0;
}

/* Where deliveries were begun. Only these kinds have folders. */
static int add_begun(
	struct deliver_folders *own, const struct deliver_tools *tools, struct err *err)
{
	const enum deliver_kind kind = tools->account->deliver_kind;

	if (kind != DELIVER_MAILDIR && kind != DELIVER_MBOX)
		return 0;
	for (size_t i = 0; i < own->begun_count; i++)
		if (!find(own, own->begun[i]) && add(own, tools, own->begun[i], err) < 0)
			return -1;
	return 0;
}

static int add_all(struct deliver_folders *own, const struct settings *settings,
	const struct deliver_tools *tools, struct err *err)
{
	if (tools->record &&
		record_targets(tools->record, &own->begun, &own->begun_count, err) < 0)
		return -1;
	/* Never moved: each is pointed at by what is open in it. */
	own->places = calloc(
		settings->rules.count + own->begun_count + 1, sizeof(*own->places));
	if (!own->places)
		return err_memory(err);
	if (add(own, tools, "", err) < 0)
		return -1;
	for (size_t i = 0; i < settings->rules.count; i++) {
		const struct rule_settings *rule = settings_rule(settings, i);

		if (rule->then_kind == RULE_FOLDER &&
			rule_is_for(rule, tools->account->name) &&
			!find(own, rule->folder) &&
			add(own, tools, rule->folder, err) < 0)
			return -1;
	}
	return add_begun(own, tools, err);
}

int deliver_folders_open(const struct settings *settings,
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err)
{
	struct deliver_folders *own = calloc(1, sizeof(*own));

	if (!own)
		return err_memory(err);
	own->deliver.ops = &ops;
	if (add_all(own, settings, tools, err) < 0) {
		close_all(&own->deliver);
		return -1;
	}
	*deliver_r = &own->deliver;
	return 0;
}
