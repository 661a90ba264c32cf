/* SPDX-License-Identifier: ISC
 *
 * mailfilter import: what another program has fetched is passed over. All of it or nothing, under the
 * account's lock; what is on record stays as it is. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/cmd.h"
#include "mailfilter/cmd_uid.h"
#include "mailfilter/import.h"

static const char usage[] =
	"usage: mailfilter import [--folder NAME] [--login USER@HOST] [--json]\n"
	"                         ACCOUNT mbsync|getmail|mpop|fetchmail|fdm FILE...\n";

struct wanted {
	const struct settings *settings;
	const struct account_settings *account;
	const struct import_kind *kind;
	const char *login; /* NULL: the account's own */
	char folder[MESSAGE_FOLDER_MAX];
	bool has_folder, as_json;
	uint64_t imported, known;
};

/* Returns code, with what went wrong on the log. */
static int fail(int code, const struct err *err)
{
	log_error("%s", err->text);
	return err->kind == ERR_FATAL ? err_exit_code(ERR_FATAL) : code;
}

/* What was left when mbsync was cut off is in a journal, and only mbsync can tell what it means. */
static int check_journal(const struct wanted *wanted, const char *path, struct err *err)
{
	auto_free char *journal = NULL;

	if (!wanted->kind->journal)
		return 0;
	if (asprintf(&journal, "%s%s", path, wanted->kind->journal) < 0) {
		journal = NULL;
		return err_memory(err);
	}
	if (access(journal, F_OK) < 0)
		return 0;
	return err_set(err, ERR_AGAIN,
		"%.200s is there: %s is at work, or was cut off; let it run to its end first",
		journal, wanted->kind->name);
}

static int read_file(const struct wanted *wanted, struct import *import, const char *path)
{
	auto_buf struct buf text;
	struct err err = { 0 };

	buf_init(&text, IMPORT_FILE_MAX);
	if (check_journal(wanted, path, &err) < 0)
		return fail(EX_TEMPFAIL, &err);
	if (file_read(path, IMPORT_FILE_MAX, &text, &err) < 0)
		return fail(EX_NOINPUT, &err);
	if (import_read(import, wanted->kind, path, buf_span(&text), &err) < 0)
		return fail(EX_DATAERR, &err);
	return EX_OK;
}

/* UIDs of another UIDVALIDITY than the one that is on record mean nothing. */
static int check_folder(const struct wanted *wanted, const struct import *import,
	struct record *record, struct err *err)
{
	struct record_folder row;
	uint64_t untold = 0;
	int found;

	if (import->uidvalidity == 0)
		return 0;
	found = record_find_folder(record, wanted->folder, &row, err);
	if (found < 0 || record_untold(record, wanted->folder, import->uidvalidity,
				 &untold, err) < 0)
		return -1;
	if (untold == 0 && (found == 0 || row.uidvalidity == import->uidvalidity))
		return 0;
	return err_set(err, ERR_MESSAGE,
		"%.200s: it is of UIDVALIDITY %" PRIu32
		", but another one is on record of %.100s: is it of another folder, or older?",
		import->path, import->uidvalidity, wanted->folder);
}

static int put_one(struct wanted *wanted, const struct import *import, const char *uid,
	struct record *record, struct err *err)
{
	struct record_row row = { .state = RECORD_PASSED,
		.key.uidvalidity = import->uidvalidity,
		.time_s = clock_wall_s() };
	struct record_row known;
	int found;

	row.since_s = row.time_s;
	(void)snprintf(row.key.folder, sizeof(row.key.folder), "%s", wanted->folder);
	memcpy(row.key.uid, uid, sizeof(row.key.uid));
	(void)snprintf(row.reason, sizeof(row.reason), "imported: %s had fetched it",
		wanted->kind->name);
	found = record_find(record, &row.key, &known, err);
	if (found < 0)
		return -1;
	if (found > 0)
		wanted->known++;
	else
		wanted->imported++;
	return found > 0 ? 0 : record_put(record, &row, err);
}

static int put_all(struct wanted *wanted, const struct import *import,
	struct record *record, struct err *err)
{
	const char *uids = (const char *)import->uids.data;

	if (record_begin(record, err) < 0)
		return -1;
	if (check_folder(wanted, import, record, err) < 0) {
		record_rollback(record);
		return -1;
	}
	for (size_t at = 0; at < import->uids.len; at += MESSAGE_UID_MAX)
		if (put_one(wanted, import, uids + at, record, err) < 0) {
			record_rollback(record);
			return -1;
		}
	return record_commit(record, err);
}

static int write_down(struct wanted *wanted, const struct import *import)
{
	struct account_dir dir;
	struct record *record = NULL;
	struct err err = { 0 };
	int result = -1;

	if (account_dir_open(
		    wanted->settings->state_dir, wanted->account->name, &dir, &err) < 0)
		return fail(err_exit_code(err.kind), &err);
	/* That is for the next one to serve the account. */
	if (dir.crashed)
		account_dir_note_crash(
			wanted->settings->state_dir, wanted->account->name);
	if (record_open(dir.path, false, &record, &err) == 0)
		result = put_all(wanted, import, record, &err);
	record_close(record);
	account_dir_close(&dir);
	if (result == 0)
		return EX_OK;
	return fail(err.kind == ERR_MESSAGE ? EX_DATAERR : err_exit_code(err.kind), &err);
}

/* 1234567 as "1,234,567". */
static const char *grouped(uint64_t number, char text[static 32])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number),
	       used = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	text[used] = '\0';
	return text;
}

static int say(const struct wanted *wanted, const struct import *import)
{
	char imported[32], known[32], older[32];
	auto_json struct json json;
	struct err err = { 0 };

	json_init(&json);
	if (!wanted->as_json) {
		(void)printf("%s: %s imported, %s already known", wanted->account->name,
			grouped(wanted->imported, imported),
			grouped(wanted->known, known));
		if (import->older > 0)
			(void)printf(", %s left out: of an older UIDVALIDITY",
				grouped(import->older, older));
		(void)putchar('\n');
		return EX_OK;
	}
	json_open(&json, NULL, '{');
	json_text(&json, "account", span_str(wanted->account->name));
	json_number(&json, "imported", wanted->imported);
	json_number(&json, "known", wanted->known);
	json_number(&json, "older", import->older);
	json_close(&json, '}');
	return json_print(&json, &err) < 0 ? fail(err_exit_code(err.kind), &err) : EX_OK;
}

static int run(struct wanted *wanted, bool imap, char **files)
{
	char login[IMPORT_LOGIN_MAX];
	struct import import;
	int code = EX_OK;

	(void)snprintf(login, sizeof(login), "%s@%s", wanted->account->user,
		wanted->account->host);
	import_init(&import, imap, wanted->login ? wanted->login : login);
	for (size_t i = 0; files[i] && code == EX_OK; i++)
		code = read_file(wanted, &import, files[i]);
	if (code == EX_OK)
		code = write_down(wanted, &import);
	if (code == EX_OK)
		code = say(wanted, &import);
	import_done(&import);
	return code;
}

/* Do account, kind and options fit together? */
static int check(struct wanted *wanted, const char *name, char **files)
{
	const enum source_kind source = wanted->account->kind;
	const bool imap = source == SOURCE_IMAP || source == SOURCE_IMAPS,
		   pop3 = source == SOURCE_POP3 || source == SOURCE_POP3S;

	wanted->kind = import_kind(name);
	if (!wanted->kind)
		return cmd_usage(usage, "import: cannot import from %s", name);
	if (!(imap && wanted->kind->imap) && !(pop3 && wanted->kind->pop3))
		return cmd_usage(usage, "import: %s is no account that %s could serve",
			wanted->account->name, name);
	if (wanted->has_folder && !imap)
		return cmd_usage(usage, "import: POP3 has no folders");
	if (wanted->login && !wanted->kind->logins)
		return cmd_usage(usage, "import: a file of %s has no logins in it", name);
	if (imap && (!wanted->folder[0] || strcasecmp(wanted->folder, "INBOX") == 0))
		(void)snprintf(wanted->folder, sizeof(wanted->folder), "INBOX");
	return run(wanted, imap, files);
}

static int read_options(struct wanted *wanted, int argc, char **argv)
{
	static const struct option longs[] = { { "folder", required_argument, NULL, 'f' },
		{ "login", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' }, { NULL, 0, NULL, 0 } };
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "+:", longs, NULL)) != -1) {
		if (option == 'f' && (!optarg[0] || strlen(optarg) >= MESSAGE_FOLDER_MAX))
			return cmd_usage(usage, "import: this cannot be a folder's name");
		if (option == 'f') {
			(void)snprintf(
				wanted->folder, sizeof(wanted->folder), "%s", optarg);
			wanted->has_folder = true;
		} else if (option == 'l') {
			wanted->login = optarg;
		} else if (option == 'j') {
			wanted->as_json = true;
		} else {
			return cmd_usage(usage, "import: %s: unknown, or needs a value",
				argv[optind - 1]);
		}
	}
	return argc - optind >= 3
		       ? EX_OK
		       : cmd_usage(usage, "import: say which account, which program, and "
					  "its files");
}

int cmd_import(const struct settings *settings, int argc, char **argv)
{
	struct wanted wanted = { .settings = settings };
	int code = read_options(&wanted, argc, argv);

	if (code != EX_OK)
		return code;
	wanted.account = settings_find_account(settings, argv[optind]);
	if (!wanted.account)
		return cmd_no_account(settings, argv[optind]);
	return check(&wanted, argv[optind + 1], argv + optind + 2);
}
