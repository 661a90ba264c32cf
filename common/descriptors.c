/* SPDX-License-Identifier: ISC */
#include "common/descriptors.h"

#include <sys/resource.h>

bool descriptors_allow_more(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
		return false;
	limit.rlim_cur =
		limit.rlim_cur < limit.rlim_max / 2 ? 2 * limit.rlim_cur : limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}
