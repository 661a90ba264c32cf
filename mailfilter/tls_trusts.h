/* SPDX-License-Identifier: ISC
 *
 * The certificates that accounts trust, each file read once, by the process that forks the workers:
 * they share the memory, some megabytes for what the system trusts. Read anew when a file changes.
 * What cannot be read is left to the worker, which says so. */
#ifndef MAILFILTER_TLS_TRUSTS_H
#define MAILFILTER_TLS_TRUSTS_H

#include <sys/stat.h>

#include "mailfilter/settings.h"

enum {
	TLS_TRUSTS_MAX = 16 /* files; accounts with others read their own */
};

struct tls_trusts {
	struct tls_trusted {
		char *ca_file;           /* NULL: the system's */
		struct tls_trust *trust; /* NULL: it cannot be read */
		struct stat st;
	} items[TLS_TRUSTS_MAX];
	size_t count;
};

/* Give each account that needs one its trust. Cheap where nothing changed. */
void tls_trusts_update(struct tls_trusts *trusts, struct settings *settings);

/* No account may be used any more that has one. */
void tls_trusts_done(struct tls_trusts *trusts);

#endif
