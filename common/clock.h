/* SPDX-License-Identifier: ISC
 *
 * Two clocks: a monotonic one for deadlines, the wall clock for names and for people. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since some start, never going back. */
int64_t clock_ms(void);

/* Seconds and microseconds since 1970, UTC. */
int64_t clock_wall_s(void);
int64_t clock_wall_us(void);

/* What is left until a deadline of clock_ms(), as poll(2) wants it: 0 when past, at most an
 * hour; a negative deadline means none and gives -1. */
int clock_left(int64_t deadline_ms);

enum {
	CLOCK_TEXT_MAX = 40
};

/* RFC 3339 in UTC ("2026-01-31T12:00:00Z") and RFC 5322 ("Sat, 31 Jan 2026 12:00:00 +0000"). */
const char *clock_iso(int64_t wall_s, char text[static CLOCK_TEXT_MAX]);
const char *clock_mail_date(int64_t wall_s, char text[static CLOCK_TEXT_MAX]);

enum {
	CLOCK_WRONG_MAX = 160
};

/* Before this program was written? Then what to do, a sentence in text; else "". */
bool clock_is_wrong(int64_t wall_s, char text[static CLOCK_WRONG_MAX]);

#endif
