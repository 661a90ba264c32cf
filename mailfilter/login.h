/* SPDX-License-Identifier: ISC
 *
 * A session of an account, from its secret to the login: who has none in hand opens a source with
 * this. The secret is read for each login, and wiped behind it. */
#ifndef MAILFILTER_LOGIN_H
#define MAILFILTER_LOGIN_H

#include "mailfilter/source.h"

/* As source_open. A refused login is tried once more with what password-command then prints, if that
 * is another secret: a token may have run out meanwhile, and the same again could lock the mailbox.
 * Errors of settings_password as well. */
int login_open(const struct account_settings *account, const struct stream_wait *wait,
	struct source **source_r, struct err *err);

#endif
