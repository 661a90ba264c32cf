/* SPDX-License-Identifier: ISC
 *
 * From a UIDL, as a server lists it, to the uid that is on record. Pure. */
#ifndef MAILFILTER_POP3_UID_H
#define MAILFILTER_POP3_UID_H

#include "common/buf.h"

#include "mailfilter/message.h"

/* Before the hash of what names a message whose UIDL others have, too. */
#define POP3_UID_TOP "top-sha256:"

/* No two different UIDLs give one uid: what is too long or could be taken for a name made here
 * becomes its hash. */
int pop3_uid(struct span uidl, char uid_r[static MESSAGE_UID_MAX], struct err *err);

#endif
