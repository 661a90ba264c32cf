/* SPDX-License-Identifier: ISC
 *
 * The folders of an account that one run serves: those that the settings name, and those that the
 * server has and a pattern of the settings means. Found once a run. */
#ifndef MAILFILTER_FOLDERS_H
#define MAILFILTER_FOLDERS_H

#include "mailfilter/folder.h"

enum {
	FOLDERS_MAX = 1000 /* of one account */
};

struct folders {
	struct folder *items;
	size_t count;
	struct source_folder_list listed; /* the names of those that were found */
};

/* Find them, if that is not done yet; the session must be open. One that is found is served if it
 * is there still, one that is named must be. Names that cannot be read are logged. */
int folders_find(struct folders *folders, struct session *session, struct err *err);

/* The one of this name, or else the first, of those that were listed; NULL: none was. */
const struct folder *folders_watched(const struct folders *folders, const char *name);

void folders_done(struct folders *folders);

#endif
