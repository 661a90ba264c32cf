/* SPDX-License-Identifier: ISC
 *
 * mailfilter quarantine list. */
#include "mailfilter/cmd_quarantine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/quarantine.h"

/* How one stands. */
enum standing {
	STANDING_KEPT,
	STANDING_RELEASED,
	STANDING_RELEASING, /* cut off */
	STANDING_DELETING,  /* cut off */
	STANDING_MISSING,   /* on record, and its file is gone */
	STANDING_ORPHAN,    /* a file that is not on record */
};

static const char *const names[] = { "kept", "released", "releasing", "deleting",
	"missing", "orphan" };

struct listing {
	const struct cmd_quarantine *command;
	const char *account, *dir;
	struct record *record;
	uint64_t count;
	struct err err;
};

static enum standing standing_of(
	const struct listing *listing, const struct record_quarantined *item)
{
	auto_close int fd = -1;
	struct err err = { 0 };

	if (item->fate == RECORD_DELETING)
		return STANDING_DELETING;
	if (quarantine_original(listing->dir, item->id, &fd, &err) < 0 &&
		err.kind == ERR_MESSAGE)
		return STANDING_MISSING;
	if (item->fate == RECORD_RELEASED)
		return STANDING_RELEASED;
	return item->fate == RECORD_RELEASING ? STANDING_RELEASING : STANDING_KEPT;
}

static void print_standing(const char *id, enum standing standing, int64_t fate_s)
{
	char when[CLOCK_TEXT_MAX];

	switch (standing) {
	case STANDING_KEPT:
		break;
	case STANDING_RELEASED:
		(void)printf("    released %s\n", clock_iso(fate_s, when));
		break;
	case STANDING_RELEASING:
		(void)printf("    its release %s was cut off; to end it: mailfilter "
			     "quarantine release %s\n",
			clock_iso(fate_s, when), id);
		break;
	case STANDING_DELETING:
		(void)puts("    its deletion was cut off, or is under way");
		break;
	case STANDING_MISSING:
		(void)printf("    its file is GONE; to clear this entry: mailfilter "
			     "quarantine delete %s\n",
			id);
		break;
	case STANDING_ORPHAN:
		(void)puts("    not on record: left by a crash, or just being kept");
		break;
	}
}

static void print_found(const struct record_found *found)
{
	char value[LOG_TEXT_MAX], hash[HASH_TEXT_MAX];

	(void)printf("    found   %s", log_value(span_str(found->signature), value));
	(void)printf(" in part %s",
		found->part[0] ? log_value(span_str(found->part), value) : "(all)");
	if (found->name[0])
		(void)printf(" %s", log_value(span_str(found->name), value));
	(void)printf("\n    sha256  %s\n", hash_text(&found->hash, hash));
}

static void add_found(struct json *json, const struct record_quarantined *item)
{
	char hash[HASH_TEXT_MAX];

	json_open(json, "findings", '[');
	for (size_t i = 0; i < item->found_count; i++) {
		json_open(json, NULL, '{');
		json_text(json, "part", span_str(item->found[i].part));
		json_text(json, "name", span_str(item->found[i].name));
		json_text(json, "signature", span_str(item->found[i].signature));
		json_text(
			json, "sha256", span_str(hash_text(&item->found[i].hash, hash)));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void print_text(const struct listing *listing,
	const struct record_quarantined *item, enum standing standing)
{
	char when[CLOCK_TEXT_MAX], value[LOG_TEXT_MAX];

	(void)printf("%s  %s  %s  %" PRIu64 " bytes\n", item->id,
		clock_iso(item->time_s, when), listing->account, item->size);
	(void)printf("    from    %s\n", log_value(span_str(item->sender), value));
	(void)printf("    subject %s\n", log_value(span_str(item->subject), value));
	(void)printf("    why     %s\n", log_value(span_str(item->why), value));
	for (size_t i = 0; i < item->found_count; i++)
		print_found(&item->found[i]);
	print_standing(item->id, standing, item->fate_s);
}

static int print_json(struct listing *listing, const struct record_quarantined *item,
	enum standing standing)
{
	const int64_t released_s = standing == STANDING_RELEASED ? item->fate_s : 0;
	char hash[HASH_TEXT_MAX];
	struct json *json = listing->command->json;

	json_open(json, NULL, '{');
	json_text(json, "id", span_str(item->id));
	json_text(json, "account", span_str(listing->account));
	json_text(json, "folder", span_str(item->key.folder));
	json_text(json, "uid", span_str(item->key.uid));
	json_number(json, "time", (uint64_t)item->time_s);
	json_number(json, "size", item->size);
	json_text(json, "from", span_str(item->sender));
	json_text(json, "subject", span_str(item->subject));
	json_text(json, "why", span_str(item->why));
	json_text(json, "sha256", span_str(hash_text(&item->hash, hash)));
	add_found(json, item);
	json_text(json, "state", span_str(names[standing]));
	json_number(json, "released", (uint64_t)released_s);
	json_close(json, '}');
	return json_print(json, &listing->err);
}

static int print_orphan_json(struct listing *listing, const char *id, int64_t time_s)
{
	struct json *json = listing->command->json;

	json_open(json, NULL, '{');
	json_text(json, "id", span_str(id));
	json_text(json, "account", span_str(listing->account));
	json_number(json, "time", (uint64_t)time_s);
	json_text(json, "state", span_str(names[STANDING_ORPHAN]));
	json_close(json, '}');
	return json_print(json, &listing->err);
}

static int list_row(const struct record_quarantined *item, void *arg)
{
	struct listing *listing = arg;
	const enum standing standing = standing_of(listing, item);

	listing->count++;
	if (listing->command->json)
		return print_json(listing, item, standing);
	print_text(listing, item, standing);
	return 0;
}

static int list_file(void *arg, const char *id, int64_t mtime_s, struct err *err)
{
	struct listing *listing = arg;
	struct record_quarantined item;
	char when[CLOCK_TEXT_MAX];
	int found = record_find_quarantined(listing->record, id, &item, err);

	if (found != 0)
		return found < 0 ? -1 : 0;
	listing->count++;
	if (listing->command->json)
		return print_orphan_json(listing, id, mtime_s);
	(void)printf("%s  %s  %s\n", id, clock_iso(mtime_s, when), listing->account);
	print_standing(id, STANDING_ORPHAN, 0);
	return 0;
}

static int list_account(struct listing *listing, struct err *err)
{
	if (record_each_quarantined(listing->record, list_row, listing, err) < 0 ||
		quarantine_each_file(listing->dir, list_file, listing, err) < 0)
		return -1;
	/* What each said of the output. */
	if (listing->err.kind == ERR_NONE)
		return 0;
	*err = listing->err;
	return -1;
}

int cmd_quarantine_list(const struct cmd_quarantine *command, struct err *err)
{
	struct listing listing = { .command = command };

	for (size_t i = 0; i < command->settings->accounts.count; i++) {
		const struct account_settings *account =
			cmd_quarantine_account(command, i);
		auto_free char *path = NULL;
		int result;

		if (!account)
			continue;
		listing.account = account->name;
		result = account_dir_path(
			command->settings->state_dir, account->name, &path, err);
		listing.dir = path;
		if (result == 0)
			result = record_open(path, true, &listing.record, err);
		if (result == 0)
			result = list_account(&listing, err);
		record_close(listing.record);
		listing.record = NULL;
		if (result < 0)
			return err_wrap(err, "%s", account->name);
	}
	if (!command->json && listing.count == 0)
		(void)puts("the quarantine is empty");
	return 0;
}
