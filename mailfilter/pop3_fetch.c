/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "mailfilter/pop3.h"

/* Commands sent and not answered yet: items[answered..sent). */
struct window {
	const struct source_item *items;
	size_t count, sent, answered;
	uint64_t bytes;
};

static bool has_room(const struct pop3 *pop3, const struct window *window)
{
	size_t waiting = window->sent - window->answered;

	if (window->sent == window->count)
		return false;
	if (waiting == 0)
		return true;
	return pop3->pipelining && waiting < POP3_WINDOW_COUNT &&
	       window->bytes + window->items[window->sent].size <= POP3_WINDOW_BYTES;
}

/* Ask for as many as the window allows; half a window at a time makes fewer, fuller packets. */
static int ask(struct pop3 *pop3, struct window *window, struct err *err)
{
	if (window->sent - window->answered > POP3_WINDOW_COUNT / 2)
		return 0;
	while (has_room(pop3, window)) {
		const struct source_item *item = &window->items[window->sent];

		if (pop3_send(pop3, err, "RETR %" PRIu32, item->number) < 0)
			return -1;
		window->bytes += item->size;
		window->sent++;
	}
	return pop3_flush(pop3, err);
}

static int sink_data(struct pop3 *pop3, const struct source_sink *sink, struct span piece,
	struct err *err)
{
	int result;

	stream_pause(pop3->stream);
	result = sink->data(sink->arg, piece, err);
	stream_resume(pop3->stream);
	if (result < 0)
		pop3->broken = true;
	return result;
}

static int sink_done(struct pop3 *pop3, const struct source_sink *sink, const char *uid,
	enum source_outcome outcome, struct err *err)
{
	int result;

	stream_pause(pop3->stream);
	result = sink->done(sink->arg, uid, outcome, err);
	stream_resume(pop3->stream);
	if (result < 0)
		pop3->broken = true;
	return result;
}

static int read_body(struct pop3 *pop3, const struct source_sink *sink, struct err *err)
{
	struct pop3_body body = { 0 };
	struct span piece;
	int more;

	while ((more = pop3_body_next(pop3, &body, &piece, err)) > 0)
		if (piece.len > 0 && sink_data(pop3, sink, piece, err) < 0)
			return -1;
	return more;
}

static int read_message(struct pop3 *pop3, const struct source_item *item,
	const struct source_sink *sink, struct err *err)
{
	int result = pop3_answer(pop3, err);

	if (result < 0)
		return -1;
	/* The mailbox is locked for us, so it has not vanished: the server cannot read it. */
	if (result == 0 && pop3_temporary(pop3)) {
		pop3->broken = true;
		return err_set(
			err, ERR_SESSION, "RETR: not now: %.300s", pop3_words(pop3));
	}
	if (result > 0 && read_body(pop3, sink, err) < 0)
		return -1;
	return sink_done(
		pop3, sink, item->uid, result ? SOURCE_FETCHED : SOURCE_NIL, err);
}

int pop3_fetch(struct source *source, const struct source_item *items, size_t count,
	const struct source_sink *sink, struct err *err)
{
	struct pop3 *pop3 = (struct pop3 *)source;
	struct window window = { .items = items, .count = count };

	while (window.answered < count) {
		const struct source_item *item = &items[window.answered];

		stream_begin(pop3->stream);
		if (ask(pop3, &window, err) < 0 ||
			read_message(pop3, item, sink, err) < 0) {
			pop3->broken = true;
			return -1;
		}
		window.bytes -= item->size;
		window.answered++;
	}
	return 0;
}
