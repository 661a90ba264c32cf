/* SPDX-License-Identifier: ISC
 *
 * mailfilter unpark: parked messages are tried again. Works while the account is served. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "common/json.h"
#include "common/log.h"

#include "mailfilter/cmd.h"
#include "mailfilter/cmd_uid.h"

static const char usage[] =
	"usage: mailfilter unpark [--json] ACCOUNT [UID|FOLDER/UID]\n";

static int say(const struct cmd_uid *uid, uint64_t count, bool as_json, struct err *err)
{
	auto_json struct json json;

	json_init(&json);
	if (!as_json) {
		(void)printf("%s: %" PRIu64 " unparked%s\n", uid->account->name, count,
			count > 0 ? ", to be tried at the next visit" : "");
		return 0;
	}
	json_open(&json, NULL, '{');
	json_text(&json, "account", span_str(uid->account->name));
	json_number(&json, "unparked", count);
	json_close(&json, '}');
	return json_print(&json, err);
}

static int unpark(const struct settings *settings, const struct account_settings *account,
	const char *name, bool as_json, struct err *err)
{
	struct cmd_uid uid = { 0 };
	uint64_t count = 0;
	int result;

	/* Who was never served has nothing parked, and gets nothing made for it. */
	if (cmd_uid_open(settings, account, name, true, &uid, err) < 0)
		return -1;
	cmd_uid_close(&uid);
	if (cmd_uid_open(settings, account, name, false, &uid, err) < 0)
		return -1;
	result = record_unpark(uid.record, uid.folder, uid.uid, &count, err);
	if (result == 0 && count == 0 && name)
		result = err_set(
			err, ERR_MESSAGE, "%s is not parked: see mailfilter why", name);
	if (result == 0)
		result = say(&uid, count, as_json, err);
	cmd_uid_close(&uid);
	return result;
}

int cmd_unpark(const struct settings *settings, int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	const struct account_settings *account;
	struct err err = { 0 };
	bool as_json = false;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (option != 'j')
			return cmd_usage(
				usage, "unpark: unknown option %s", argv[optind - 1]);
		as_json = true;
	}
	if (argc - optind < 1 || argc - optind > 2)
		return cmd_usage(usage, "unpark: say which account, and which message if "
					"not all of them");
	account = settings_find_account(settings, argv[optind]);
	if (!account)
		return cmd_no_account(settings, argv[optind]);
	if (unpark(settings, account, argc - optind == 2 ? argv[optind + 1] : NULL,
		    as_json, &err) == 0)
		return EX_OK;
	log_error("%s", err.text);
	return err.kind == ERR_MESSAGE ? EX_NOINPUT : err_exit_code(err.kind);
}
