/* SPDX-License-Identifier: ISC
 *
 * The `source` of an account: imap:// imaps:// pop3:// pop3s:// USER@HOST[:PORT]. USER may hold
 * '@' and %XX; an IPv6 address stands in brackets. Pure. */
#ifndef MAILFILTER_SOURCE_URL_H
#define MAILFILTER_SOURCE_URL_H

#include "mailfilter/settings.h"

enum {
	SOURCE_URL_HOST_MAX = 253, /* RFC 1035 */
	SOURCE_URL_USER_MAX = 255,
};

struct source_url {
	enum source_kind kind;
	char user[SOURCE_URL_USER_MAX + 1];
	char host[SOURCE_URL_HOST_MAX + 1]; /* without brackets */
	unsigned port;
};

/* Take the text apart. ERR_SETTINGS says what was expected. */
int source_url_parse(const char *text, struct source_url *url_r, struct err *err);

/* HOST[:PORT] alone; preset is the port where none is written. */
int source_url_host(const char *text, unsigned preset,
	char host_r[static SOURCE_URL_HOST_MAX + 1], unsigned *port_r, struct err *err);

#endif
