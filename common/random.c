/* SPDX-License-Identifier: ISC */
#include "common/random.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

uint64_t random_number(void)
{
	uint64_t number = 0;
	ssize_t got;

	/* Up to 256 bytes come whole; it may only wait, at boot, and be interrupted then. */
	do
		got = getrandom(&number, sizeof(number), 0);
	while (got < 0 && errno == EINTR);
	assert(got == (ssize_t)sizeof(number));
	return number;
}
