/* SPDX-License-Identifier: ISC */
#include "mailfilter/state_lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/file.h"

#include "mailfilter/owner.h"

int state_lock(const struct settings *settings, int *fd_r, struct err *err)
{
	auto_free char *path = NULL;
	struct err why = { 0 };

	if (asprintf(&path, "%s/.lock", settings->state_dir) < 0) {
		path = NULL;
		return err_memory(err);
	}
	if (owner_check(settings->state_dir, &why) == 0 &&
		file_mkdirs(settings->state_dir, S_IRWXU, &why) == 0 &&
		file_lock(path, fd_r, &why) == 0)
		return 0;
	if (why.kind == ERR_AGAIN && errno == EWOULDBLOCK)
		return err_set(err, ERR_AGAIN,
			"another mailfilter is at work, stop it first or leave the work to "
			"it: %s",
			why.text);
	if (why.kind != ERR_ACCOUNT)
		return err_set(err, why.kind, "%s", why.text);
	/* Without a file it is the preset that cannot be used. */
	if (!settings->path)
		return err_set(err, ERR_SETTINGS, "state-dir: %s", why.text);
	return schema_error(
		err, settings->path, settings->state_dir_line, "state-dir: %s", why.text);
}
