/* SPDX-License-Identifier: ISC
 *
 * What the settings ask of this machine, as far as it can be seen without a connection: files that
 * must be read, folders that must be there or can be made, programs. Changes nothing, and looks as
 * the user it runs as. */
#ifndef MAILFILTER_CHECK_MACHINE_H
#define MAILFILTER_CHECK_MACHINE_H

#include "mailfilter/remarks.h"
#include "mailfilter/settings.h"

/* Only what is wrong, or might not be meant so, is added. */
void check_machine(const struct settings *settings, struct remarks *remarks);

/* "account NAME", the subject of what is found of it. */
void check_subject(
	const struct account_settings *account, char subject[static REMARK_SUBJECT_MAX]);

#endif
