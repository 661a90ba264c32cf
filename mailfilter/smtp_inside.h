/* SPDX-License-Identifier: ISC
 *
 * What the files of the SMTP client share. Not for others. */
#ifndef MAILFILTER_SMTP_INSIDE_H
#define MAILFILTER_SMTP_INSIDE_H

#include "mailfilter/smtp.h"

enum {
	SMTP_AUTH_OK = 235,
	SMTP_AUTH_GO_ON = 334
};

/* Put a command into the buffer, with its end of line. */
int smtp_add_command(struct smtp *smtp, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Take one answer: its code and first line stay in smtp. each (or NULL) gets every line. */
typedef void (*smtp_each)(struct smtp *smtp, const char *text);
int smtp_read_reply(struct smtp *smtp, smtp_each each, struct err *err);

/* What the last answer refused, as ERR_AGAIN. Always -1. */
int smtp_refused(struct smtp *smtp, const char *what, struct err *err);

/* Take what a line of an EHLO answer says of AUTH. */
void smtp_login_offer(struct smtp *smtp, const char *text);

/* Log in as the account's deliver-user, with PLAIN where that is offered, else LOGIN. The password is
 * read for this and wiped behind it. */
int smtp_login(struct smtp *smtp, struct err *err);

#endif
