/* SPDX-License-Identifier: ISC */
#include "mailfilter/source.h"

int source_open(const struct account_settings *account, const char *password,
	const struct stream_wait *wait, struct source **source_r, struct err *err)
{
	switch (account->kind) {
	case SOURCE_IMAP:
	case SOURCE_IMAPS:
		return source_imap_open(account, password, wait, source_r, err);
	case SOURCE_POP3:
	case SOURCE_POP3S:
		return source_pop3_open(account, password, wait, source_r, err);
	case SOURCE_MAILDIR:
		return source_maildir_open(account, wait, source_r, err);
	}
	return err_set(err, ERR_FATAL, "no such kind of source");
}
