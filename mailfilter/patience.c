/* SPDX-License-Identifier: ISC */
#include "mailfilter/patience.h"

#include <signal.h>

#include "common/clock.h"
#include "common/log.h"

/* Its server and its scanners have their own times. */
static int64_t patience_ms(const struct settings *settings, const struct child *child)
{
	const struct account_settings *account = child->account;

	if (!account)
		return PATIENCE_STALL_MS;
	return PATIENCE_STALL_MS + account->timeout_ms +
	       (child->idles ? account->idle_refresh_ms : 2 * settings->scan_timeout_ms);
}

void patience_end(
	const struct settings *settings, const struct children *children, bool over)
{
	for (size_t i = 0; i < children->count; i++) {
		struct child *child = &children->items[i];
		const int64_t silent_ms = clock_ms() - child->heard_ms;
		const bool told =
			over || (child->kill_ms != 0 && clock_left(child->kill_ms) == 0);

		if (child->pid == 0 ||
			(!told && silent_ms <= patience_ms(settings, child)))
			continue;
		if (!told)
			log_error("account=%s made no progress for %d s: killed",
				child->name, (int)(silent_ms / 1000));
		child->heard_ms = clock_ms();
		/* Else that time would be past, and its owner awake, until it has ended. */
		if (child->kill_ms != 0)
			child->kill_ms = clock_ms() + PATIENCE_KILL_MS;
		child->hung = !told;
		(void)kill(child->pid, SIGKILL);
	}
}
