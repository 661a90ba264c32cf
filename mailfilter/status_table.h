/* SPDX-License-Identifier: ISC
 *
 * What `mailfilter status` shows to people: a row for each account and scanner, within 80 columns, and
 * sentences that say what to do where something is wrong. Bytes from outside are escaped here. */
#ifndef MAILFILTER_STATUS_TABLE_H
#define MAILFILTER_STATUS_TABLE_H

#include "common/link.h"
#include "common/state_metrics.h"

#include "mailfilter/cmd_status_held.h"
#include "mailfilter/numbers.h"

enum {
	STATUS_SUMMARY_MAX = 1024
};

/* What is known of one account. */
struct status_account {
	struct numbers_account numbers;
	enum {
		STATUS_IDLE,
		STATUS_FETCHING,
		STATUS_FAILED
	} state;
	char summary[STATUS_SUMMARY_MAX]; /* of the last run, for people */
	char reason[STATUS_SUMMARY_MAX];  /* that it failed, else "" */
	int64_t next_s;                   /* when it is visited next; 0: nobody knows */
	struct status_held held;
	struct check_result quarantine;
};

/* What is known of one scanner. */
struct status_scanner {
	char endpoint[LINK_ENDPOINT_MAX];
	struct state_metrics said;
	char why[ERR_TEXT_MAX]; /* it is not there, as far as that is known, or "" */
};

/* "idle", "fetching", "failed". */
const char *status_state_name(const struct status_account *account);

/* The rows, behind a line of headings. now_s tells ages. */
int status_table_accounts_head(struct buf *out, struct err *err);
int status_table_account(struct buf *out, const struct status_account *account,
	int64_t now_s, struct err *err);
int status_table_scanners_head(struct buf *out, struct err *err);
/* And below it what the scanner did, and how long that took. */
int status_table_scanner(struct buf *out, const struct status_scanner *scanner,
	int64_t now_s, struct err *err);

/* The sentences; nothing where nothing is to be done. is_told: the scanner's own sentence says why
 * mail waits for one. */
int status_table_advise_account(struct buf *out, const struct status_account *account,
	bool is_told, struct err *err);
int status_table_advise_scanner(struct buf *out, const struct status_scanner *scanner,
	int64_t now_s, struct err *err);

#endif
