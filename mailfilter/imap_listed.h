/* SPDX-License-Identifier: ISC
 *
 * LIST responses, as imap_gate.h keeps them: flags, hierarchy separator and name (RFC 3501, 7.2.2;
 * RFC 5258; special uses RFC 6154). All of it is untrusted. Pure. */
#ifndef MAILFILTER_IMAP_LISTED_H
#define MAILFILTER_IMAP_LISTED_H

#include "mailfilter/source.h"

/* The next response off the front of rest. 1: a folder; 0: there is none any more; -1: one that
 * cannot be understood or has no valid name, with why; the next call goes on behind it. */
int imap_listed_next(struct span *rest, struct source_folder *folder_r, struct err *err);

#endif
