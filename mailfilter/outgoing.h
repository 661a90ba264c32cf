/* SPDX-License-Identifier: ISC
 *
 * What goes out in place of a message, once it is decided what happens with it. Pure. */
#ifndef MAILFILTER_OUTGOING_H
#define MAILFILTER_OUTGOING_H

#include "mailfilter/message.h"
#include "mailfilter/settings.h"

/* Into message->cleaned: what goes out in place of the original, or nothing where that goes out
 * itself. Errors are in message->err as well as told by -1. */
int outgoing_make(struct message *message, const struct account_settings *account);

/* Does its original go to quarantine? */
bool outgoing_keeps_original(const struct message *message);

#endif
