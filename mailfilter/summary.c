/* SPDX-License-Identifier: ISC */
#include "mailfilter/summary.h"

#include <stdio.h>

#include "common/log.h"

void summary_progress(struct summary *summary, const struct children *children)
{
	struct progress_total total = { 0 };

	for (size_t i = 0; i < children->count; i++) {
		const struct child *child = &children->items[i];

		if (summary->once || (child->pid > 0 && !child->idles))
			progress_total_add(&total, &child->report);
	}
	if (!summary->quiet)
		progress_line_show(&summary->progress, &total);
}

void summary_clear(struct summary *summary)
{
	progress_line_clear(&summary->progress);
}

void summary_tell(struct summary *summary, const struct child *child)
{
	const struct report *report = &child->report;
	char text[REPORT_SUMMARY_MAX];
	int code = report_exit_code(report);

	summary->exit_code = report_worse(summary->exit_code, code);
	(void)report_summary(report, text);
	summary_clear(summary);
	if (code != 0)
		log_warning("%s: %s", child->name, text);
	else if (summary->once && !summary->quiet)
		(void)printf("%s: %s\n", child->name, text);
	else
		log_debug("%s: %s", child->name, text);
	(void)fflush(stdout);
}
