/* SPDX-License-Identifier: ISC
 *
 * What a client says in a SASL exchange, in base64, and what a server's refusal of a token means:
 * PLAIN (RFC 4616), OAUTHBEARER (RFC 7628) and XOAUTH2 (as Google and Microsoft describe it), for
 * every protocol that has AUTH. Pure; what a server says is untrusted. */
#ifndef MAILFILTER_SASL_H
#define MAILFILTER_SASL_H

#include "mailfilter/settings.h"

enum {
	SASL_ANSWER_MAX =
		12288, /* encoded: RFC 5034 and 4954 let a server take no more */
	SASL_CHALLENGE_MAX = 64 * 1024, /* encoded; of a longer one nothing is told */
	SASL_WHY_MAX = 300,
	SASL_REPEATED_LEAST = 5, /* of a shorter secret any text may hold it */
	SASL_REPEATED_MAX = 8
};

/* Is an access token the secret of this mechanism, instead of a password? */
bool sasl_is_token(enum auth_kind auth);

/* Its name on the wire. Of AUTH_LOGIN, which is none here, that of PLAIN. */
const char *sasl_name(enum auth_kind auth);

/* host and port (as connected to) are in OAUTHBEARER's answer alone. */
struct sasl_login {
	enum auth_kind auth;
	unsigned port;
	const char *user, *secret, *host;
};

/* Of an account at its source. */
struct sasl_login sasl_login_of(
	const struct account_settings *account, enum auth_kind auth, const char *secret);

/* Put the one answer of a mechanism into an empty buf of SASL_ANSWER_MAX, which is to be wiped: what is in
 * it moves to no other memory. Too long, or a user that cannot be said: ERR_ACCOUNT. */
int sasl_answer(const struct sasl_login *login, struct buf *buf, struct err *err);

/* Add bytes in base64. */
int sasl_encode(struct span bytes, struct buf *buf, struct err *err);

/* What is to be said to a challenge behind the answer, so that the server says no and why:
 * such a challenge is an error. */
const char *sasl_concede(enum auth_kind auth);

/* Such a challenge in words, "status=invalid_token, scope=mail"; "" where nothing can be read.
 * Printable ASCII alone. Returns text. */
const char *sasl_explain(const char *challenge, char text[static SASL_WHY_MAX]);

/* Does the server say again what it heard? Then its words are for nobody. Any run of
 * SASL_REPEATED_MAX bytes of the secret counts. */
bool sasl_repeats(const char *words, struct span secret);

/* A login failed, and err may hold the server's words: without them, if they hold something of the
 * secret, as it is or as sasl_answer has it. Always -1. */
int sasl_censor(const struct sasl_login *login, struct err *err);

#endif
