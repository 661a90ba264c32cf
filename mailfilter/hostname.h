/* SPDX-License-Identifier: ISC
 *
 * This host's name as others may be told it: in the name of a file, or as a domain. */
#ifndef MAILFILTER_HOSTNAME_H
#define MAILFILTER_HOSTNAME_H

enum {
	HOSTNAME_SIZE = 65 /* with its NUL; Linux allows no more */
};

/* Letters, digits, "-" and "."; "-" for anything else in it, "localhost" where it has none. */
void hostname_get(char name[static HOSTNAME_SIZE]);

#endif
