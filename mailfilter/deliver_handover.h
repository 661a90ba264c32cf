/* SPDX-License-Identifier: ISC
 *
 * What delivery to a server and to a command have in common: there is no half of it, and what was
 * taken cannot be asked for. So each message that was taken is noted durably (sent.h) before the
 * next one goes out: a crash repeats one at most. One that was sent to its end and never answered
 * is sent again at the next visit, and then once a day. For deliver_*.c alone. */
#ifndef MAILFILTER_DELIVER_HANDOVER_H
#define MAILFILTER_DELIVER_HANDOVER_H

#include "mailfilter/deliver.h"
#include "mailfilter/sent.h"
#include "mailfilter/stream.h"

enum {
	HANDOVER_BATCH_MAX = 20,      /* messages between two records */
	HANDOVER_DOWN_MS = 30 * 1000, /* where nothing goes, so long nothing is tried */
	HANDOVER_LOST_MAX = 2,        /* in a row, then it counts as such */
	HANDOVER_AGAIN_S =
		24 * 60 * 60, /* until one in doubt is sent a third time, ... */
};

enum handover_result {
	HANDOVER_TAKEN,
	HANDOVER_REFUSED, /* this message, certainly not taken */
	HANDOVER_LOST,    /* the same, and there was no answer */
	HANDOVER_DOWN,    /* certainly not taken, and no other would be now */
	HANDOVER_DOUBT,   /* sent to its end, no answer */
};

struct handover;

struct handover_ops {
	/* Can something be handed over now? NULL: only a try tells. */
	int (*ready)(struct handover *handover, struct err *err);
	/* Once it is ready: of how many bytes at most? */
	uint64_t (*room)(const struct handover *handover);
	/* Hand over the bytes with this sender; err unless they are taken. */
	enum handover_result (*give)(struct handover *handover, struct body *body,
		const char *sender, struct err *err);
	void (*close)(struct handover *handover); /* releases all but what is here */
};

/* The common start of each kind's own struct. */
struct handover {
	struct deliver deliver;
	const struct handover_ops *ops;
	const struct account_settings *account;
	struct stream_wait wait;
	struct sent sent;
	unsigned lost;         /* in a row, in doubt or not */
	int64_t down_until_ms; /* for this reason */
	struct err down;
};

/* Open the journal and set the rest. The kind's struct is allocated, and handover its first
 * member; on failure it stays the caller's. */
int handover_open(struct handover *handover, const struct handover_ops *ops,
	const struct deliver_tools *tools, struct err *err);

#endif
