/* SPDX-License-Identifier: ISC */
#include "mailfilter/rescanner.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/backoff.h"

enum {
	DAY_S = 24 * 3600
};

void rescanner_init(struct rescanner *rescanner)
{
	*rescanner = (struct rescanner){ .process = { .fd = -1 } };
}

bool rescanner_works(const struct rescanner *rescanner)
{
	return rescanner->process.pid > 0;
}

/* Its server took the login, and is there: what a visit must not guess at is no guess here. */
static bool is_served(const struct child *child)
{
	return child->account && child->kill_ms == 0 && child->failures == 0 &&
	       child->unreached == 0 && child->last.last_s > 0 &&
	       rescan_is_possible(child->account);
}

/* Has it had what the scanners have, as far as somebody asked them lately? */
static bool is_up_to_date(const struct rescanner *rescanner, const struct child *child)
{
	return child->rescan.done && rescanner->told_ms > 0 &&
	       clock_ms() - rescanner->told_ms < RESCANNER_LOOK_MS / 2 &&
	       hash_equal(&child->rescan.signatures, &rescanner->signatures);
}

struct child *rescanner_due(
	const struct rescanner *rescanner, const struct children *children)
{
	struct child *first = NULL;

	if (rescanner_works(rescanner) || clock_left(rescanner->hold_ms) > 0)
		return NULL;
	for (size_t i = 0; i < children->count; i++) {
		struct child *child = &children->items[i];

		if (child->rescan.due_ms == 0)
			child->rescan.due_ms = clock_ms() + RESCANNER_FIRST_MS;
		if (!is_served(child) || clock_left(child->rescan.due_ms) > 0)
			continue;
		if (is_up_to_date(rescanner, child))
			child->rescan.due_ms = clock_ms() + RESCANNER_LOOK_MS;
		else if (!first || child->rescan.due_ms < first->rescan.due_ms)
			first = child;
	}
	/* Other mail first, but not for ever. */
	if (first && children_working(children) > 0 &&
		clock_left(first->rescan.due_ms + RESCAN_YIELD_MS) > 0)
		return NULL;
	return first;
}

int64_t rescanner_next_ms(
	const struct rescanner *rescanner, const struct children *children)
{
	const bool busy = children_working(children) > 0;
	int64_t next = -1;

	if (rescanner_works(rescanner))
		return -1;
	for (size_t i = 0; i < children->count; i++) {
		const struct child *child = &children->items[i];
		int64_t due_ms = child->rescan.due_ms + (busy ? RESCAN_YIELD_MS : 0);

		if (due_ms < rescanner->hold_ms)
			due_ms = rescanner->hold_ms;
		if (is_served(child) && (next < 0 || due_ms < next))
			next = due_ms;
	}
	return next;
}

static void start(struct rescanner *rescanner, const struct settings *settings,
	struct child *child, int stop_fd)
{
	const struct rescan_job job = { .settings = settings,
		.account = child->account,
		.since_s = clock_wall_s() - (int64_t)settings->rescan_days * DAY_S,
		.all = rescanner->tries < RESCANNER_TRIES,
		.stop_fd = stop_fd };
	struct err err = { 0 };

	rescanner->yields = rescanner->kicked = rescanner->again = false;
	rescanner->patience_ms = RESCANNER_STALL_MS + RESCAN_YIELD_MS +
				 child->account->timeout_ms +
				 2 * settings->scan_timeout_ms;
	(void)snprintf(rescanner->name, sizeof(rescanner->name), "%s", child->name);
	if (rescan_process_start(&rescanner->process, &job, &err) == 0)
		return;
	rescanner->hold_ms = clock_ms() + RESCANNER_HOLD_MS;
	log_warning("account=%s is not scanned again: %s", child->name, err.text);
}

void rescanner_turn(struct rescanner *rescanner, const struct settings *settings,
	const struct children *children, int stop_fd)
{
	const bool busy = children_working(children) > 0;
	struct child *due;

	while (rescan_process_hear(&rescanner->process))
		;
	if (settings && (due = rescanner_due(rescanner, children)))
		start(rescanner, settings, due, stop_fd);
	if (!rescanner_works(rescanner))
		return;
	if (busy != rescanner->yields)
		rescan_process_yield(&rescanner->process, busy);
	rescanner->yields = busy;
	if (clock_ms() - rescanner->process.heard_ms <= rescanner->patience_ms)
		return;
	log_error("account=%s scanning again made no progress: killed", rescanner->name);
	rescanner->process.heard_ms = clock_ms();
	rescanner_stop(rescanner, true);
}

void rescanner_look(struct rescanner *rescanner, const struct children *children)
{
	rescanner->hold_ms = rescanner->told_ms = 0;
	rescanner->again = true;
	for (size_t i = 0; i < children->count; i++)
		children->items[i].rescan.due_ms = clock_ms();
}

/* The scanners, or some of them: no fault of the account's. */
static bool are_away(const struct rescan_report *report)
{
	return report->asked && !report->told && report->err.kind == ERR_AGAIN;
}

/* Where nothing was to be done, nothing is said; what goes wrong is said once, but for scanners that
 * are away: the next one sees whether they are back. */
static void say(const struct rescanner *rescanner, struct child *child,
	const struct rescan_report *report)
{
	const bool wrong = report->err.kind != ERR_NONE && !rescanner->kicked &&
			   !report->busy && !are_away(report);
	char text[LOG_LINE_MAX];

	if (wrong && !child->rescan.said)
		log_warning("account=%s rescan=interrupted scanned=%" PRIu64
			    " infected=%" PRIu64 " reason=%s",
			child->name, report->scanned, report->infected,
			log_value(span_str(report->err.text), text));
	child->rescan.said =
		wrong || (child->rescan.said && report->err.kind != ERR_NONE);
	if (report->known)
		log_debug("account=%s rescan=known generation=%" PRIu64, child->name,
			report->generation);
	else if (report->err.kind == ERR_NONE)
		log_info("account=%s rescan=done generation=%" PRIu64 " scanned=%" PRIu64
			 " fresh=%" PRIu64 " gone=%" PRIu64 " infected=%" PRIu64
			 " replaced=%" PRIu64 " marked=%" PRIu64 " left=%" PRIu64,
			child->name, report->generation, report->scanned, report->fresh,
			report->gone, report->infected, report->replaced, report->marked,
			report->left);
}

/* How long until its next look. Sets until when all hold. */
static int64_t wait_after(struct rescanner *rescanner, struct child_rescan *rescan,
	const struct rescan_report *report)
{
	const bool done = report->err.kind == ERR_NONE;

	if (done)
		rescan->failures = 0;
	if (rescanner->again || (rescanner->kicked && !done))
		return 0;
	if (done)
		return RESCANNER_LOOK_MS;
	if (report->busy)
		return RESCANNER_LOOK_MS;
	/* The others would find the scanners as they are, too. */
	if (are_away(report)) {
		rescanner->hold_ms = clock_ms() + RESCANNER_HOLD_MS;
		return RESCANNER_HOLD_MS;
	}
	return backoff_ms(
		report->err.kind == ERR_AGAIN ? RESCANNER_HOLD_MS : RESCANNER_LOOK_MS,
		CHILDREN_BACKOFF_MAX_MS, ++rescan->failures);
}

void rescanner_note(struct rescanner *rescanner, struct child *child,
	const struct rescan_report *report)
{
	struct child_rescan *rescan = &child->rescan;

	say(rescanner, child, report);
	if (report->asked)
		rescanner->tries = report->all ? 0 : rescanner->tries + 1;
	/* Asked to look since it began: what it was told may have been before that. */
	if (report->told && !rescanner->again) {
		rescanner->signatures = report->signatures;
		rescanner->told_ms = clock_ms();
	}
	if (report->numbers.known)
		child->last.numbers = report->numbers;
	rescan->done = report->err.kind == ERR_NONE && report->told;
	rescan->signatures = report->signatures;
	rescan->due_ms = clock_ms() + wait_after(rescanner, rescan, report);
	/* What is marked in place is replaced by its account's next visit: this one. */
	if (report->marked > 0)
		children_look(child);
}

bool rescanner_reap(struct rescanner *rescanner, const struct children *children)
{
	if (!rescanner_works(rescanner) ||
		!rescan_process_reap(&rescanner->process, false))
		return false;
	for (size_t i = 0; i < children->count; i++) {
		struct child *child = &children->items[i];

		if (child->account && strcmp(child->name, rescanner->name) == 0)
			rescanner_note(rescanner, child, &rescanner->process.report);
	}
	return true;
}

void rescanner_stop(struct rescanner *rescanner, bool hard)
{
	if (!rescanner_works(rescanner))
		return;
	rescanner->kicked = rescanner->kicked || !hard;
	(void)kill(rescanner->process.pid, hard ? SIGKILL : SIGTERM);
}
