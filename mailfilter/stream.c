/* SPDX-License-Identifier: ISC */
#include "mailfilter/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/defer.h"

#include "mailfilter/dial.h"
#include "mailfilter/stream_inside.h"

static int wait_plain(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	int count;

	(void)arg;
	for (;;) {
		int left_ms = clock_left(deadline_ms);
		count = poll(&poll_fd, 1, left_ms);
		if (count > 0)
			return 1;
		if (count < 0 && errno != EINTR)
			return err_errno(err, ERR_FATAL, "poll");
		if (left_ms == 0)
			return 0;
	}
}

const struct stream_wait stream_wait_plain = { .wait = wait_plain };

/* Wait for the server within the answer's time. 0, or -1 with why. */
static int wait_server(struct stream *stream, short events)
{
	int result = stream->wait.wait(
		stream->wait.arg, stream->fd, events, stream->deadline_ms, &stream->why);

	if (result > 0)
		return 0;
	if (result == 0)
		return err_set(&stream->why, ERR_SESSION,
			"no answer from %s in time (timeout %" PRId64 " ms)",
			stream->account->host, stream->account->timeout_ms);
	return -1;
}

static ssize_t receive_plain(
	struct stream *stream, void *data, size_t size, short *events_r)
{
	ssize_t len = recv(stream->fd, data, size, 0);

	if (len > 0)
		return len;
	if (len == 0)
		return err_set(
			&stream->why, ERR_SESSION, "the server closed the connection");
	if (errno == EAGAIN || errno == EINTR) {
		*events_r = POLLIN;
		return 0;
	}
	return err_errno(&stream->why, ERR_SESSION, "receive");
}

ssize_t stream_receive(struct stream *stream, void *data, size_t size, short *events_r)
{
	return stream->tls ? tls_receive(stream->tls, data, size, events_r, &stream->why)
			   : receive_plain(stream, data, size, events_r);
}

static ssize_t send_plain(
	struct stream *stream, const void *data, size_t size, short *events_r)
{
	ssize_t len = send(stream->fd, data, size, MSG_NOSIGNAL);

	if (len > 0)
		return len;
	if (len == 0 || errno == EAGAIN || errno == EINTR) {
		*events_r = POLLOUT;
		return 0;
	}
	return err_errno(&stream->why, ERR_SESSION, "send");
}

static void bought(struct stream *stream, ssize_t len)
{
	int64_t most_ms = clock_ms() + stream->account->timeout_ms;

	stream->deadline_ms += (int64_t)len * 1000 / STREAM_RATE_MIN + 1;
	if (stream->deadline_ms > most_ms)
		stream->deadline_ms = most_ms;
}

/* Until the account's rate allows more. It is our own wait: the server's clock stands still, and
 * other work goes on. */
static int keep_pace(struct stream *stream)
{
	int64_t from_ms = clock_ms(), now_ms = from_ms, next_ms;

	while ((next_ms = pace_next_ms(&stream->pace, now_ms)) > now_ms) {
		if (next_ms > now_ms + STREAM_PACE_MS)
			next_ms = now_ms + STREAM_PACE_MS;
		if (stream->wait.wait(stream->wait.arg, -1, 0, next_ms, &stream->why) < 0)
			return -1;
		now_ms = clock_ms();
	}
	stream->deadline_ms += now_ms - from_ms;
	return 0;
}

/* At least one byte as it comes from the wire, or -1 with why. */
static ssize_t receive(struct stream *stream, void *data, size_t room)
{
	size_t size = pace_room(&stream->pace, room);

	if (keep_pace(stream) < 0)
		return -1;
	for (;;) {
		short events = POLLIN;
		ssize_t len = stream_receive(stream, data, size, &events);

		if (len > 0) {
			bought(stream, len);
			pace_took(&stream->pace, (size_t)len, clock_ms());
		}
		if (len != 0)
			return len;
		if (wait_server(stream, events) < 0)
			return -1;
	}
}

static ssize_t take_passed(struct stream *stream, void *data, size_t size)
{
	size_t len = stream->passed_len - stream->passed_at;

	if (len > size)
		len = size;
	memcpy(data, stream->passed + stream->passed_at, len);
	stream->passed_at += len;
	return (ssize_t)len;
}

/* Inside a body: straight to where the parser wants it. */
static ssize_t receive_body(struct stream *stream, void *data, size_t size)
{
	uint64_t open = imap_gate_open(&stream->gate);
	ssize_t len = receive(stream, data, open < size ? (size_t)open : size);

	if (len > 0)
		imap_gate_moved(&stream->gate, (size_t)len);
	return len;
}

int stream_bye(struct stream *stream)
{
	static const char prefix[] = "* BYE ";
	const char *words = stream->gate.bye;

	if (stream->gate.bye_len > sizeof(prefix) - 1)
		words += sizeof(prefix) - 1;
	return err_set(
		&stream->why, ERR_SESSION, "the server ends the session: %s", words);
}

static ssize_t receive_gated(struct stream *stream, void *data, size_t size)
{
	uint8_t raw[STREAM_BUFFER_SIZE];

	while (stream->passed_at == stream->passed_len) {
		ssize_t len;

		if (stream->why.kind != ERR_NONE)
			return -1;
		if (stream->gate.ended)
			return stream_bye(stream);
		if (imap_gate_open(&stream->gate) > 0)
			return receive_body(stream, data, size);
		len = receive(stream, raw, sizeof(raw));
		if (len < 0)
			return -1;
		/* What came through before a refusal is good: it is read first. */
		stream->passed_at = 0;
		(void)imap_gate_pass(&stream->gate, (struct span){ raw, (size_t)len },
			stream->passed, &stream->passed_len, &stream->why);
	}
	return take_passed(stream, data, size);
}

/* libetpan's driver: never 0, which it would take for "again". */
static ssize_t low_read(mailstream_low *low, void *data, size_t size)
{
	struct stream *stream = low->data;

	if (stream->gated)
		return receive_gated(stream, data, size);
	return stream->why.kind == ERR_NONE ? receive(stream, data, size) : -1;
}

static ssize_t low_write(mailstream_low *low, const void *data, size_t size)
{
	struct stream *stream = low->data;

	while (stream->why.kind == ERR_NONE) {
		short events = POLLOUT;
		ssize_t len = stream->tls ? tls_send(stream->tls, data, size, &events,
						    &stream->why)
					  : send_plain(stream, data, size, &events);
		if (len > 0)
			return len;
		if (len < 0 || wait_server(stream, events) < 0)
			return -1;
	}
	return -1;
}

/* The socket is the stream's, and closed with it. */
static int low_close(mailstream_low *low)
{
	(void)low;
	return 0;
}

static int low_get_fd(mailstream_low *low)
{
	const struct stream *stream = low->data;

	return stream->fd;
}

static void low_free(mailstream_low *low)
{
	free(low);
}

static mailstream_low_driver driver = {
	.mailstream_read = low_read,
	.mailstream_write = low_write,
	.mailstream_close = low_close,
	.mailstream_get_fd = low_get_fd,
	.mailstream_free = low_free,
};

static void stream_defer(struct stream **stream)
{
	stream_close(*stream);
}

static int make_mailstream(struct stream *stream, struct err *err)
{
	mailstream_low *low = mailstream_low_new(stream, &driver);

	if (!low)
		return err_memory(err);
	stream->mailstream = mailstream_new(low, STREAM_BUFFER_SIZE);
	if (!stream->mailstream) {
		free(low);
		return err_memory(err);
	}
	return 0;
}

static int shake_hands(struct stream *stream, struct err *err)
{
	const struct tls_trust *trust = stream->account->trust;
	int result;

	if (!trust && tls_trust_load(stream->account->tls_ca, &stream->trust, err) < 0)
		return -1;
	if (tls_new(stream->fd, stream->account->host, trust ? trust : stream->trust,
		    &stream->tls, err) < 0)
		return -1;
	stream_begin(stream);
	do {
		short events = POLLIN;

		result = tls_handshake(stream->tls, &events, &stream->why);
		if (result < 0 || (result == 0 && wait_server(stream, events) < 0))
			return stream_why(stream, err);
	} while (result == 0);
	return 0;
}

int stream_connect(const struct account_settings *account, const struct stream_wait *wait,
	struct stream **stream_r, struct err *err)
{
	DEFER(stream_defer) struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return err_memory(err);
	stream->account = account;
	stream->wait = *wait;
	stream->fd = -1;
	stream->paused_ms = -1;
	stream->pace.rate = account->rate;
	stream->gated = account->kind == SOURCE_IMAP || account->kind == SOURCE_IMAPS;
	imap_gate_init(&stream->gate, account->message_max + STREAM_SLACK);
	if (make_mailstream(stream, err) < 0 ||
		dial(account->host, account->port, STREAM_CONNECT_MS, wait, &stream->fd,
			err) < 0)
		return -1;
	if ((account->kind == SOURCE_IMAPS || account->kind == SOURCE_POP3S) &&
		shake_hands(stream, err) < 0)
		return -1;
	stream_begin(stream);
	*stream_r = take_ptr(&stream);
	return 0;
}

int stream_start_tls(struct stream *stream, struct err *err)
{
	if (stream->mailstream->read_buffer_len > 0 ||
		(stream->gated && !imap_gate_is_quiet(&stream->gate)))
		return err_set(err, ERR_SESSION,
			"%s sent plain text where TLS must begin: somebody may be in "
			"between",
			stream->account->host);
	return shake_hands(stream, err);
}

mailstream *stream_mailstream(struct stream *stream)
{
	return stream->mailstream;
}

void stream_begin(struct stream *stream)
{
	stream->deadline_ms = clock_ms() + stream->account->timeout_ms;
	imap_gate_begin(&stream->gate);
}

void stream_hurry(struct stream *stream, int64_t max_ms)
{
	int64_t most_ms = clock_ms() + max_ms;

	if (stream->deadline_ms > most_ms)
		stream->deadline_ms = most_ms;
}

void stream_pause(struct stream *stream)
{
	stream->paused_ms = clock_ms();
}

void stream_resume(struct stream *stream)
{
	if (stream->paused_ms >= 0)
		stream->deadline_ms += clock_ms() - stream->paused_ms;
	stream->paused_ms = -1;
}

void stream_take_lists(struct stream *stream, const char *response, struct buf *lists)
{
	imap_gate_take_lists(&stream->gate, response, lists);
}

void stream_stop(struct stream *stream, const struct err *why)
{
	if (stream->why.kind == ERR_NONE)
		stream->why = *why;
	stream->passed_at = stream->passed_len;
}

int stream_why(const struct stream *stream, struct err *err)
{
	if (stream->why.kind == ERR_NONE)
		return err_set(err, ERR_SESSION, "the connection is out of step");
	if (err)
		*err = stream->why;
	return -1;
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->mailstream)
		mailstream_close(stream->mailstream);
	tls_free(stream->tls);
	tls_trust_free(stream->trust);
	if (stream->fd >= 0)
		(void)close(stream->fd);
	free(stream);
}
