/* SPDX-License-Identifier: ISC
 *
 * From verdict and policy to what happens with a message. Pure. What is not understood is held:
 * unknown is never clean. */
#ifndef MAILFILTER_DECIDE_H
#define MAILFILTER_DECIDE_H

#include "mailfilter/message.h"
#include "mailfilter/settings.h"

/* Set message->action and, but for plain delivery, message->reason. A message that was judged
 * suspicious and not scanned is held. Where a mail is both infected and not to be scanned in
 * part, the stricter policy wins: hold, quarantine, clean, tag. */
void decide(struct message *message, const struct account_settings *account);

/* "clean", "infected", "unscannable (limit)", "retry", "inert" (not scanned), "passed" (not
 * scanned, and not judged), for log and record. */
enum {
	DECIDE_VERDICT_MAX = 64
};
const char *decide_verdict(
	const struct message *message, char text[static DECIDE_VERDICT_MAX]);

#endif
