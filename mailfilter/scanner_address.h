/* SPDX-License-Identifier: ISC
 *
 * Where a scanner is, as `scanners` in the settings write it: "ENDPOINT" on this machine, or
 * "tcp://HOST:PORT KEY" on any, where KEY is the scanner's public one. Pure. */
#ifndef MAILFILTER_SCANNER_ADDRESS_H
#define MAILFILTER_SCANNER_ADDRESS_H

#include "common/link.h"

struct scanner_address {
	char endpoint[LINK_ENDPOINT_MAX];
	struct key server; /* "" if it needs none */
};

/* ERR_SETTINGS says what was expected. */
int scanner_address_parse(
	const char *text, struct scanner_address *address_r, struct err *err);

/* Only look. */
int scanner_address_check(const char *text, struct err *err);

bool scanner_address_has_key(const struct scanner_address *address);

#endif
