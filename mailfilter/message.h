/* SPDX-License-Identifier: ISC
 *
 * One message on its way through the pipeline: who it is, where it stands, what was found.
 * It has one owner at a time; moving it clears the giver's pointer. */
#ifndef MAILFILTER_MESSAGE_H
#define MAILFILTER_MESSAGE_H

#include "common/body.h"
#include "common/verdict.h"

#include "mailfilter/head.h"

enum {
	MESSAGE_UID_MAX = 128, /* IMAP: decimal; POP3: UIDL, RFC 1939 says 70 */
	MESSAGE_FOLDER_MAX = 512,
	MESSAGE_NAME_MAX = 128,
	MESSAGE_REASON_MAX = 256,
	MESSAGE_RULE_MAX = 65,
	MESSAGE_TARGET_MAX = 132,
	QUARANTINE_ID_MAX = 40,
};

/* Where it stands: what is done. The order is that of the pipeline's table. */
enum stage {
	STAGE_LISTED,
	STAGE_FETCHED,
	STAGE_JUDGED,
	STAGE_SENT,
	STAGE_SCANNED,
	STAGE_QUARANTINED,
	STAGE_DELIVERED,
	STAGE_RECORDED,
	STAGE_SETTLED,
};

/* What is decided to happen to it. */
enum action {
	ACTION_NONE,       /* not yet */
	ACTION_DELIVER,    /* as it is */
	ACTION_CLEAN,      /* quarantine the original, deliver the cleaned copy */
	ACTION_TAG,        /* deliver with the status header */
	ACTION_QUARANTINE, /* quarantine, deliver a notice */
	ACTION_PARK, /* leave on the server, deliver a notice once: odd or too large */
	ACTION_HOLD, /* leave on the server, again later */
};

/* What a message that is held waits for. */
enum waits {
	WAITS_VISIT,       /* nothing: the next visit tries again */
	WAITS_SCANNER,     /* a scanner that is ready */
	WAITS_DESTINATION, /* where it goes to must take mail, and its own time come */
};

/* Why it is scanned whatever it looks like: something was found in it since it was delivered. */
#define MESSAGE_JUDGED_AGAIN "rescan"

/* The identity on the server: account (its state folder), folder, UIDVALIDITY, UID. */
struct message_key {
	char folder[MESSAGE_FOLDER_MAX]; /* UTF-8; "" for POP3 */
	uint32_t uidvalidity;            /* 0 for POP3 */
	char uid[MESSAGE_UID_MAX];
};

/* What was put into a folder on the server by our own hand; uid 0: nothing. */
struct placed {
	uint32_t uidvalidity, uid;
	uint64_t size; /* as the server says; with head it tells it again */
	struct head head;
};

struct message {
	struct message *next; /* in the pipeline's list */
	struct message_key key;
	enum stage stage;
	uint64_t size; /* as the server says, before the fetch; then of the body */
	uint64_t listed_size;
	struct head head;  /* of the original */
	int64_t date_s;    /* INTERNALDATE, 0 if unknown */
	int64_t listed_ms; /* clock_ms() when its fetch began */
	uint32_t number;   /* POP3: of this session */
	struct body body;  /* the original, from FETCHED on */
	bool repeat; /* an intent is on record: it may have been delivered under its name */
	bool suspicious;
	bool suspect; /* found to be infected since it was delivered */
	bool passed;  /* not scanned, although it might be suspicious: judged says why */
	char judged[MESSAGE_REASON_MAX]; /* why: "attachment,link" */
	char rule[MESSAGE_RULE_MAX];     /* that decided, "" if none did */
	/* That a rule files it in, "" for the usual place; fixed once an intent is on record: what may
	 * have been delivered there is ended there, whatever the rules have come to say. */
	char folder[MESSAGE_TARGET_MAX];
	bool folder_fixed;
	uint64_t request_id; /* while SENT */
	struct verdict verdict;
	bool scanned; /* verdict is a scanner's */
	enum action action;
	char reason[MESSAGE_REASON_MAX]; /* of hold, park and quarantine, for people */
	char quarantine_id[QUARANTINE_ID_MAX]; /* fixed at LISTED */
	struct body cleaned;                   /* what goes out, if not the original */
	char name[MESSAGE_NAME_MAX]; /* of the delivery; fixed at LISTED, then recorded */
	uint32_t attempts;           /* times it was held before */
	enum waits waits;            /* of hold */
	int64_t since_s;             /* when it was first seen */
	struct placed placed;        /* in place: what stands in its folder for it */
	char remark[MESSAGE_REASON_MAX]; /* of its delivery, for the log; "" if none */
	struct err err;                  /* of the step that failed */
};

/* A new message at LISTED; bodies spool into dir, which must outlive it. NULL: no memory. */
struct message *message_new(const char *dir, uint64_t max);
void message_free(struct message *message);

/* Nothing to fetch or to deliver of it: what is known goes to its owner in a notice. */
void message_park(struct message *message, const char *why);

const char *message_stage_name(enum stage stage);
const char *message_action_name(
	enum action action); /* "delivered", "cleaned", "tagged", ... */

#endif
