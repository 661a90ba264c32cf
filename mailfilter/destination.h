/* SPDX-License-Identifier: ISC
 *
 * The `deliver` of an account: maildir:PATH, mbox:PATH, lmtp:PATH (a unix socket),
 * lmtp://HOST[:PORT], smtp://HOST[:PORT], smtps://HOST[:PORT], pipe or inplace, and what goes with each of them. */
#ifndef MAILFILTER_DESTINATION_H
#define MAILFILTER_DESTINATION_H

#include "mailfilter/settings.h"

enum {
	DESTINATION_ADDRESS_MAX = 254, /* RFC 5321 4.5.3.1.3, without the brackets */
};

/* Checks of single values, for the table. ERR_SETTINGS says what was expected. */
int destination_check(const char *value, struct err *err);
int destination_check_recipient(const char *value, struct err *err);
int destination_check_sender(const char *value, struct err *err);
int destination_check_user(const char *value, struct err *err);

/* Can it stand between < and > in an envelope? Blanks, brackets and control characters cannot. */
bool destination_is_address(const char *text);

/* Take `deliver` apart and refuse options that do not go with it: ERR_SETTINGS with its line. */
int destination_finish(const struct settings *settings, struct account_settings *account,
	struct err *err);

/* Release what destination_finish added. */
void destination_done(struct account_settings *account);

#endif
