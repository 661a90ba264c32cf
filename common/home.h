/* SPDX-License-Identifier: ISC
 *
 * Where settings and state are: the user's own by the XDG base directory specification, else the
 * system's under /etc and /var/lib. Looks at the environment and the user database; changes
 * nothing. */
#ifndef COMMON_HOME_H
#define COMMON_HOME_H

#include "common/err.h"

#define HOME_SYSTEM_SETTINGS "/etc/mailfilter/"
#define HOME_SYSTEM_STATE    "/var/lib/mailfilter"

/* The settings file to read: the given one, or, where that is NULL, the one of this name: as an ordinary
 * user that in $XDG_CONFIG_HOME/mailfilter (or ~/.config/mailfilter) if it is there, else that in
 * /etc/mailfilter; NULL if neither is. The caller frees it. */
int home_settings(const char *given, const char *name, char **path_r, struct err *err);

/* Where a new settings file of this name belongs: /etc/mailfilter as root, else $XDG_CONFIG_HOME/mailfilter
 * (or ~/.config/mailfilter). The caller frees it. */
int home_new_settings(const char *name, char **path_r, struct err *err);

/* $XDG_CACHE_HOME (or ~/.cache) with the name behind it. The caller frees it. */
int home_cache(const char *name, char **path_r, struct err *err);

/* The state directory where none is set: the system's as root or with settings from /etc, else
 * $XDG_STATE_HOME/mailfilter (or ~/.local/state/mailfilter). The caller frees it. */
int home_state(const char *settings_path, char **dir_r, struct err *err);

/* The path with a leading "~/" replaced by the home directory. The caller frees it. */
int home_expand(const char *path, char **path_r, struct err *err);

/* Is it an absolute path, or one from "~/"? ERR_SETTINGS says what was expected. */
int home_check_path(const char *path, struct err *err);

#endif
