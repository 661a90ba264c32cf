/* SPDX-License-Identifier: ISC
 *
 * The process that looks at the system: exec'd by the parent, of the lowest priority, one order at a
 * time over a socket of packets. It may hang on a file system that does not answer: the parent then
 * ends it, and that is a finding. It runs the command of on-alert, too. */
#ifndef SCANNER_INSPECTOR_H
#define SCANNER_INSPECTOR_H

#include "scanner/check.h"

/* Packets are these structs: both ends are the same program. */
struct inspector_order {
	uint32_t checks;           /* bit i: run the i-th of check_table */
	bool alert;                /* run the command for this one */
	struct checks_entry about; /* of the alert */
	struct check_facts facts;  /* but for the settings: it has its own */
};

enum {
	INSPECTOR_DONE = -1,   /* the whole order */
	INSPECTOR_ALERT_S = 30 /* then the command is killed */
};

struct inspector_answer {
	int32_t check; /* of check_table, or INSPECTOR_DONE */
	struct check_result result;
};

/* The whole life of an inspector, whose socket is ROLE_FD. Returns its exit code. */
int inspector_main(const struct settings *settings);

#endif
