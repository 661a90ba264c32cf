/* SPDX-License-Identifier: ISC
 *
 * What a run says of an account: counts, a line a message for the log, a line a run for people.
 * Travels from worker to parent over a pipe as it is: one program, one machine. */
#ifndef MAILFILTER_REPORT_H
#define MAILFILTER_REPORT_H

#include "mailfilter/numbers.h"

struct report {
	uint32_t listed;      /* messages this run had to look at */
	uint32_t delivered;   /* as they were */
	uint32_t cleaned;     /* infected, bad parts cut out */
	uint32_t tagged;      /* delivered with the status header */
	uint32_t quarantined; /* a notice delivered instead */
	/* Of all of these, by what became of them. */
	uint32_t infected[ACTION_HOLD + 1];
	uint32_t unscannable[ACTION_HOLD + 1];
	uint32_t ruled;   /* of those tagged and quarantined: because a rule said so */
	uint32_t held;    /* left on the server, again later */
	uint32_t parked;  /* left on the server, a notice delivered */
	uint32_t settled; /* done on the server what `after` says */
	bool final;       /* the run is over; err says how */
	struct err err;   /* ERR_NONE if the account was reached and served */
	char held_why[MESSAGE_REASON_MAX]; /* of the first held one */
	struct numbers numbers; /* what is on record at the end, for metrics-file alone */
};

/* Count a message whose fate is decided. */
void report_count(struct report *report, const struct message *message);

/* How many messages' fate is decided so far. */
uint32_t report_decided(const struct report *report);

/* What came and was delivered: the only progress that a session can make. To hold or to park needs no
 * server, and one that never serves would have all its messages parked. */
uint32_t report_served(const struct report *report);

/* The log line of a message: account, folder, uid, verdict, signature, action ... */
void report_message(const char *account, const struct message *message, bool dry_run);

/* "3 new, 1 infected (cleaned)", "nothing new", and what went wrong. Returns text. */
enum {
	REPORT_SUMMARY_MAX = 1024
};
const char *report_summary(
	const struct report *report, char text[static REPORT_SUMMARY_MAX]);

/* For the record: the same in one line, or in two where the account was not served to its end: what
 * came of the mail, which may be "", and what went wrong. Returns text. */
const char *report_note(
	const struct report *report, char text[static REPORT_SUMMARY_MAX]);

/* The exit code this report asks for: 0, 75, 77, 78. */
int report_exit_code(const struct report *report);

/* Of two exit codes the one that says more: 78, 77, 75, others, 0. */
int report_worse(int left, int right);

#endif
