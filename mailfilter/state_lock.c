/* SPDX-License-Identifier: ISC */
#include "mailfilter/state_lock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/file.h"

#include "mailfilter/owner.h"

enum {
	COMM_MAX = 64, /* of a process' name, or its number */
	COMM_PATH_MAX = 80
};

static int lock_path(const struct settings *settings, char **path_r, struct err *err)
{
	char *path;

	if (asprintf(&path, "%s/.lock", settings->state_dir) < 0)
		return err_memory(err);
	*path_r = path;
	return 0;
}

int state_lock(const struct settings *settings, int *fd_r, struct err *err)
{
	auto_free char *path = NULL;
	struct err why = { 0 };

	if (lock_path(settings, &path, err) < 0)
		return -1;
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

static bool read_name(const char *process, struct buf *name)
{
	char path[COMM_PATH_MAX];

	buf_init(name, COMM_MAX);
	(void)snprintf(path, sizeof(path), "/proc/%s/comm", process);
	return file_read(path, COMM_MAX, name, NULL) == 0;
}

/* A lock may be held from another host, or the number be of an earlier holder until the present one has
 * written its own: a signal would end whatever program has that number here. */
static bool is_of_ours(pid_t pid)
{
	auto_buf struct buf own = { 0 }, its = { 0 };
	char number[COMM_MAX];

	(void)snprintf(number, sizeof(number), "%ld", (long)pid);
	return read_name("self", &own) && read_name(number, &its) &&
	       span_equal(buf_span(&own), buf_span(&its));
}

bool state_lock_call(const struct settings *settings, pid_t *pid_r)
{
	auto_free char *path = NULL;
	auto_close int own = -1;
	struct err err = { 0 };

	if (lock_path(settings, &path, &err) < 0 || file_lock(path, &own, &err) == 0 ||
		errno != EWOULDBLOCK || !file_lock_pid(path, pid_r) ||
		!is_of_ours(*pid_r))
		return false;
	return kill(*pid_r, SIGUSR1) == 0;
}
