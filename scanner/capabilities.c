/* SPDX-License-Identifier: ISC */
#include "scanner/capabilities.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Who has none need not ask, which a service manager's filter may refuse. What is not inheritable leaves
 * the ambient set as well. */
static int reduce(bool keep_own, struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint32_t any = 0;

	if (syscall(SYS_capget, &head, data) < 0)
		return err_errno(err, ERR_FATAL, "capget");
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		any |= data[i].inheritable;
		data[i].inheritable = 0;
		if (keep_own)
			continue;
		any |= data[i].effective | data[i].permitted;
		data[i].effective = data[i].permitted = 0;
	}
	if (any != 0 && syscall(SYS_capset, &head, data) < 0)
		return err_errno(err, ERR_FATAL, "capset");
	return 0;
}

int capabilities_drop(struct err *err)
{
	return reduce(false, err);
}

int capabilities_pass_none_on(struct err *err)
{
	return reduce(true, err);
}
