/* SPDX-License-Identifier: ISC
 *
 * The sections `rule NAME { ... }` of mailfilter.conf: what a rule looks for and what it does.
 * rules.h has what that means for a message. */
#ifndef MAILFILTER_RULE_SETTINGS_H
#define MAILFILTER_RULE_SETTINGS_H

#include "mailfilter/settings.h"

enum rule_then {
	RULE_SCAN,       /* whatever judge would say */
	RULE_PASS,       /* not scanned */
	RULE_QUARANTINE, /* not delivered */
	RULE_FOLDER      /* delivered into another folder, not scanned */
};

enum {
	RULE_FIELD_MAX = 76 /* bytes of a field's name in `header` */
};

struct rule_settings {
	char *name;
	int line;
	struct schema_list accounts;                              /* none: all */
	struct schema_list header;                                /* "FIELD: PATTERN" */
	struct schema_list from, list, subject, attachment, type; /* patterns, glob.h */
	uint64_t size_over, size_under;                           /* 0: not given */
	char *then; /* as written, then taken apart: */
	enum rule_then then_kind;
	const char *folder; /* of RULE_FOLDER, in then */
	struct {
		int accounts, then;
	} lines;
};

extern const struct schema_option rule_options[];

/* The i-th rule; the first that matches wins. */
const struct rule_settings *settings_rule(const struct settings *settings, size_t i);

/* Is it one of this account's? */
bool rule_is_for(const struct rule_settings *rule, const char *account);

/* Check it and take it apart. ERR_SETTINGS with its line. */
int rule_settings_finish(
	const struct settings *settings, struct rule_settings *rule, struct err *err);

/* "scan", "pass", "quarantine", "folder". */
const char *rule_then_name(enum rule_then then);

#endif
