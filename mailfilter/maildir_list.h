/* SPDX-License-Identifier: ISC
 *
 * The messages of a Maildir that others work in at the same time: regular files in new and cur,
 * known by their names without flags. A mail program may move one from new to cur or change its
 * flags at any moment; then the list is brought up to date. Links and what else is no file are left
 * out. Names are untrusted. */
#ifndef MAILFILTER_MAILDIR_LIST_H
#define MAILFILTER_MAILDIR_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
	MAILDIR_LIST_MAX = 1000 * 1000
};

struct maildir_entry {
	char *name; /* of the file, with its flags */
	bool cur;   /* in cur, else in new */
	uint64_t size;
	int64_t date_s; /* when it was last changed */
};

struct maildir_list {
	int new, cur;                /* borrowed */
	const char *path;            /* for error texts; borrowed */
	struct maildir_entry *items; /* by base name, each once */
	size_t count;
};

/* How long the name is without flags. */
size_t maildir_base(const char *name);

/* Read both folders. ERR_ACCOUNT where one cannot be read, or has too many files. */
int maildir_list_read(struct maildir_list *list, struct err *err);

/* The entry of this name, with flags or without; NULL: there was none. */
struct maildir_entry *maildir_list_find(
	const struct maildir_list *list, const char *name);

/* Where are they now? Those that are gone keep what was known of them. Nothing else changes. */
int maildir_list_refresh(struct maildir_list *list, struct err *err);

void maildir_list_done(struct maildir_list *list);

#endif
