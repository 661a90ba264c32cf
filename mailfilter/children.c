/* SPDX-License-Identifier: ISC */
#include "mailfilter/children.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/random.h"

#include "mailfilter/backoff.h"

static bool works(const struct child *child)
{
	return child->pid > 0 && !child->idles;
}

size_t children_working(const struct children *children)
{
	size_t count = 0;

	for (size_t i = 0; i < children->count; i++)
		count += works(&children->items[i]);
	return count;
}

bool children_left(const struct children *children, bool stopping)
{
	for (size_t i = 0; i < children->count; i++)
		if (children->items[i].pid > 0 ||
			(!stopping && children->items[i].due_ms >= 0))
			return true;
	return false;
}

struct child *children_due(const struct children *children)
{
	struct child *first = NULL;

	for (size_t i = 0; i < children->count; i++) {
		struct child *child = &children->items[i];

		/* One that is ending is not to be called any more. */
		if (!works(child) && child->account && child->kill_ms == 0 &&
			child->due_ms >= 0 && clock_left(child->due_ms) == 0 &&
			(!first || child->due_ms < first->due_ms))
			first = child;
	}
	return first;
}

int64_t children_wait_ms(int64_t interval_ms, uint32_t failures)
{
	int64_t wait_ms =
		failures == 0 ? interval_ms
			      : backoff_ms(interval_ms, CHILDREN_BACKOFF_MAX_MS,
					failures < UINT32_MAX ? failures + 1 : failures);

	return wait_ms < interval_ms ? interval_ms : wait_ms;
}

static int64_t retry_ms(const struct child *child, uint32_t failures)
{
	int64_t most_ms = child->account->interval_ms;

	if (most_ms > CHILDREN_BACKOFF_MAX_MS)
		most_ms = CHILDREN_BACKOFF_MAX_MS;
	return backoff_jitter(
		backoff_ms(CHILDREN_RETRY_MS, most_ms, failures), random_number());
}

/* Who guesses on at a refused password may lock the mailbox; whose server is away is asked again
 * soon. What is held waits for something that no server tells. */
static int64_t next_ms(struct child *child, bool died)
{
	const struct report *report = &child->report;
	const struct account_settings *account = child->account;
	bool refused = died || report->err.kind == ERR_AUTH;

	child->failures = refused ? child->failures + 1 : 0;
	child->unreached =
		!refused && report->err.kind == ERR_SESSION ? child->unreached + 1 : 0;
	if (refused)
		return children_wait_ms(account->interval_ms, child->failures);
	if (child->unreached > 0)
		return retry_ms(child, child->unreached);
	return child->idles && report_exit_code(report) == 0 ? account->idle_interval_ms
							     : account->interval_ms;
}

void children_schedule(struct child *child, bool died)
{
	const struct report *report = &child->report;
	int64_t wait_ms = next_ms(child, died);

	if (report_decided(report) > 0)
		child->vain = 0;
	child->due_ms = clock_ms() + (child->again ? 0 : wait_ms);
	child->again = false;
}

void children_schedule_lost(struct child *child)
{
	bool soon = clock_ms() - child->idle_ms < CHILDREN_SOON_MS;

	child->idles = false;
	child->losses = soon ? child->losses + 1 : 1;
	child->polls = child->polls || child->refused;
	child->due_ms = clock_ms() + (child->polls ? child->account->interval_ms
						   : retry_ms(child, child->losses));
	if (child->again)
		child->due_ms = clock_ms();
	child->again = false;
}

/* What was seen for nothing, a server that chatters included, is looked at later and later. */
void children_schedule_news(struct child *child)
{
	int64_t due_ms =
		child->idle_ms +
		backoff_ms(CHILDREN_NEWS_MS, child->account->interval_ms, child->vain);

	child->news = false;
	if (child->vain < UINT32_MAX)
		child->vain++;
	if (due_ms < clock_ms())
		due_ms = clock_ms();
	if (due_ms < child->due_ms)
		child->due_ms = due_ms;
}

void children_look(struct child *child)
{
	if (works(child))
		child->again = true;
	else if (child->due_ms >= 0)
		child->due_ms = clock_ms();
}

void children_look_after(const struct children *children, bool slept)
{
	for (size_t i = 0; i < children->count; i++) {
		struct child *child = &children->items[i];
		int64_t due_ms =
			clock_ms() + (int64_t)(random_number() % CHILDREN_AWAKE_MS);

		if (works(child) || child->due_ms < due_ms)
			continue;
		if (child->unreached > 0 || child->losses > 0 || slept)
			child->due_ms = due_ms;
	}
}

const char *children_status(
	const struct children *children, char text[static CHILDREN_STATUS_MAX])
{
	size_t idle = 0, fetching = 0, failed = 0, all = 0;

	for (size_t i = 0; i < children->count; i++) {
		const struct child *child = &children->items[i];

		all += child->account != NULL;
		idle += child->pid > 0 && child->idles;
		fetching += works(child);
		failed += child->account && child->pid == 0 &&
			  (child->failures > 0 || child->unreached > 0);
	}
	(void)snprintf(text, CHILDREN_STATUS_MAX,
		"%zu account%s, %zu idle, %zu fetching, %zu failed", all,
		all == 1 ? "" : "s", idle, fetching, failed);
	return text;
}
