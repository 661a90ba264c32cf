/* SPDX-License-Identifier: ISC */
#include "common/watchdog.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/notify.h"
#include "common/parse.h"

/* What we start inherits the environment, and is not meant. */
static bool is_for_us(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t number;

	return !pid || (parse_number(pid, 1, INT32_MAX, &number, NULL) == 0 &&
			       number == (uint64_t)getpid());
}

void watchdog_start(struct watchdog *watchdog)
{
	const char *usec = getenv("WATCHDOG_USEC");
	uint64_t number;

	*watchdog = (struct watchdog){ 0 };
	if (!usec || !is_for_us() || parse_number(usec, 1, INT64_MAX, &number, NULL) < 0)
		return;
	/* Twice in its time, so that one that is late does no harm. */
	watchdog->every_ms = (int64_t)(number / 1000 / 2);
	if (watchdog->every_ms == 0)
		watchdog->every_ms = 1;
	watchdog->due_ms = clock_ms();
}

int64_t watchdog_turn(struct watchdog *watchdog, bool alive)
{
	int64_t now = clock_ms();

	if (watchdog->every_ms == 0)
		return -1;
	if (now < watchdog->due_ms)
		return watchdog->due_ms;
	if (!alive)
		return now + WATCHDOG_LOOK_MS;
	notify_send("WATCHDOG=1");
	watchdog->due_ms = now + watchdog->every_ms;
	return watchdog->due_ms;
}
