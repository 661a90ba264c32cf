/* SPDX-License-Identifier: ISC */
#include "mailfilter/summary.h"

#include <stdio.h>
#include <unistd.h>

#include "common/log.h"

void summary_progress(struct summary *summary, const struct children *children)
{
	uint32_t listed = 0, decided = 0;

	if (summary->quiet || !summary->once || !isatty(STDERR_FILENO))
		return;
	for (size_t i = 0; i < children->count; i++) {
		listed += children->items[i].report.listed;
		decided += report_decided(&children->items[i].report);
	}
	/* Back to the line's start, so that the workers' longer lines write over it. */
	(void)fprintf(stderr, "%u of %u messages\033[K\r", decided, listed);
	summary->progress = true;
}

void summary_clear(struct summary *summary)
{
	if (summary->progress)
		(void)fputs("\033[K", stderr);
	summary->progress = false;
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
