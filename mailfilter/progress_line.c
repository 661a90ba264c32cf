/* SPDX-License-Identifier: ISC */
#include "mailfilter/progress_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"

enum {
	MINUTE_MS = 60 * 1000,
	MINUTES_SHOWN = 120 /* longer is said in hours */
};

void progress_total_add(struct progress_total *total, const struct report *report)
{
	total->listed += report->listed;
	total->decided += report_decided(report);
	for (size_t i = 0; i <= ACTION_HOLD; i++)
		total->infected += report->infected[i];
	total->more |= report->listed == 0 && !report->final;
}

/* A session that broke lists anew: then less is done than before, and it begins again. */
static void move_marks(struct progress_line *line, uint32_t decided, int64_t now_ms)
{
	if (line->mark_ms == 0 || decided < line->newer) {
		line->mark_ms = line->newer_ms = now_ms;
		line->mark = line->newer = decided;
	} else if (now_ms - line->newer_ms >= PROGRESS_LINE_WINDOW_MS) {
		line->mark_ms = line->newer_ms;
		line->mark = line->newer;
		line->newer_ms = now_ms;
		line->newer = decided;
	}
}

__attribute__((format(printf, 2, 3))) static void add(
	char text[static PROGRESS_LINE_MAX], const char *format, ...)
{
	const size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + used, PROGRESS_LINE_MAX - used, format, args);
	va_end(args);
}

static void add_left(char text[static PROGRESS_LINE_MAX], int64_t left_ms)
{
	const int64_t minutes = (left_ms + MINUTE_MS - 1) / MINUTE_MS;

	if (left_ms < MINUTE_MS)
		add(text, ", %" PRId64 " s left", (left_ms + 999) / 1000);
	else if (minutes < MINUTES_SHOWN)
		add(text, ", %" PRId64 " min left", minutes);
	else
		add(text, ", %" PRId64 " h left", (minutes + 59) / 60);
}

const char *progress_line_text(struct progress_line *line,
	const struct progress_total *total, int64_t now_ms,
	char text[static PROGRESS_LINE_MAX])
{
	const uint32_t left =
		total->listed > total->decided ? total->listed - total->decided : 0;
	int64_t passed_ms, done;

	move_marks(line, total->decided, now_ms);
	passed_ms = now_ms - line->mark_ms;
	done = (int64_t)total->decided - line->mark;
	text[0] = '\0';
	add(text, "%" PRIu32 " of %" PRIu32 " messages", total->decided, total->listed);
	if (total->infected > 0)
		add(text, ", %" PRIu32 " infected", total->infected);
	if (passed_ms < PROGRESS_LINE_SETTLE_MS)
		return text;
	add(text, ", %" PRId64 "/min", done * MINUTE_MS / passed_ms);
	if (done > 0 && left > 0 && !total->more)
		add_left(text, passed_ms * left / done);
	return text;
}

void progress_line_show(struct progress_line *line, const struct progress_total *total)
{
	char text[PROGRESS_LINE_MAX];
	struct winsize size;
	int width = PROGRESS_LINE_MAX;

	if (total->listed == 0 || !isatty(STDERR_FILENO))
		return;
	/* The last column stays free: some terminals go to the next line there. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		width = size.ws_col - 1;
	(void)progress_line_text(line, total, clock_ms(), text);
	/* Back to the line's start, so that the workers' longer lines write over it. */
	(void)fprintf(stderr, "%.*s\033[K\r", width, text);
	line->shown = true;
}

void progress_line_clear(struct progress_line *line)
{
	if (line->shown)
		(void)fputs("\033[K", stderr);
	line->shown = false;
}
