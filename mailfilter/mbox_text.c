/* SPDX-License-Identifier: ISC */
#include "mailfilter/mbox_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	FROM_LINE_MAX = 512
};

static int write_from_line(const char *sender, int64_t wall_s,
	int (*sink)(void *arg, struct span bytes, struct err *err), void *arg,
	struct err *err)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char line[FROM_LINE_MAX];
	time_t seconds = wall_s;
	struct tm tm = { 0 };

	/* As asctime(3) writes it, in UTC, whatever the locale. */
	(void)gmtime_r(&seconds, &tm);
	(void)snprintf(line, sizeof(line), "From %s %.3s %.3s %2d %02d:%02d:%02d %d\n",
		sender[0] ? sender : "MAILER-DAEMON", days + (size_t)tm.tm_wday * 3,
		months + (size_t)tm.tm_mon * 3, tm.tm_mday, tm.tm_hour, tm.tm_min,
		tm.tm_sec, tm.tm_year + 1900);
	return sink(arg, span_str(line), err);
}

static bool must_quote(struct span line)
{
	static const char from[] = "From ";
	size_t quotes = 0;

	while (quotes < line.len && line.data[quotes] == '>')
		quotes++;
	return line.len - quotes >= sizeof(from) - 1 &&
	       memcmp(line.data + quotes, from, sizeof(from) - 1) == 0;
}

int mbox_text_write(struct span message, const char *sender, int64_t wall_s,
	int (*sink)(void *arg, struct span bytes, struct err *err), void *arg,
	struct err *err)
{
	size_t start = 0, done = 0;

	if (write_from_line(sender, wall_s, sink, arg, err) < 0)
		return -1;
	/* What need not be quoted goes out in one piece, however many lines it has. */
	while (start < message.len) {
		struct span rest = span_part(message, start, message.len);
		const uint8_t *end = memchr(rest.data, '\n', rest.len);

		if (must_quote(rest)) {
			if (sink(arg, span_part(message, done, start - done), err) < 0 ||
				sink(arg, span_str(">"), err) < 0)
				return -1;
			done = start;
		}
		start = end ? (size_t)(end - message.data) + 1 : message.len;
	}
	if (sink(arg, span_part(message, done, message.len), err) < 0)
		return -1;
	if (message.len > 0 && message.data[message.len - 1] == '\n')
		return sink(arg, span_str("\n"), err);
	return sink(arg, span_str("\n\n"), err);
}
