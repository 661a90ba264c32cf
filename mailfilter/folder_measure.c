/* SPDX-License-Identifier: ISC
 *
 * When the sizes of a large folder's messages are asked for. A server that has to read all mail to tell
 * them would keep everybody waiting; so it is asked for a few, and for more while those are on
 * their way. */
#include "common/clock.h"

#include "mailfilter/folder_inside.h"

enum {
	MEASURE_FIRST = 16,   /* messages */
	MEASURE_TIMES = 4,    /* so many times more the next time, where it is slow */
	MEASURE_REST_MS = 50, /* all that are left may take so long, */
	MEASURE_TRIPS = 4, /* and so many round trips: they are not worth more of them */
};

int folder_measure(struct folder *folder, size_t to, struct err *err)
{
	struct source *source = folder->session->source;

	if (to > folder->count)
		to = folder->count;
	while (folder->measured < to) {
		size_t count = to - folder->measured;

		if (count > SOURCE_MEASURE_MAX)
			count = SOURCE_MEASURE_MAX;
		if (source->ops->measure(
			    source, folder->items + folder->measured, count, err) < 0)
			return -1;
		folder->measured += count;
	}
	return 0;
}

/* Would the rest soon be told, by what these took? To list them took a round trip and little else. */
static bool is_quick(const struct folder *folder, size_t count, int64_t took_ms)
{
	const int64_t left = (int64_t)(folder->count - folder->measured);
	const int64_t work_ms = took_ms - folder->listing_ms;

	return work_ms * left <=
	       (int64_t)count * (MEASURE_REST_MS + MEASURE_TRIPS * folder->listing_ms);
}

int folder_measure_more(struct folder *folder, size_t from, struct err *err)
{
	const int64_t from_ms = clock_ms();
	const size_t left = folder->count - from;
	size_t count = folder->measure_next ? folder->measure_next : MEASURE_FIRST;

	if (count > left)
		count = left;
	folder->measured = from;
	if (folder_measure(folder, from + count, err) < 0)
		return -1;
	folder->measure_next = is_quick(folder, count, clock_ms() - from_ms)
				       ? SIZE_MAX
				       : count * MEASURE_TIMES;
	return 0;
}
