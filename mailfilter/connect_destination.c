/* SPDX-License-Identifier: ISC
 *
 * An account's destination, as far as it can be asked without giving it a mail. */
#include <string.h>

#include "mailfilter/check_machine.h"
#include "mailfilter/connect.h"
#include "mailfilter/smtp.h"

static void greet(const struct account_settings *account, const char *subject,
	struct remarks *found)
{
	const char *name =
		account->deliver_host ? account->deliver_host : account->deliver_path;
	const char *kind = account->deliver_kind == DELIVER_LMTP ? "LMTP" : "SMTP";
	struct err err = { 0 };
	struct smtp smtp;

	remarks_add(found, REMARK_STEP, subject, "deliver", "greeting %s", name);
	if (smtp_open(&smtp, account, &stream_wait_plain, &err) == 0) {
		remarks_add(found, REMARK_OK, subject, "deliver", "%s speaks %s%s%s",
			name, kind,
			account->deliver_tls == TLS_VERIFY ? " with verified TLS" : "",
			smtp.bit8 ? "" : ", but takes ASCII only (no 8BITMIME)");
		if (!smtp.bit8)
			remarks_add(found, REMARK_NOTE, subject, "deliver",
				"%s offers no 8BITMIME: mail that is not ASCII is held; have the "
				"server offer it, or deliver elsewhere",
				name);
	} else {
		remarks_add(found, err.kind == ERR_AUTH ? REMARK_LOGIN : REMARK_UNREACHED,
			subject, "deliver",
			"deliver: %s; see that the %s server runs there, and that `deliver` is "
			"right",
			err.text, kind);
	}
	smtp_close(&smtp);
}

void connect_destination(const struct account_settings *account, struct remarks *found)
{
	char subject[REMARK_SUBJECT_MAX];

	check_subject(account, subject);
	switch (account->deliver_kind) {
	case DELIVER_LMTP:
	case DELIVER_SMTP:
		greet(account, subject, found);
		break;
	case DELIVER_MAILDIR:
	case DELIVER_MBOX:
		remarks_add(found, REMARK_OK, subject, "deliver", "%s can be written",
			account->deliver_path);
		break;
	case DELIVER_PIPE:
		remarks_add(found, REMARK_OK, subject, "deliver", "%s can be run",
			account->deliver_command.items[0]);
		break;
	case DELIVER_INPLACE:
		break;
	}
}
