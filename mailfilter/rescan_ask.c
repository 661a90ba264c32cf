/* SPDX-License-Identifier: ISC
 *
 * The scanners as the rescan uses them: one message at a time, and not while they have a queue. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#include "mailfilter/rescan_inside.h"

enum {
	STEP_MS = 200
};

static void take_verdict(void *arg, struct verdict *verdict)
{
	struct message *message = arg;

	message->verdict = *verdict;
	*verdict = (struct verdict){ 0 };
	message->scanned = true;
}

/* Do all that are ready have mail waiting already? */
static bool is_busy(const struct scan *scan)
{
	struct wire_state state;
	bool alive, free = false;

	for (size_t i = 0; scan_scanner(scan, i, &alive, &state); i++)
		free = free || (alive && state.state == WIRE_READY && state.queued == 0);
	return !free;
}

static int check_hope(const struct scan *scan, struct err *err)
{
	char why[MESSAGE_REASON_MAX];

	return scan_hopeless(scan, why, sizeof(why)) ? err_set(err, ERR_AGAIN, "%s", why)
						     : 0;
}

/* 1: sent; 0: not yet. */
static int send(
	struct rescan *rescan, const struct scan_request *request, struct err *err)
{
	uint64_t id;

	if (!scan_ready(rescan->scan))
		return check_hope(rescan->scan, err);
	if (scan_send(rescan->scan, request, &id, err) == 0)
		return 1;
	return err->kind == ERR_AGAIN ? 0 : -1;
}

int rescan_ask(struct rescan *rescan, struct message *message, struct err *err)
{
	struct scan_request request = { .quarantine_id = message->quarantine_id,
		.message = &message->body,
		.allow = &rescan->job->account->allow,
		.answer = take_verdict,
		.arg = message };
	const int64_t yield_ms = clock_ms() + RESCAN_YIELD_MS;
	int sent = 0;

	while (!message->scanned) {
		if (!sent && (!is_busy(rescan->scan) || clock_left(yield_ms) == 0))
			sent = send(rescan, &request, err);
		if (sent < 0 || (!sent && check_hope(rescan->scan, err) < 0) ||
			scan_wait(rescan->scan, NULL, 0, STEP_MS, err) < 0)
			return -1;
	}
	if (message->verdict.kind != VERDICT_RETRY)
		return 0;
	return err_set(err, ERR_AGAIN, "%.250s",
		message->verdict.detail[0] ? message->verdict.detail : "no verdict");
}

/* Have all of them said what they are? */
static bool all_ready(const struct scan *scan)
{
	struct wire_state state;
	bool alive, all = true;

	for (size_t i = 0; scan_scanner(scan, i, &alive, &state); i++)
		all = all && alive && state.state == WIRE_READY;
	return all;
}

static int compare(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct hash));
}

/* Scanners may differ in them: then all together are what counts. */
static int sum_up(const struct scan *scan, struct hash *digest_r, struct err *err)
{
	struct hash all[SCAN_SCANNERS_MAX];
	struct wire_state state;
	size_t count = 0, kept = 0;
	bool alive;

	for (size_t i = 0; i < SCAN_SCANNERS_MAX; i++) {
		if (!scan_scanner(scan, i, &alive, &state))
			break;
		if (alive && state.state == WIRE_READY)
			all[count++] = state.digest;
	}
	if (count == 0)
		return err_set(err, ERR_AGAIN, "no scanner is ready");
	qsort(all, count, sizeof(all[0]), compare);
	for (size_t i = 1; i < count; i++)
		if (compare(&all[i], &all[kept]) != 0)
			all[++kept] = all[i];
	if (kept > 0)
		return hash_span((struct span){ (const uint8_t *)all,
					 (kept + 1) * sizeof(all[0]) },
			digest_r, err);
	*digest_r = all[0];
	return 0;
}

int rescan_signatures(struct rescan *rescan, struct hash *digest_r, struct err *err)
{
	const int64_t greet_ms = clock_ms() + RESCAN_GREET_MS;
	struct scan *scan = rescan->scan;

	while (!all_ready(scan) && (!scan_ready(scan) || clock_left(greet_ms) > 0))
		if (check_hope(scan, err) < 0 ||
			scan_wait(scan, NULL, 0, STEP_MS, err) < 0)
			return -1;
	return sum_up(scan, digest_r, err);
}
