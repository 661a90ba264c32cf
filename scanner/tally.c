/* SPDX-License-Identifier: ISC */
#include "scanner/tally.h"

#include <assert.h>

static const enum health_count kinds[] = { [VERDICT_RETRY] = HEALTH_RETRY,
	[VERDICT_CLEAN] = HEALTH_CLEAN,
	[VERDICT_INFECTED] = HEALTH_INFECTED,
	[VERDICT_UNSCANNABLE] = HEALTH_UNSCANNABLE };

/* The reasons stand in the same order here and there. */
static_assert(HEALTH_ERROR - HEALTH_ENCRYPTED == REASON_ERROR - REASON_ENCRYPTED,
	"one count a reason");

void tally_add(struct tally *tally, int64_t now_ms, const struct request *request)
{
	const struct verdict *verdict = &request->verdict;

	tally->counts[kinds[verdict->kind]]++;
	if (verdict->kind == VERDICT_UNSCANNABLE && verdict->reason != REASON_NONE)
		tally->counts[HEALTH_ENCRYPTED + (verdict->reason - REASON_ENCRYPTED)]++;
	/* What was known was not scanned, and what is held is not over. */
	if (request->started > 0 && verdict->kind != VERDICT_RETRY)
		timing_add(&tally->timing, now_ms, request->body.size, request->took_ms,
			request->work_ms);
}

void tally_fill(const struct tally *tally, int64_t now_ms, struct health *health)
{
	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		health->counts[i] += tally->counts[i];
	timing_fill(&tally->timing, now_ms, health->times);
}
