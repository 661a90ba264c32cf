/* SPDX-License-Identifier: ISC */
#include "common/descriptors.h"

#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

bool descriptors_allow_more(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
		return false;
	limit.rlim_cur =
		limit.rlim_cur < limit.rlim_max / 2 ? 2 * limit.rlim_cur : limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* The least of them from here on; UINT_MAX: there is none. */
static unsigned next_of(const int *kept, size_t count, unsigned from)
{
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < count; i++)
		if (kept[i] >= 0 && (unsigned)kept[i] >= from &&
			(unsigned)kept[i] < least)
			least = (unsigned)kept[i];
	return least;
}

int descriptors_close_others(const int *kept, size_t count, struct err *err)
{
	unsigned from = STDERR_FILENO + 1, next = next_of(kept, count, from);

	for (; next != UINT_MAX; next = next_of(kept, count, from)) {
		if (next > from && close_range(from, next - 1, 0) < 0)
			return err_errno(err, ERR_FATAL, "close_range");
		from = next + 1;
	}
	return close_range(from, UINT_MAX, 0) < 0
		       ? err_errno(err, ERR_FATAL, "close_range")
		       : 0;
}
