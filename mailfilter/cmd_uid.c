/* SPDX-License-Identifier: ISC */
#include "mailfilter/cmd_uid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailfilter/account_dir.h"

static void count_one(const struct record_row *row, void *arg)
{
	size_t *count = arg;

	(void)row;
	(*count)++;
}

static int is_there(const struct cmd_uid *uid, bool *there_r, struct err *err)
{
	size_t count = 0;

	if (record_each_uid(uid->record, uid->folder, uid->uid, count_one, &count, err) <
		0)
		return -1;
	*there_r = count > 0;
	return 0;
}

static int look(struct cmd_uid *uid, const char *name, struct err *err)
{
	const char *slash = strrchr(name, '/');
	bool there = false;

	uid->uid = name;
	if (is_there(uid, &there, err) < 0)
		return -1;
	if (!there && slash && (size_t)(slash - name) < sizeof(uid->folder_text)) {
		(void)snprintf(uid->folder_text, sizeof(uid->folder_text), "%.*s",
			(int)(slash - name), name);
		uid->folder = uid->folder_text;
		uid->uid = slash + 1;
		if (is_there(uid, &there, err) < 0)
			return -1;
	}
	if (there)
		return 0;
	return err_set(err, ERR_MESSAGE,
		"nothing is on record of %.200s in account %s: it is new, or not on the "
		"server, or its folder is not fetched",
		name, uid->account->name);
}

static int open_it(const struct settings *settings, bool read_only, struct cmd_uid *uid,
	struct err *err)
{
	if (account_dir_path(settings->state_dir, uid->account->name, &uid->dir, err) < 0)
		return -1;
	return record_open(uid->dir, read_only, &uid->record, err);
}

int cmd_uid_open(const struct settings *settings, const struct account_settings *account,
	const char *name, bool read_only, struct cmd_uid *uid_r, struct err *err)
{
	*uid_r = (struct cmd_uid){ .account = account };
	if (open_it(settings, read_only, uid_r, err) == 0 &&
		(!name || look(uid_r, name, err) == 0))
		return 0;
	cmd_uid_close(uid_r);
	return -1;
}

void cmd_uid_close(struct cmd_uid *uid)
{
	record_close(uid->record);
	free(uid->dir);
	*uid = (struct cmd_uid){ 0 };
}
