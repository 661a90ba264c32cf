/* SPDX-License-Identifier: ISC
 *
 * mailfilter quarantine: list what was kept back, show one original, release, delete, expire. Who
 * only looks needs no lock; the others work beside a running mailfilter. */
#include "mailfilter/cmd_quarantine.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/cmd.h"
#include "mailfilter/keeper.h"
#include "mailfilter/quarantine.h"
#include "mailfilter/tidy.h"

static const char usage[] =
	"usage: mailfilter quarantine list [--account NAME] [--json]\n"
	"       mailfilter quarantine show [--account NAME] ID\n"
	"       mailfilter quarantine release [--account NAME] [--json] ID...\n"
	"       mailfilter quarantine delete [--account NAME] [--json] ID...\n"
	"       mailfilter quarantine expire [--account NAME] [--json]\n";

const struct account_settings *cmd_quarantine_account(
	const struct cmd_quarantine *command, size_t i)
{
	const struct account_settings *account = settings_account(command->settings, i);

	if (command->account && strcmp(account->name, command->account) != 0)
		return NULL;
	return account;
}

static int dir_of(const struct cmd_quarantine *command,
	const struct account_settings *account, char **path_r, struct err *err)
{
	return account_dir_path(command->settings->state_dir, account->name, path_r, err);
}

/* Is there anything of this id: a file or a row? */
static int has(const char *dir, const char *id, struct err *err)
{
	struct record_quarantined item;
	struct record *record = NULL;
	auto_close int fd = -1;
	int found;

	if (quarantine_original(dir, id, &fd, err) == 0)
		return 1;
	if (err->kind != ERR_MESSAGE || record_open(dir, true, &record, err) < 0)
		return -1;
	found = record_find_quarantined(record, id, &item, err);
	record_close(record);
	return found;
}

/* The account in whose quarantine it is. */
static int find(const struct cmd_quarantine *command, const char *id,
	const struct account_settings **account_r, struct err *err)
{
	if (!quarantine_is_id(id))
		return err_set(err, ERR_MESSAGE,
			"%.60s is not a quarantine id; see: mailfilter "
			"quarantine list",
			id);
	for (size_t i = 0; i < command->settings->accounts.count; i++) {
		const struct account_settings *account =
			cmd_quarantine_account(command, i);
		auto_free char *path = NULL;
		int found = 0;

		if (account) {
			if (dir_of(command, account, &path, err) < 0)
				return -1;
			found = has(path, id, err);
		}
		if (found < 0)
			return -1;
		if (found > 0) {
			*account_r = account;
			return 0;
		}
	}
	return err_set(err, ERR_MESSAGE, "%s is in no account's quarantine", id);
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
static int show(const struct cmd_quarantine *command, const char *id, struct err *err)
{
	const struct account_settings *account = NULL;
	auto_free char *path = NULL;
	auto_close int fd = -1;

	if (find(command, id, &account, err) < 0 ||
		dir_of(command, account, &path, err) < 0 ||
		quarantine_original(path, id, &fd, err) < 0)
		return -1;
	return copy_out(fd, err);
}

static int say_released(const struct cmd_quarantine *command, const char *account,
	const struct record_quarantined *item, bool before, struct err *err)
{
	struct json *json = command->json;
	char when[CLOCK_TEXT_MAX];

	if (!json) {
		(void)printf("%s: %s to account %s%s%s\n", item->id,
			before ? "was released before" : "released", account,
			before ? " at " : "",
			before ? clock_iso(item->fate_s, when) : "");
		return 0;
	}
	json_open(json, NULL, '{');
	json_text(json, "id", span_str(item->id));
	json_text(json, "account", span_str(account));
	json_number(json, "released", (uint64_t)item->fate_s);
	json_bool(json, "before", before);
	json_close(json, '}');
	return json_print(json, err);
}

static int release(const struct cmd_quarantine *command, const char *id, struct err *err)
{
	const struct account_settings *account = NULL;
	struct record_quarantined item = { 0 };
	struct keeper *keeper = NULL;
	int result;

	/* Where a destination hangs up, or a limit is met, that is an error of its write. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (find(command, id, &account, err) < 0 ||
		keeper_open(command->settings->state_dir, account, &keeper, err) < 0)
		return -1;
	result = keeper_release(keeper, id, &item, err);
	keeper_close(keeper);
	if (result < 0)
		return -1;
	return say_released(command, account->name, &item, result == 1, err);
}

static int delete (const struct cmd_quarantine *command, const char *id, struct err *err)
{
	const struct account_settings *account = NULL;
	struct json *json = command->json;
	struct keeper *keeper = NULL;
	int result;

	if (find(command, id, &account, err) < 0 ||
		keeper_open(command->settings->state_dir, account, &keeper, err) < 0)
		return -1;
	result = keeper_delete(keeper, id, err);
	keeper_close(keeper);
	if (result < 0)
		return -1;
	if (!json) {
		(void)printf("%s: deleted from account %s\n", id, account->name);
		return 0;
	}
	json_open(json, NULL, '{');
	json_text(json, "id", span_str(id));
	json_text(json, "account", span_str(account->name));
	json_bool(json, "deleted", true);
	json_close(json, '}');
	return json_print(json, err);
}

static int say_expired(const struct cmd_quarantine *command, const char *account,
	const struct keeper_counts *counts, struct err *err)
{
	struct json *json = command->json;

	if (!json) {
		(void)printf("%s: %" PRIu64 " expired, %" PRIu64
			     " left by a crash removed, %" PRIu64 " kept\n",
			account, counts->expired, counts->mended, counts->left);
		return 0;
	}
	json_open(json, NULL, '{');
	json_text(json, "account", span_str(account));
	json_number(json, "expired", counts->expired);
	json_number(json, "mended", counts->mended);
	json_number(json, "kept", counts->left);
	json_close(json, '}');
	return json_print(json, err);
}

static int expire(const struct cmd_quarantine *command, struct err *err)
{
	for (size_t i = 0; i < command->settings->accounts.count; i++) {
		const struct account_settings *account =
			cmd_quarantine_account(command, i);
		auto_free char *path = NULL;
		struct keeper_counts counts = { 0 };

		if (!account)
			continue;
		if (dir_of(command, account, &path, err) < 0)
			return -1;
		/* One that was never served has nothing, and gets nothing made for it. */
		if (access(path, F_OK) < 0 && errno == ENOENT)
			continue;
		if (tidy_quarantine(command->settings, account, &counts, err) < 0)
			return err_wrap(err, "%s", account->name);
		if (say_expired(command, account->name, &counts, err) < 0)
			return -1;
	}
	if (command->settings->quarantine_days == 0 && !command->json)
		(void)puts("quarantine-days is 0: originals are kept for ever");
	return 0;
}

static int result_code(int result, const struct err *err)
{
	if (result == 0)
		return EX_OK;
	log_error("%s", err->text);
	return err->kind == ERR_MESSAGE ? EX_NOINPUT : err_exit_code(err->kind);
}

/* Each id, and the code of the last that failed. */
static int for_each_id(const struct cmd_quarantine *command,
	int (*deed)(
		const struct cmd_quarantine *command, const char *id, struct err *err))
{
	int code = EX_OK;

	for (int i = 0; i < command->count; i++) {
		struct err err = { 0 };
		int one = result_code(deed(command, command->ids[i], &err), &err);

		code = one != EX_OK ? one : code;
	}
	return code;
}

static int run(const struct cmd_quarantine *command, const char *what)
{
	struct err err = { 0 };

	if (strcmp(what, "list") == 0 && command->count == 0)
		return result_code(cmd_quarantine_list(command, &err), &err);
	if (strcmp(what, "show") == 0 && command->count == 1 && !command->json)
		return for_each_id(command, show);
	if (strcmp(what, "release") == 0 && command->count > 0)
		return for_each_id(command, release);
	if (strcmp(what, "delete") == 0 && command->count > 0)
		return for_each_id(command, delete);
	if (strcmp(what, "expire") == 0 && command->count == 0)
		return result_code(expire(command, &err), &err);
	return cmd_usage(usage, "quarantine: say list, show, release, delete or expire, "
				"and the ids where they are needed");
}

int cmd_quarantine(const struct settings *settings, int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ "account", required_argument, NULL, 'a' }, { NULL, 0, NULL, 0 } };
	struct cmd_quarantine command = { .settings = settings };
	auto_json struct json json;
	int option;

	json_init(&json);
	if (argc < 2)
		return cmd_usage(usage, "quarantine: what is to be done?");
	/* Behind the word that says what: there options and ids may stand in any order. */
	optind = 2;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'j')
			command.json = &json;
		else if (option == 'a')
			command.account = optarg;
		else
			return cmd_usage(
				usage, "quarantine: unknown option %s", argv[optind - 1]);
	}
	command.ids = argv + optind;
	command.count = argc - optind;
	if (command.account && !settings_find_account(settings, command.account))
		return cmd_no_account(settings, command.account);
	return run(&command, argv[1]);
}
