/* SPDX-License-Identifier: ISC
 *
 * The scanners as the rescan uses them: one message at a time, and not while they have a queue. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/stop.h"

#include "mailfilter/rescan_inside.h"

enum {
	STEP_MS = 200,
	TELL_MS = 1000,
};

int rescan_hear(struct rescan *rescan, struct err *err)
{
	const struct rescan_job *job = rescan->job;
	char word;
	ssize_t got = 1;

	if (job->stop_fd >= 0)
		for (int signal; (signal = stop_next(job->stop_fd)) != 0;)
			rescan->stopped =
				rescan->stopped || signal == SIGTERM || signal == SIGINT;
	while (job->starter_fd >= 0 && got > 0) {
		got = recv(job->starter_fd, &word, sizeof(word), MSG_DONTWAIT);
		if (got > 0)
			rescan->yields = word != 0;
		rescan->stopped = rescan->stopped || got == 0;
	}
	return rescan->stopped ? err_set(err, ERR_AGAIN, "stopped by a signal") : 0;
}

void rescan_tell(struct rescan *rescan)
{
	rescan->told_ms = clock_ms();
	if (rescan->job->progress)
		rescan->job->progress(rescan->job->progress_arg, rescan->report);
}

/* Where words to us come from; returns how many they are. */
static size_t list_ears(const struct rescan *rescan, struct pollfd fds[static 2])
{
	const int ears[] = { rescan->job->stop_fd, rescan->job->starter_fd };
	size_t count = 0;

	for (size_t i = 0; i < sizeof(ears) / sizeof(*ears); i++)
		if (ears[i] >= 0)
			fds[count++] = (struct pollfd){ .fd = ears[i], .events = POLLIN };
	return count;
}

/* Bytes on their way are progress: a large message over a slow line takes its time. */
int rescan_wait(void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	struct rescan *rescan = arg;

	for (;;) {
		struct pollfd fds[3] = { { .fd = fd, .events = events } };
		const size_t count = 1 + list_ears(rescan, fds + 1);
		const int left_ms = clock_left(deadline_ms);

		if (poll(fds, count, left_ms) < 0) {
			if (errno != EINTR)
				return err_errno(err, ERR_FATAL, "poll");
			continue;
		}
		if (rescan_hear(rescan, err) < 0)
			return -1;
		if (clock_ms() - rescan->told_ms >= TELL_MS && (fd < 0 || fds[0].revents))
			rescan_tell(rescan);
		if (fd >= 0 && fds[0].revents)
			return 1;
		if (left_ms == 0)
			return 0;
	}
}

/* For the scanners, or a word to us. */
static int wait_step(struct rescan *rescan, struct err *err)
{
	struct pollfd fds[2];
	const size_t count = list_ears(rescan, fds);

	if (scan_wait(rescan->scan, fds, count, STEP_MS, err) < 0)
		return -1;
	return rescan_hear(rescan, err);
}

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
static int send_it(
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
		const bool makes_way = rescan->yields || is_busy(rescan->scan);

		if (!sent && (!makes_way || clock_left(yield_ms) == 0))
			sent = send_it(rescan, &request, err);
		if (sent < 0 || (!sent && check_hope(rescan->scan, err) < 0) ||
			wait_step(rescan, err) < 0)
			return -1;
	}
	if (message->verdict.kind != VERDICT_RETRY)
		return 0;
	rescan->undecided = check_hope(rescan->scan, err) == 0;
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
static int sum_up(struct rescan *rescan, struct hash *digest_r, struct err *err)
{
	const struct scan *scan = rescan->scan;
	struct hash all[SCAN_SCANNERS_MAX];
	struct wire_state state;
	size_t count = 0, kept = 0;
	bool alive;

	for (size_t i = 0; i < SCAN_SCANNERS_MAX; i++) {
		if (!scan_scanner(scan, i, &alive, &state))
			break;
		if (!alive || state.state != WIRE_READY)
			continue;
		if (state.generation > rescan->report->generation)
			rescan->report->generation = state.generation;
		rescan->sets[rescan->set_count++] = record_signatures(&state.digest);
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

	rescan->report->asked = true;
	while (!all_ready(scan) && (!scan_ready(scan) || clock_left(greet_ms) > 0))
		if (check_hope(scan, err) < 0 || wait_step(rescan, err) < 0)
			return -1;
	rescan->report->all = all_ready(scan);
	if (rescan->job->all && !rescan->report->all)
		return err_set(err, ERR_AGAIN, "not all scanners are ready");
	if (sum_up(rescan, digest_r, err) < 0)
		return -1;
	rescan->report->signatures = *digest_r;
	rescan->report->told = true;
	return 0;
}
