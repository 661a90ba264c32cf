/* SPDX-License-Identifier: ISC
 *
 * Could somebody else change what the scanner relies on, or read its secrets? */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "scanner/check.h"
#include "scanner/signatures.h"

static void say(struct check_result *result, enum check_level level, const char *what,
	const char *path, const char *then)
{
	check_say(result, level, "%s %.90s: %s", what, path, then);
}

/* A file or folder that only its owner, which is us or root, should change. */
static void check_writers(const char *what, const char *path, const struct stat *info,
	struct check_result *result)
{
	/* In such a folder everybody makes files, and nobody removes another's. */
	bool shared = S_ISDIR(info->st_mode) && (info->st_mode & S_ISVTX) != 0;

	if ((info->st_mode & S_IWOTH) != 0 && !shared)
		say(result, CHECK_CRITICAL, what, path,
			"everybody may change it: chmod o-w");
	if ((info->st_mode & S_IWGRP) != 0 && info->st_gid != 0 && !shared)
		say(result, CHECK_WARNING, what, path,
			"its group may change it: chmod g-w");
}

static void check_path(const char *what, const char *path, struct check_result *result)
{
	struct stat info;

	if (stat(path, &info) == 0)
		check_writers(what, path, &info, result);
}

static void check_secret(const char *path, struct check_result *result)
{
	struct stat info;

	if (stat(path, &info) < 0)
		say(result, CHECK_WARNING, "curve-key", path, strerror(errno));
	else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		say(result, CHECK_CRITICAL, "curve-key", path,
			"others may read it: chmod 600, and make a new one");
	else if (info.st_uid != geteuid() && info.st_uid != 0)
		say(result, CHECK_WARNING, "curve-key", path,
			"it belongs to another user: chown");
}

static void check_temp(const char *path, struct check_result *result)
{
	struct stat info;

	if (stat(path, &info) == 0 &&
		((info.st_mode & (S_IRWXG | S_IRWXO)) != 0 || info.st_uid != geteuid()))
		say(result, CHECK_CRITICAL, "temp-dir", path,
			"others may enter it, and mail is unpacked there: chmod 700");
}

/* The folder of a socket: who may write there may put another socket in its place. Its group is that of
 * who may connect. */
static void check_socket(const char *endpoint, struct check_result *result)
{
	static const char scheme[] = "ipc://";
	char path[SIGNATURES_PATH_MAX];

	if (strncmp(endpoint, scheme, strlen(scheme)) != 0)
		return;
	(void)snprintf(path, sizeof(path), "%s", endpoint + strlen(scheme));
	check_path("the socket's folder", dirname(path), result);
}

static void check_folder(const char *path, struct check_result *result)
{
	auto_closedir DIR *folder = opendir(path);
	char file[PATH_MAX];
	struct stat info;

	check_path("signatures folder", path, result);
	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (signatures_is_file(entry->d_name) &&
			fstatat(dirfd(folder), entry->d_name, &info, 0) == 0) {
			(void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
			check_writers("signatures", file, &info, result);
		}
}

void check_permissions(const struct check_facts *facts, struct check_result *result)
{
	const struct settings *settings = facts->settings;

	if (settings->path)
		check_path("settings", settings->path, result);
	if (settings->curve_key)
		check_secret(settings->curve_key, result);
	check_temp(settings->temp_dir, result);
	for (size_t i = 0; i < settings->listen.count; i++)
		check_socket(settings->listen.items[i], result);
	for (size_t i = 0; i < settings->signatures.count; i++)
		if (!signatures_is_test(settings->signatures.items[i]))
			check_folder(settings->signatures.items[i], result);
	/* What stands there as clean is not scanned again. */
	if (settings->sweep.count > 0)
		check_path("sweep-state", settings->sweep_state, result);
	if (settings->on_alert.count > 0)
		check_path("on-alert", settings->on_alert.items[0], result);
	check_say(result, CHECK_OK, "nobody else may change what is relied on");
}
