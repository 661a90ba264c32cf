/* SPDX-License-Identifier: ISC
 *
 * Which rule is a message's? The first that matches: all its conditions hold, each with any of its
 * patterns. Pure.
 *
 * Mail programs read odd mail differently, and who sends it chooses which: so a rule that has mail
 * scanned or quarantined matches if any reading of it matches, one that lets it through unscanned
 * (pass, folder) only if all do, nothing about the message is in doubt, and, for attachments and
 * types, each of them matches. */
#ifndef MAILFILTER_RULES_H
#define MAILFILTER_RULES_H

#include "common/buf.h"

#include "mailfilter/rule_settings.h"

enum {
	RULES_MAX = 1000,
	RULES_FIELDS_MAX = 100 /* of one name that are looked at */
};

/* The rule for this message of an account (NULL: only rules for all accounts count), or NULL.
 * Fails with ERR_FATAL only; then nothing is known. mime_start first. */
int rules_match(const struct settings *settings, const char *account, struct span message,
	const struct rule_settings **rule_r, struct err *err);

#endif
