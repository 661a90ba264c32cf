/* SPDX-License-Identifier: ISC
 *
 * Which of a mailbox's folders are meant: names, patterns with wildcards, and "!" before what is
 * not. A "*" stands for anything, a "%" for anything within one level, and a "/" in a pattern for
 * the server's own separator of levels too. Names are the server's: untrusted. Pure. */
#ifndef MAILFILTER_FOLDER_NAMES_H
#define MAILFILTER_FOLDER_NAMES_H

#include "mailfilter/source.h"

/* Does it need the server's list of folders: wildcards, or "!"? */
bool folder_names_is_pattern(const char *wanted);

bool folder_names_match(const char *pattern, const struct source_folder *folder);

/* Is this folder meant by the patterns of a `folders` option? Names without wildcards mean only
 * themselves and are not looked at; what stands behind a "!" is never meant. Nor are folders that
 * hold nothing, or show what is in others. */
bool folder_names_wants(
	const struct schema_list *wanted, const struct source_folder *folder);

/* The one that the server marks as trash, or else has such a name. NULL: none. */
const struct source_folder *folder_names_trash(const struct source_folder_list *list);

#endif
