/* SPDX-License-Identifier: ISC
 *
 * What the files of the rescan module share. Not for others. */
#ifndef MAILFILTER_RESCAN_INSIDE_H
#define MAILFILTER_RESCAN_INSIDE_H

#include "mailfilter/account_dir.h"
#include "mailfilter/record_rescan.h"
#include "mailfilter/rescan.h"
#include "mailfilter/scan.h"

struct rescan;

/* Where delivered mail is. */
struct rescan_place_ops {
	/* End what a run that died has begun. NULL: nothing is ever left half done. */
	int (*resume)(struct rescan *rescan, struct err *err);
	/* Into message->body. 1: there; 0: it is gone. What is wrong with this one alone is
	 * ERR_MESSAGE. */
	int (*load)(struct rescan *rescan, const struct record_row *row,
		struct message *message, struct err *err);
	/* Replace it, as its action says. 1: done, 0: it has gone meanwhile. */
	int (*replace)(struct rescan *rescan, const struct record_row *row,
		struct message *message, struct err *err);
	void (*close)(struct rescan *rescan);
};

struct rescan {
	const struct rescan_job *job;
	struct rescan_report *report;
	const struct rescan_place_ops *ops;
	void *place;     /* of the ops */
	char *dir, *own; /* the account's state, and the part of it that is ours */
	char *tmp;       /* in it, empty at the start */
	char sign[ACCOUNT_SIGN_MAX];
	int lock;
	struct record *record;
	struct scan *scan;
	struct record_rescan state;
	/* The sets of signatures that the scanners have, as record_signatures has them. */
	uint64_t sets[SCAN_SCANNERS_MAX];
	size_t set_count;
	bool yields;  /* new mail waits */
	bool stopped; /* by a signal, or who started it is gone */
	bool undecided; /* of the message that was asked for last: no verdict, though there is hope */
	int64_t told_ms; /* when progress was told last */
};

/* Open the place: its ops are set, and place. */
int rescan_maildir_open(struct rescan *rescan, struct err *err);
int rescan_inplace_open(struct rescan *rescan, struct err *err);

/* As stream_wait: for a server, or a word to us. */
int rescan_wait(void *rescan, int fd, short events, int64_t deadline_ms, struct err *err);

/* Tell who wants to know how far it is. */
void rescan_tell(struct rescan *rescan);

/* The verdict on a message that was loaded, as to whether anything is found; none: ERR_AGAIN. */
int rescan_ask(struct rescan *rescan, struct message *message, struct err *err);

/* Wait for a scanner, and sum up which signatures the scanners have, in the report as well. */
int rescan_signatures(struct rescan *rescan, struct hash *digest_r, struct err *err);

/* Hear what signals and who started it say. To end: ERR_AGAIN. */
int rescan_hear(struct rescan *rescan, struct err *err);

#endif
