/* SPDX-License-Identifier: ISC
 *
 * The client's side of SMTP (RFC 5321) and LMTP (RFC 2033) for one recipient: a session, and one
 * transaction after the other in it. Answers are untrusted: their number of lines and bytes and
 * their time are bounded. What the server does not offer is not used, and mail is never rewritten
 * for it. */
#ifndef MAILFILTER_SMTP_H
#define MAILFILTER_SMTP_H

#include "common/body.h"

#include "mailfilter/smtp_link.h"

enum {
	SMTP_REPLY_LINES_MAX = 100,
	SMTP_REPLY_TEXT_MAX = 200,
};

struct smtp {
	const struct account_settings *account;
	struct smtp_link link;
	bool open;
	bool pipelining, bit8, utf8, starttls; /* offered */
	bool auth_plain, auth_login;           /* offered */
	bool sized;                            /* SIZE was offered, */
	uint64_t size_max;                     /* with this limit; 0: none */
	int code; /* of the last answer, and its first line */
	char text[SMTP_REPLY_TEXT_MAX];
};

enum smtp_outcome {
	SMTP_TAKEN,
	SMTP_REFUSED, /* an answer, or something that is not offered: the session goes on */
	SMTP_LOST,    /* before the end of the message was sent: nothing was taken */
	SMTP_DOUBT,   /* after it: nobody knows */
};

/* Connect, greet, change to TLS if the account wants it, and log in if it has a user there. Everything
 * that failed is ERR_AGAIN, but for a certificate that does not verify (ERR_ACCOUNT), a login that is
 * refused for good (ERR_AUTH) or not offered (ERR_ACCOUNT), and a password that is not to be had. */
int smtp_open(struct smtp *smtp, const struct account_settings *account,
	const struct stream_wait *wait, struct err *err);

/* Is the session still there, as far as can be seen without asking? */
bool smtp_is_open(const struct smtp *smtp);

/* One message to the account's recipient; sender "" for none. err unless it was taken. */
enum smtp_outcome smtp_send(struct smtp *smtp, const struct body *message,
	const char *sender, struct err *err);

/* With QUIT if nothing is under way; its answer is not waited for. */
void smtp_close(struct smtp *smtp);

#endif
