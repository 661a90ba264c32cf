/* SPDX-License-Identifier: ISC
 *
 * Who may connect over tcp: the scanner's own secret key and the keys of its clients, from the
 * settings to what a link takes. Without curve-key there is no guard, and no tcp off loopback. */
#ifndef SCANNER_GUARD_H
#define SCANNER_GUARD_H

#include "common/link.h"

#include "scanner/settings.h"

struct guard {
	struct key secret; /* "": there is no guard */
	struct link_client *clients;
	size_t count;
};

/* An item of `clients`, "KEY NAME": ERR_SETTINGS says what was expected. */
int guard_check_client(const char *text, struct err *err);

/* Read the secret key and the list. ERR_SETTINGS names what a person must mend. */
int guard_open(struct guard *guard, const struct settings *settings, struct err *err);

/* Wipe and release. */
void guard_done(struct guard *guard);

#endif
