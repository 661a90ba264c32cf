/* SPDX-License-Identifier: ISC */
#include <poll.h>

#include "mailfilter/stream_inside.h"

void stream_set_idle(struct stream *stream, bool idle)
{
	imap_gate_set_idle(&stream->gate, idle);
}

uint64_t stream_news(const struct stream *stream)
{
	return stream->gate.news;
}

/* A server that keeps to the standard says nothing of its own here that the gate lets through; what it
 * did may be in libetpan's buffer already. */
static int check_quiet(struct stream *stream)
{
	if (stream->gate.ended)
		return stream_bye(stream);
	if (stream->passed_at < stream->passed_len ||
		stream->mailstream->read_buffer_len > 0)
		return err_set(
			&stream->why, ERR_SESSION, "the server ends IDLE by itself");
	return 0;
}

/* What is there now. 1: something was, 0: wait for *events_r, -1: lost. */
static int take(struct stream *stream, short *events_r)
{
	uint8_t raw[STREAM_BUFFER_SIZE];
	ssize_t len = stream_receive(stream, raw, sizeof(raw), events_r);

	if (len <= 0)
		return (int)len;
	stream->passed_at = stream->passed_len = 0;
	return imap_gate_pass(&stream->gate, (struct span){ raw, (size_t)len },
		       stream->passed, &stream->passed_len, &stream->why) < 0
		       ? -1
		       : 1;
}

int stream_idle(struct stream *stream, uint64_t seen, int64_t deadline_ms,
	const struct stream_wait *wait)
{
	for (;;) {
		short events = POLLIN;
		int result;

		if (stream->why.kind != ERR_NONE || check_quiet(stream) < 0)
			return -1;
		if (stream->gate.news > seen)
			return 1;
		result = take(stream, &events);
		if (result < 0)
			return -1;
		if (result > 0)
			continue;
		result = wait->wait(
			wait->arg, stream->fd, events, deadline_ms, &stream->why);
		if (result <= 0)
			return result;
	}
}
