/* SPDX-License-Identifier: ISC
 *
 * A session with a server that outlives the round it was opened in: the account is served over it,
 * then it stands in IDLE until there is news or the account is called for. Only here is the password
 * read, and only for a new session. */
#ifndef MAILFILTER_STANDING_H
#define MAILFILTER_STANDING_H

#include "mailfilter/source.h"

struct standing {
	struct account_settings account; /* as it is served; borrows what it points to */
	struct source *source;           /* NULL: none is open */
	struct stream_wait wait;         /* of whose turn it is: set it first */
	struct source_idle idle;
	char folder[MESSAGE_FOLDER_MAX]; /* that of idle */
};

/* Connect and log in, as source_open does. Here stays what the session points to: it must not be moved. */
int standing_open(struct standing *standing, struct err *err);

/* Without a word to the server. */
void standing_close(struct standing *standing);

/* Could it wait for news? */
bool standing_can_idle(const struct standing *standing);

/* So far its next watch knows this folder: up to this UID. */
void standing_listed(struct standing *standing, const char *folder, uint32_t uidvalidity,
	uint32_t listed_to);

/* What standing_watch waits for besides the server, and whom it tells. */
struct standing_ears {
	int stop_fd;              /* signalfd: SIGTERM and SIGINT end it */
	int call_fd;              /* a byte calls for a round; its end is the end */
	void (*news)(void *arg);  /* something came: once, until it is called */
	void (*still)(void *arg); /* all is well; from time to time */
	void *arg;
};

enum standing_end {
	STANDING_CALLED, /* the session is good for a round, as far as can be seen */
	STANDING_STOPPED,
	STANDING_LOST,    /* err says why */
	STANDING_REFUSED, /* the server will not IDLE; err says why */
};

/* Wait in the folder that was listed, for what comes after. */
enum standing_end standing_watch(
	struct standing *standing, const struct standing_ears *ears, struct err *err);

#endif
