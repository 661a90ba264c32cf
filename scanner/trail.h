/* SPDX-License-Identifier: ISC
 *
 * Where in a message something lies, for people: "letter.zip > inner.rar > a.com". Names come from
 * outside; here they become printable UTF-8, cut between characters. Pure. */
#ifndef SCANNER_TRAIL_H
#define SCANNER_TRAIL_H

#include "common/verdict.h"

enum {
	TRAIL_MAX = FINDING_NAME_MAX
};

/* One more step behind what stands there; nothing if name is NULL or empty. */
void trail_add(char trail[static TRAIL_MAX], const char *name);

#endif
