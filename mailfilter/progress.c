/* SPDX-License-Identifier: ISC */
#include "mailfilter/progress.h"

#include <inttypes.h>

#include "common/clock.h"
#include "common/log.h"

void progress_init(
	struct progress *progress, const char *account, const struct report *report)
{
	*progress = (struct progress){
		.account = account, .report = report, .logged_ms = clock_ms()
	};
}

static void log_it(struct progress *progress)
{
	const uint32_t decided = report_decided(progress->report);
	const int64_t now_ms = clock_ms(), passed_ms = now_ms - progress->logged_ms;

	if (passed_ms < PROGRESS_LOG_MS)
		return;
	/* What a new session lists again counts as not decided. */
	if (decided < progress->report->listed)
		log_info("account=%s messages=%" PRIu32 " of=%" PRIu32 " rate=%" PRId64
			 "/min",
			progress->account, decided, progress->report->listed,
			decided > progress->logged
				? (int64_t)(decided - progress->logged) * 60000 /
					  passed_ms
				: 0);
	progress->logged_ms = now_ms;
	progress->logged = decided;
}

void progress_note(struct progress *progress)
{
	log_it(progress);
	/* Each word costs the parent a turn. */
	if (!progress->tell || clock_ms() - progress->told_ms < PROGRESS_TELL_MS)
		return;
	progress->told_ms = clock_ms();
	progress->tell(progress->arg, progress->report);
}
