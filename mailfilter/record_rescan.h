/* SPDX-License-Identifier: ISC
 *
 * What is on record of delivered mail that is scanned again: how far it came with which signatures,
 * and what is being replaced. Works while a worker does. */
#ifndef MAILFILTER_RECORD_RESCAN_H
#define MAILFILTER_RECORD_RESCAN_H

#include "mailfilter/record.h"

struct record_rescan {
	struct hash digest;  /* of the signatures */
	int64_t since_s;     /* what was delivered then or later */
	int64_t position;    /* of the last message that was looked at */
	int64_t done_s;      /* when all were; 0: not yet */
	uint64_t generation; /* the signatures' number at their scanner, for people */
	uint64_t scanned;    /* since it was begun; of these: */
	uint64_t infected;
};

/* 1: found, 0: nothing was ever scanned again. */
int record_find_rescan(
	struct record *record, struct record_rescan *rescan_r, struct err *err);
int record_put_rescan(
	struct record *record, const struct record_rescan *rescan, struct err *err);

/* The next message behind *position, which moves on to it, that was delivered with its content at
 * since_s or later. 1: found, 0: that was the last. */
int record_next_delivered(struct record *record, int64_t since_s, int64_t *position,
	struct record_row *row_r, struct err *err);

/* A file in a Maildir that another one takes the place of, by their names without flags. */
struct record_replacing {
	char name[MESSAGE_NAME_MAX]; /* of the one that goes */
	char new_name[MESSAGE_NAME_MAX];
	char quarantine_id[QUARANTINE_ID_MAX]; /* "" if its original is not kept */
	enum action action;
	char verdict[64];
	char reason[MESSAGE_REASON_MAX];
};

/* Before it is begun: from here on its names are fixed, whoever takes it up. */
int record_begin_replacing(
	struct record *record, const struct record_replacing *replacing, struct err *err);

/* It is done: from now on that is the message's delivery. */
int record_end_replacing(
	struct record *record, const struct record_replacing *replacing, struct err *err);

/* It is not to be. */
int record_drop_replacing(struct record *record, const char *name, struct err *err);

/* Of this name, or (name NULL) the first whose name comes after `after`. 1: found, 0: none. */
int record_find_replacing(struct record *record, const char *name, const char *after,
	struct record_replacing *replacing_r, struct err *err);

/* In place: have the next visit fetch, scan and replace a message that is settled; one that is no more
 * so is left as it is. */
int record_suspect(struct record *record, const struct message_key *key,
	const char *reason, struct err *err);

/* How many of these are not replaced yet. */
int record_count_suspects(struct record *record, uint64_t *count_r, struct err *err);

#endif
