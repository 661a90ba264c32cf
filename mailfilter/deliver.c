/* SPDX-License-Identifier: ISC */
#include "mailfilter/deliver.h"

#include "mailfilter/maildir.h"

int deliver_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err)
{
	switch (tools->account->deliver_kind) {
	case DELIVER_MAILDIR:
		return deliver_maildir_open(
			tools->account->deliver_path, tools->owner, deliver_r, err);
	case DELIVER_MBOX:
		return deliver_mbox_open(tools, deliver_r, err);
	case DELIVER_PIPE:
		return deliver_pipe_open(tools, deliver_r, err);
	case DELIVER_LMTP:
	case DELIVER_SMTP:
		return deliver_smtp_open(tools, deliver_r, err);
	case DELIVER_INPLACE:
		return deliver_inplace_open(tools, deliver_r, err);
	}
	return err_set(err, ERR_FATAL, "no such destination");
}

void deliver_close(struct deliver *deliver)
{
	if (deliver)
		deliver->ops->close(deliver);
}

void deliver_new_name(const char *owner, char name[static MESSAGE_NAME_MAX])
{
	maildir_new_name(owner, name);
}
