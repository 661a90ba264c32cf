/* SPDX-License-Identifier: ISC */
#include "common/clock.h"

#include <stdio.h>
#include <time.h>

enum {
	CLOCK_LEFT_MAX_MS = 3600 * 1000,
	YEAR_2020_S = 1577836800
};

static int64_t now_us(clockid_t id)
{
	struct timespec now = { 0 };

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_wall_s(void)
{
	return now_us(CLOCK_REALTIME) / 1000000;
}

int64_t clock_wall_us(void)
{
	return now_us(CLOCK_REALTIME);
}

int clock_left(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms < 0)
		return -1;
	left = deadline_ms - clock_ms();
	if (left < 0)
		return 0;
	return left > CLOCK_LEFT_MAX_MS ? CLOCK_LEFT_MAX_MS : (int)left;
}

const char *clock_iso(int64_t wall_s, char text[static CLOCK_TEXT_MAX])
{
	time_t time = (time_t)wall_s;
	struct tm tm = { 0 };

	(void)gmtime_r(&time, &tm);
	(void)snprintf(text, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ",
		(tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec);
	return text;
}

const char *clock_mail_date(int64_t wall_s, char text[static CLOCK_TEXT_MAX])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t time = (time_t)wall_s;
	struct tm tm = { 0 };

	/* Not strftime: the names are English whatever the locale. */
	(void)gmtime_r(&time, &tm);
	(void)snprintf(text, CLOCK_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d +0000",
		days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12],
		(tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return text;
}

bool clock_is_wrong(int64_t wall_s, char text[static CLOCK_WRONG_MAX])
{
	char now[CLOCK_TEXT_MAX];

	text[0] = '\0';
	if (wall_s >= YEAR_2020_S)
		return false;
	(void)snprintf(text, CLOCK_WRONG_MAX,
		"the clock says %s: set it (timedatectl); until then certificates are "
		"refused, and mail and signatures are dated wrong",
		clock_iso(wall_s, now));
	return true;
}
