/* SPDX-License-Identifier: ISC
 *
 * mailfilter quarantine: list what was kept back, show one original. Needs no lock. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/cmd.h"
#include "mailfilter/quarantine.h"

static const char usage[] = "usage: mailfilter quarantine list [--json]\n"
			    "       mailfilter quarantine show ID\n";

struct listing {
	const char *account;
	struct json *json;
	uint64_t count;
	struct err err;
};

static void print_text(const char *account, const struct record_quarantined *item)
{
	char when[CLOCK_TEXT_MAX], value[LOG_TEXT_MAX], hash[HASH_TEXT_MAX];

	(void)printf("%s  %s  %s  %" PRIu64 " bytes\n", item->id,
		clock_iso(item->time_s, when), account, item->size);
	(void)printf("    from    %s\n", log_value(span_str(item->sender), value));
	(void)printf("    subject %s\n", log_value(span_str(item->subject), value));
	(void)printf("    why     %s\n", log_value(span_str(item->why), value));
	for (size_t i = 0; i < item->found_count; i++) {
		const struct record_found *found = &item->found[i];

		(void)printf(
			"    found   %s", log_value(span_str(found->signature), value));
		(void)printf(" in part %s",
			found->part[0] ? log_value(span_str(found->part), value)
				       : "(all)");
		if (found->name[0])
			(void)printf(" %s", log_value(span_str(found->name), value));
		(void)printf("\n    sha256  %s\n", hash_text(&found->hash, hash));
	}
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

static int print_json(struct listing *listing, const struct record_quarantined *item)
{
	char hash[HASH_TEXT_MAX];
	struct json *json = listing->json;

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
	json_close(json, '}');
	return json_print(json, &listing->err);
}

static int list_one(const struct record_quarantined *item, void *arg)
{
	struct listing *listing = arg;

	listing->count++;
	if (listing->json)
		return print_json(listing, item);
	print_text(listing->account, item);
	return 0;
}

/* Call each for the quarantine of every account. */
static int list(const struct settings *settings, struct json *json, struct err *err)
{
	struct listing listing = { .json = json };

	for (size_t i = 0; i < settings->accounts.count; i++) {
		auto_free char *path = NULL;
		struct record *record = NULL;
		int result;

		listing.account = settings_account(settings, i)->name;
		result = account_dir_path(
			settings->state_dir, listing.account, &path, err);
		if (result == 0)
			result = record_open(path, true, &record, err);
		if (result == 0)
			result = record_each_quarantined(record, list_one, &listing, err);
		record_close(record);
		if (result < 0)
			return err_wrap(err, "%s", listing.account);
	}
	if (!json && listing.count == 0)
		(void)puts("the quarantine is empty");
	return 0;
}

static int copy_out(int fd, struct err *err)
{
	uint8_t chunk[64 * 1024];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, ERR_AGAIN, "quarantine");
		if (file_write(STDOUT_FILENO, (struct span){ chunk, (size_t)got },
			    "standard output", err) < 0)
			return -1;
	}
	return 0;
}

/* The original goes to standard output byte for byte: to a file or a mail program, with care. */
static int show(const struct settings *settings, const char *id, struct err *err)
{
	if (!quarantine_is_id(id))
		return err_set(err, ERR_MESSAGE,
			"%.60s is not a quarantine id; see: mailfilter "
			"quarantine list",
			id);
	for (size_t i = 0; i < settings->accounts.count; i++) {
		auto_free char *path = NULL;
		auto_close int fd = -1;

		if (account_dir_path(settings->state_dir,
			    settings_account(settings, i)->name, &path, err) < 0)
			return -1;
		if (quarantine_original(path, id, &fd, err) == 0)
			return copy_out(fd, err);
		if (err->kind != ERR_MESSAGE)
			return -1;
	}
	return err_set(err, ERR_MESSAGE, "%s is in no account's quarantine", id);
}

static int result_code(int result, const struct err *err)
{
	if (result == 0)
		return EX_OK;
	log_error("%s", err->text);
	return err->kind == ERR_MESSAGE ? EX_NOINPUT : err_exit_code(err->kind);
}

int cmd_quarantine(const struct settings *settings, int argc, char **argv)
{
	struct json json DEFER(json_done);
	struct err err = { 0 };

	json_init(&json);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return result_code(list(settings, NULL, &err), &err);
	if (argc == 3 && strcmp(argv[1], "list") == 0 && strcmp(argv[2], "--json") == 0)
		return result_code(list(settings, &json, &err), &err);
	if (argc == 3 && strcmp(argv[1], "show") == 0)
		return result_code(show(settings, argv[2], &err), &err);
	return cmd_usage(usage, "quarantine: say list, or show and an id");
}
