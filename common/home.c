/* SPDX-License-Identifier: ISC */
#include "common/home.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/defer.h"

enum {
	PASSWD_MAX = 16 * 1024
};

/* NULL: no memory. */
static char *join(const char *first, const char *between, const char *last)
{
	char *path = NULL;

	return asprintf(&path, "%s%s%s", first, between, last) < 0 ? NULL : path;
}

static int give(char *path, char **path_r, struct err *err)
{
	if (!path)
		return err_memory(err);
	*path_r = path;
	return 0;
}

/* An absolute path from the environment; anything else there counts as not set. */
static const char *absolute(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

/* The home directory with between and last behind it. */
static int in_home(const char *between, const char *last, char **path_r, struct err *err)
{
	const char *home = absolute("HOME");
	struct passwd entry, *found = NULL;
	char buffer[PASSWD_MAX];

	if (!home) {
		(void)getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found);
		if (!found || found->pw_dir[0] != '/')
			return err_set(err, ERR_SETTINGS,
				"no home directory is known: expected it in $HOME");
		home = found->pw_dir;
	}
	return give(join(home, between, last), path_r, err);
}

/* $VARIABLE/mailfilter, or ~/below/mailfilter. */
static int xdg(const char *variable, const char *below, char **dir_r, struct err *err)
{
	const char *set = absolute(variable);

	if (set)
		return give(join(set, "/", "mailfilter"), dir_r, err);
	return in_home(below, "mailfilter", dir_r, err);
}

/* A file that is there but may not be read is to be complained about, not passed over. */
static bool there(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int home_settings(const char *given, const char *name, char **path_r, struct err *err)
{
	auto_free char *dir = NULL;
	auto_free char *own = NULL;
	auto_free char *system = join(HOME_SYSTEM_SETTINGS, name, "");

	if (given)
		return give(strdup(given), path_r, err);
	if (!system)
		return err_memory(err);
	if (geteuid() != 0 && xdg("XDG_CONFIG_HOME", "/.config/", &dir, NULL) == 0) {
		own = join(dir, "/", name);
		if (!own)
			return err_memory(err);
	}
	*path_r = own && there(own) ? take_ptr(&own)
		  : there(system)   ? take_ptr(&system)
				    : NULL;
	return 0;
}

int home_new_settings(const char *name, char **path_r, struct err *err)
{
	auto_free char *dir = NULL;

	if (geteuid() == 0)
		return give(join(HOME_SYSTEM_SETTINGS, name, ""), path_r, err);
	if (xdg("XDG_CONFIG_HOME", "/.config/", &dir, err) < 0)
		return -1;
	return give(join(dir, "/", name), path_r, err);
}

int home_cache(const char *name, char **path_r, struct err *err)
{
	const char *set = absolute("XDG_CACHE_HOME");

	if (set)
		return give(join(set, "/", name), path_r, err);
	return in_home("/.cache/", name, path_r, err);
}

int home_state(const char *settings_path, char **dir_r, struct err *err)
{
	if (geteuid() == 0 || (settings_path && strncmp(settings_path, "/etc/", 5) == 0))
		return give(strdup(HOME_SYSTEM_STATE), dir_r, err);
	return xdg("XDG_STATE_HOME", "/.local/state/", dir_r, err);
}

int home_expand(const char *path, char **path_r, struct err *err)
{
	if (strncmp(path, "~/", 2) == 0)
		return in_home("/", path + 2, path_r, err);
	return give(strdup(path), path_r, err);
}

int home_check_path(const char *path, struct err *err)
{
	if (path[0] == '/' || strncmp(path, "~/", 2) == 0)
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected a whole path, from / or from ~/", path);
}
