/* SPDX-License-Identifier: ISC
 *
 * What mailfilter itself writes into mail: the status header on tagged messages and the short
 * message that stands for one that was quarantined or parked. Pure. Text from the original is
 * untrusted and cannot break out of its line. */
#ifndef MAILFILTER_NOTICE_H
#define MAILFILTER_NOTICE_H

#include "mailfilter/message.h"

/* Into message->cleaned: the original with X-Virus-Status in front, and incoming fields of our
 * names renamed (they could be forged). No X-Quarantine-ID: what is tagged goes out whole, and
 * nothing of it is kept. */
int notice_tag(struct message *message, struct err *err);

/* Into message->cleaned: a plain message that says what was kept back, why, where, and how the
 * mailbox owner gets it. account names it for the commands; server_folder: where the original goes on
 * the server, too, NULL if nowhere. */
int notice_write(struct message *message, const char *account, const char *server_folder,
	struct err *err);

#endif
