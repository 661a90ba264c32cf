/* SPDX-License-Identifier: ISC */
#include "mailfilter/pace.h"

int64_t pace_next_ms(const struct pace *pace, int64_t now_ms)
{
	int64_t due_ms = (pace->due_us + 999) / 1000;

	return pace->rate > 0 && due_ms > now_ms ? due_ms : now_ms;
}

size_t pace_room(const struct pace *pace, size_t size)
{
	return pace->rate > 0 && pace->rate < size ? (size_t)pace->rate : size;
}

void pace_took(struct pace *pace, size_t len, int64_t now_ms)
{
	int64_t saved_us = (now_ms - PACE_BURST_MS) * 1000;

	if (pace->rate == 0)
		return;
	if (pace->due_us < saved_us)
		pace->due_us = saved_us;
	/* One read is far below what overflows. */
	pace->due_us += (int64_t)((uint64_t)len * 1000000 / pace->rate);
}
