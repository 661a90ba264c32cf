/* SPDX-License-Identifier: ISC
 *
 * What was given to a destination that cannot be asked what it has: a journal of delivery names,
 * appended to and synced after each message, which costs less than a record. So a crash leaves at
 * most the one message in doubt that was on its way. Also those that were sent to their end and
 * never answered: how often, and when last. The file (sent.journal in the account's state) is ours
 * alone; a torn last line counts for nothing. */
#ifndef MAILFILTER_SENT_H
#define MAILFILTER_SENT_H

#include "mailfilter/names.h"

enum {
	SENT_BYTES_MAX =
		16 * 1024 *
		1024, /* of the file; it is written anew at each start, and at half of that */
	SENT_DOUBTS_MAX = 1000, /* the oldest are forgotten */
};

struct sent_doubt {
	char name[MESSAGE_NAME_MAX];
	int64_t last_s;
	uint32_t count;
};

struct sent {
	int fd;
	char *path;
	struct names names;
	struct sent_doubt *doubts; /* oldest first */
	size_t doubt_count;
	bool behind; /* what is known is not all in the file */
};

/* Read what is there; a new file has it without what is out of date. */
int sent_open(const char *dir, struct sent *sent_r, struct err *err);
void sent_close(struct sent *sent);

/* It was taken: known at once, durable if this succeeds. sent_catch_up tries again. */
int sent_note(struct sent *sent, const char *name, struct err *err);
int sent_catch_up(struct sent *sent, struct err *err);

/* It was sent to its end, and nobody knows whether it was taken; errors as above. */
int sent_note_doubt(struct sent *sent, const char *name, int64_t now_s, struct err *err);

/* NULL if there is none. */
const struct sent_doubt *sent_find_doubt(const struct sent *sent, const char *name);

/* It is on record, or will not be asked for again. */
void sent_forget(struct sent *sent, const char *name);

#endif
