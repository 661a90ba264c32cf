/* SPDX-License-Identifier: ISC
 *
 * The signature folders, watched for other files: freshclam cannot tell us. Looks at names, sizes,
 * times and inodes only, every now and then; a change counts once nothing has changed for some
 * seconds, for sets are replaced file by file. Pure but for the folders: time is an argument. */
#ifndef SCANNER_WATCH_H
#define SCANNER_WATCH_H

#include "scanner/settings.h"

enum {
	WATCH_SETTLE_MS = 5000,
	WATCH_UNSETTLED_MS = 5 * 60 * 1000, /* what changes that long is tried as it is */
};

struct watch {
	const struct settings *settings;
	struct settings
		again;      /* as read at the last watch_take, instead, if path is set */
	uint64_t reads;     /* so often they were read */
	struct buf taken;   /* stamp of the files that were last loaded, or tried */
	struct buf seen;    /* at the last look */
	int64_t seen_since; /* it has been so; clock_ms() */
	int64_t changed_since; /* it has not been as taken; -1: it is */
	int64_t look_at;
};

void watch_init(struct watch *watch, const struct settings *settings);
void watch_done(struct watch *watch);

/* What is there now is being loaded, from the folders that the file of settings names by now. A file
 * that cannot be read leaves those it named before. */
int watch_take(struct watch *watch, int64_t now, struct err *err);

/* Those that are looked at: as of the last watch_take. */
const struct schema_list *watch_folders(const struct watch *watch);

/* Look if it is time to. *changed_r: there are other files, and they are taken now. watch->look_at
 * says when to come again. -1: it cannot look, and will try again then. */
int watch_turn(struct watch *watch, int64_t now, bool *changed_r, struct err *err);

#endif
