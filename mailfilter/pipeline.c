/* SPDX-License-Identifier: ISC */
#include "mailfilter/pipeline.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/stop.h"

#include "mailfilter/steps.h"

struct row {
	enum stage before;
	bool grouped; /* runs for a batch: its syncs and its transaction are shared */
	void (*run)(struct pipeline *pipeline, struct message **list, size_t count);
};

/* Before each row: what is on disk once it is done, and what a crash behind it means. SENT has no
 * row: a verdict moves a message on to SCANNED. RECORDED has none: settle needs the session, so
 * the account takes those out between two fetches. */
static const struct row rows[] = {
	/* nothing: it is fetched again */
	{ STAGE_FETCHED, false, step_judge },
	/* nothing: it is fetched, and if suspicious scanned, again */
	{ STAGE_JUDGED, false, step_scan },
	/* the original: an orphan, which the same message's next try overwrites */
	{ STAGE_SCANNED, true, step_quarantine },
	/* bytes, intent, name, in this order: shown again under its name, it is shown once */
	{ STAGE_QUARANTINED, true, step_deliver },
	/* the record: what the server is owed, the next run settles */
	{ STAGE_DELIVERED, true, step_record },
};
enum {
	ROWS = sizeof(rows) / sizeof(rows[0])
};

void pipeline_init(struct pipeline *pipeline, const struct pipeline_tools *tools)
{
	*pipeline = (struct pipeline){ .tools = *tools };
	outlet_init(&pipeline->outlet, tools->record, tools->deliver);
}

/* Unlink a message in flight; the caller owns it. before is the one in front of it or NULL. */
static void take_out(
	struct pipeline *pipeline, struct message *before, struct message *message)
{
	if (before)
		before->next = message->next;
	else
		pipeline->first = message->next;
	if (pipeline->last == message)
		pipeline->last = before;
	message->next = NULL;
	pipeline->count--;
	pipeline->bytes -= message->body.size;
	pipeline->memory -= message->body.fd < 0 ? message->body.size : 0;
	if (message->stage == STAGE_SENT)
		scan_cancel(pipeline->tools.scan, message->request_id);
}

void pipeline_done(struct pipeline *pipeline)
{
	while (pipeline->first) {
		struct message *message = pipeline->first;
		take_out(pipeline, NULL, message);
		message_free(message);
	}
	pipeline_forget_recorded(pipeline);
	outlet_done(&pipeline->outlet);
}

static void append(struct message **first, struct message **last, struct message *message)
{
	message->next = NULL;
	if (*last)
		(*last)->next = message;
	else
		*first = message;
	*last = message;
}

void pipeline_add(struct pipeline *pipeline, struct message **message)
{
	struct message *added = take_ptr(message);

	assert(added->stage < STAGE_RECORDED);
	append(&pipeline->first, &pipeline->last, added);
	pipeline->count++;
	pipeline->bytes += added->body.size;
	pipeline->memory += added->body.fd < 0 ? added->body.size : 0;
	pipeline->behind += 1 + added->body.size / PIPELINE_BEHIND_BYTES;
}

size_t pipeline_memory(const struct pipeline *pipeline)
{
	return pipeline->memory < PIPELINE_MEMORY_MAX / 2 ? PIPELINE_LARGE_MAX
							  : BODY_MEMORY_MAX;
}

bool pipeline_full(const struct pipeline *pipeline)
{
	return pipeline->count >= PIPELINE_MESSAGES_MAX ||
	       pipeline->bytes >= PIPELINE_BYTES_MAX ||
	       pipeline->memory >= PIPELINE_MEMORY_MAX;
}

static void fail(struct pipeline *pipeline, const struct err *err, enum err_kind kind)
{
	if (pipeline->failed.kind != ERR_NONE)
		return;
	pipeline->failed = *err;
	pipeline->failed.kind = kind;
}

static void hold(struct pipeline *pipeline, struct message *message)
{
	/* In place the destination is the server itself, which was there a moment ago. */
	if (message->stage == STAGE_QUARANTINED &&
		pipeline->tools.account->deliver_kind != DELIVER_INPLACE)
		message->waits = WAITS_DESTINATION;
	else if (message->waits == WAITS_VISIT && message->suspicious)
		message->waits = WAITS_SCANNER;
	if (message->action != ACTION_HOLD) {
		message->action = ACTION_HOLD;
		message->stage = STAGE_DELIVERED;
		return;
	}
	/* Not even that it is held can be recorded. It is new again next time, and to fetch more
	 * would be in vain. */
	message->stage = STAGE_SETTLED;
	fail(pipeline, &message->err, ERR_AGAIN);
}

/* It could not be written. One may be too large for what space there is; where none in a row can
 * be written, to fetch the rest of the mailbox would be in vain. */
static void refused(struct pipeline *pipeline, struct message *message)
{
	if (message->stage != STAGE_JUDGED && ++pipeline->refused >= PIPELINE_REFUSED_MAX)
		fail(pipeline, &message->err, ERR_AGAIN);
	hold(pipeline, message);
}

/* What is done about each kind of error: the one place that says so. */
static void react(struct pipeline *pipeline, struct message *message)
{
	enum err_kind kind = message->err.kind;

	if (kind == ERR_NONE)
		return;
	message->err.kind = ERR_NONE;
	(void)snprintf(message->reason, sizeof(message->reason), "%.*s",
		(int)sizeof(message->reason) - 1, message->err.text);
	switch (kind) {
	case ERR_NONE:
		break;
	case ERR_AGAIN:
		refused(pipeline, message);
		break;
	case ERR_AWAY:
		outlet_refused(&pipeline->outlet, message->folder, message->reason);
		hold(pipeline, message);
		break;
	case ERR_MESSAGE:
		/* Nothing but a notice goes out; should even that fail, hold it. */
		if (message->action == ACTION_PARK) {
			hold(pipeline, message);
			break;
		}
		message->action = ACTION_PARK;
		message->stage = STAGE_SCANNED;
		break;
	case ERR_SESSION:
	case ERR_ACCOUNT:
	case ERR_AUTH:
	case ERR_SETTINGS:
	case ERR_FATAL:
		fail(pipeline, &message->err, kind);
		hold(pipeline, message);
		break;
	}
}

/* The bytes of what is recorded are needed no more: they would keep others from being fetched,
 * and with them the very session that settles it. */
static void set_aside(struct pipeline *pipeline, struct message *message)
{
	body_done(&message->body);
	body_done(&message->cleaned);
	verdict_done(&message->verdict);
	append(&pipeline->recorded, &pipeline->recorded_last, message);
	pipeline->refused = 0;
}

static void take_out_done(struct pipeline *pipeline)
{
	struct message *before = NULL, *next;

	for (struct message *message = pipeline->first; message; message = next) {
		next = message->next;
		if (message->stage < STAGE_RECORDED) {
			before = message;
			continue;
		}
		take_out(pipeline, before, message);
		if (message->stage == STAGE_RECORDED) {
			set_aside(pipeline, message);
			continue;
		}
		if (message->action != ACTION_HOLD)
			pipeline->refused = 0;
		message_free(message);
	}
}

/* Run one row for up to a batch of its messages; how many moved on or left. */
static size_t run_row(struct pipeline *pipeline, const struct row *row)
{
	struct message *list[PIPELINE_BATCH_MAX];
	size_t count = 0, moved = 0;

	for (struct message *message = pipeline->first;
		message && count < PIPELINE_BATCH_MAX; message = message->next)
		if (message->stage == row->before)
			list[count++] = message;
	if (count == 0)
		return 0;
	row->run(pipeline, list, count);
	for (size_t i = 0; i < count; i++) {
		assert(list[i]->stage >= row->before);
		moved += list[i]->err.kind != ERR_NONE || list[i]->stage != row->before;
		react(pipeline, list[i]);
	}
	take_out_done(pipeline);
	if (moved > 0 && pipeline->tools.progress)
		pipeline->tools.progress(pipeline->tools.progress_arg);
	return moved;
}

/* Is it time to commit what waits for it? */
static bool batch_due(struct pipeline *pipeline)
{
	size_t waiting = 0;

	for (const struct message *message = pipeline->first; message;
		message = message->next)
		waiting += message->stage >= STAGE_SCANNED &&
			   message->stage <= STAGE_DELIVERED;
	if (waiting == 0) {
		pipeline->batch_ms = 0;
		return false;
	}
	if (pipeline->batch_ms == 0)
		pipeline->batch_ms = clock_ms();
	if (waiting >= PIPELINE_BATCH_MAX ||
		clock_ms() - pipeline->batch_ms >= PIPELINE_BATCH_MS)
		return true;
	/* Nothing can join it: neither from the server nor from a scanner. */
	return waiting == pipeline->count &&
	       (pipeline->draining || pipeline_full(pipeline));
}

int pipeline_turn(struct pipeline *pipeline, struct err *err)
{
	size_t moved;

	pipeline->behind = 0;
	do {
		bool due;

		moved = 0;
		(void)scan_step(pipeline->tools.scan);
		for (size_t i = 0; i < ROWS; i++)
			if (!rows[i].grouped)
				moved += run_row(pipeline, &rows[i]);
		due = batch_due(pipeline);
		for (size_t i = 0; i < ROWS && due; i++)
			if (rows[i].grouped)
				moved += run_row(pipeline, &rows[i]);
		if (due)
			pipeline->batch_ms = 0;
		if (pipeline->failed.kind != ERR_NONE) {
			*err = pipeline->failed;
			return -1;
		}
	} while (moved > 0);
	return 0;
}

/* Until when waiting is free: the batch's time, if one has begun. */
static int64_t next_ms(const struct pipeline *pipeline, int64_t deadline_ms)
{
	int64_t batch_ms = pipeline->batch_ms + PIPELINE_BATCH_MS;

	if (pipeline->batch_ms == 0 || (deadline_ms >= 0 && deadline_ms < batch_ms))
		return deadline_ms;
	return batch_ms;
}

void pipeline_hear_stop(struct pipeline *pipeline)
{
	for (int signal; (signal = stop_next(pipeline->tools.stop_fd)) != 0;)
		if ((signal == SIGTERM || signal == SIGINT) && !pipeline->stopped) {
			pipeline->stopped = true;
			pipeline->stopped_ms = clock_ms();
		}
}

int64_t pipeline_stop_ms(
	const struct pipeline *pipeline, int64_t grace_ms, int64_t deadline_ms)
{
	const int64_t last_ms = pipeline->stopped_ms + grace_ms;

	if (!pipeline->stopped || (deadline_ms >= 0 && deadline_ms < last_ms))
		return deadline_ms;
	return last_ms;
}

static int stop_asked(struct pipeline *pipeline, struct err *err)
{
	if (pipeline->stopped)
		return err_set(err, ERR_AGAIN, "stopped by a signal");
	return 0;
}

int pipeline_wait(struct pipeline *pipeline, int fd, short events, int64_t deadline_ms,
	struct err *err)
{
	for (;;) {
		struct pollfd fds[2] = { { .fd = pipeline->tools.stop_fd,
						 .events = POLLIN },
			{ .fd = fd, .events = events } };
		size_t fd_count = fd < 0 ? 1 : 2;
		size_t before = pipeline->count;

		if (pipeline_turn(pipeline, err) < 0)
			return -1;
		if (fd < 0 && pipeline->count != before)
			return 1;
		if (scan_wait(pipeline->tools.scan, fds, fd_count,
			    clock_left(next_ms(pipeline, deadline_ms)), err) < 0)
			return -1;
		if (fds[0].revents)
			pipeline_hear_stop(pipeline);
		if (stop_asked(pipeline, err) < 0)
			return -1;
		if (fd >= 0 && fds[1].revents)
			return 1;
		if (deadline_ms >= 0 && clock_left(deadline_ms) == 0)
			return 0;
	}
}

int pipeline_make_room(struct pipeline *pipeline, struct err *err)
{
	/* A turn looks at every message in flight and asks the scanners' sockets: for each small
	 * message that would cost more than the message. */
	if (pipeline->behind < PIPELINE_BEHIND_MAX && !pipeline_full(pipeline))
		return 0;
	if (pipeline_turn(pipeline, err) < 0)
		return -1;
	while (pipeline_full(pipeline))
		if (pipeline_wait(pipeline, -1, 0, -1, err) < 0)
			return -1;
	return 0;
}

int pipeline_drain(struct pipeline *pipeline, struct err *err)
{
	int result = 0;

	pipeline->draining = true;
	while (result >= 0 && pipeline->count > 0)
		result = pipeline_wait(pipeline, -1, 0, -1, err);
	pipeline->draining = false;
	return result < 0 ? -1 : 0;
}
