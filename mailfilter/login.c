/* SPDX-License-Identifier: ISC */
#include "mailfilter/login.h"

#include <string.h>

/* After a refusal, which stays the error unless the login now ends in another way. */
static int try_fresh(const struct account_settings *account, const char *refused,
	const struct stream_wait *wait, struct source **source_r, struct err *err)
{
	DEFER(schema_text_free) char *fresh = NULL;
	struct err why = { 0 };

	if (settings_password(account, wait, &fresh, &why) < 0) {
		const struct err first = *err;

		return err_set(
			err, ERR_AUTH, "%.250s; then %.240s", first.text, why.text);
	}
	if (strcmp(fresh, refused) == 0)
		return -1;
	return source_open(account, fresh, wait, source_r, err);
}

int login_open(const struct account_settings *account, const struct stream_wait *wait,
	struct source **source_r, struct err *err)
{
	DEFER(schema_text_free) char *secret = NULL;

	if (account->kind == SOURCE_MAILDIR)
		return source_open(account, "", wait, source_r, err);
	if (settings_password(account, wait, &secret, err) < 0)
		return -1;
	if (source_open(account, secret, wait, source_r, err) == 0)
		return 0;
	if (err->kind != ERR_AUTH || account->password_command.count == 0)
		return -1;
	return try_fresh(account, secret, wait, source_r, err);
}
