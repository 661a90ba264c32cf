/* SPDX-License-Identifier: ISC
 *
 * What one scan came to, and what libclamav's words mean for it: it has "virus", "clean" and a log,
 * we have verdicts. Pure. */
#ifndef SCANNER_RESULT_H
#define SCANNER_RESULT_H

#include "common/verdict.h"

/* kind is
 *   CLEAN        signature is "", or names a heuristic find that tags and does not cut (phishing);
 *   INFECTED     signature says of what;
 *   UNSCANNABLE  with its reason and a detail;
 *   RETRY        temp space (reason LIMIT) or memory (reason NONE) is short: detail says more. */
struct result {
	enum verdict_kind kind;
	enum verdict_reason reason;
	char signature[FINDING_SIGNATURE_MAX];
	char detail[VERDICT_DETAIL_MAX];
	/* INFECTED: only in the bytes as they stand there, in nothing that was taken out of them. */
	bool is_surface;
	/* INFECTED: which file in the bytes, "inner.rar > eicar.com", if it is known. */
	char where[FINDING_NAME_MAX];
};

/* What no scan has said anything about yet. */
void result_init(struct result *result);

/* Add what another scan said: INFECTED wins, then RETRY, then UNSCANNABLE, there any reason over
 * ENCRYPTED, which is treated mildest; among equals the first stays. */
void result_add(struct result *sum, const struct result *other);
void result_add_unscannable(
	struct result *sum, enum verdict_reason reason, const char *detail);
void result_add_retry(struct result *sum, const char *detail);

/* The same, and it was temp space: RETRY whose reason is LIMIT. It may be for what the mail unpacks to;
 * the parent finds out. */
void result_add_short(struct result *sum, const char *detail);

/* One of these two: ERR_AGAIN is temp space and the like, all else is not. */
void result_add_failure(struct result *sum, const struct err *err);

/* Add a name that libclamav found: "Heuristics.Limits.Exceeded.MaxFiles", "Win.Worm.X", or NULL,
 * which 1.4 gives for an over-long file. */
void result_add_name(struct result *sum, const char *name);

/* What a warning of libclamav during a scan means; NONE: nothing was left out. */
enum verdict_reason result_of_warning(const char *text);

#endif
