/* SPDX-License-Identifier: ISC
 *
 * Mail servers that go with an address: of large providers what is known of them, else the names that
 * most domains use. Pure. */
#ifndef MAILFILTER_PROVIDER_H
#define MAILFILTER_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

enum {
	PROVIDER_HOST_MAX = 254
};

/* The domain of an address in lower case, "" if there is none that can be one. */
void provider_domain(const char *address, char domain[static PROVIDER_HOST_MAX]);

/* The i-th guess at the domain's server for IMAP or POP3, in the order in which they are to be tried;
 * false: no more. */
bool provider_host(
	const char *domain, bool pop3, size_t i, char host[static PROVIDER_HOST_MAX]);

/* Is the server known, so that there is nothing to try? */
bool provider_known(const char *domain);

/* Is the user's name there only what stands before the "@"? */
bool provider_short_user(const char *domain);

/* What one must know of a domain or server, a sentence; NULL: nothing. */
const char *provider_hint(const char *name);

#endif
