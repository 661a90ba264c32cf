/* SPDX-License-Identifier: ISC */
#include "scanner/job.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	STEP_MAX = 256 * 1024 /* bytes received at once */
};

int job_socketpair(int fds_r[static 2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds_r) < 0)
		return err_errno(err, ERR_AGAIN, "socketpair");
	return 0;
}

void job_out_start(struct job_out *out, enum job_type type, uint32_t level,
	const struct span *spans, size_t span_count)
{
	assert(span_count <= JOB_SPANS_MAX);
	*out = (struct job_out){ .head = { .type = (uint32_t)type, .level = level } };
	for (size_t i = 0; i < span_count; i++) {
		out->spans[i] = spans[i];
		out->head.length += spans[i].len;
	}
}

/* What of head and spans is still to be sent. */
static size_t rest(const struct job_out *out, struct iovec iov[static JOB_SPANS_MAX + 1])
{
	struct span all[JOB_SPANS_MAX + 1] = { { (const uint8_t *)&out->head,
		sizeof(out->head) } };
	uint64_t skip = out->sent;
	size_t count = 0;

	memcpy(all + 1, out->spans, sizeof(out->spans));
	for (size_t i = 0; i < JOB_SPANS_MAX + 1; i++) {
		struct span part;

		if (skip >= all[i].len) {
			skip -= all[i].len;
			continue;
		}
		part = span_part(all[i], (size_t)skip, all[i].len);
		skip = 0;
		/* iov_base is not const for readv's sake. */
		memcpy(&iov[count].iov_base, &part.data, sizeof(part.data));
		iov[count++].iov_len = part.len;
	}
	return count;
}

/* One sendmsg. 1: all is out; 0: not yet; -1. */
static int send_some(struct job_out *out, int fd, int flags, int passed, struct err *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov[JOB_SPANS_MAX + 1];
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = rest(out, iov) };
	ssize_t sent;

	if (passed >= 0) {
		struct cmsghdr *cmsg;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &passed, sizeof(int));
	}
	sent = sendmsg(fd, &message, flags | MSG_NOSIGNAL);
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (sent < 0)
		return err_errno(err, ERR_SESSION, "send to another process");
	out->sent += (uint64_t)sent;
	return out->sent == sizeof(out->head) + out->head.length;
}

static int send_all(struct job_out *out, int fd, int passed, struct err *err)
{
	int done;

	while ((done = send_some(out, fd, 0, passed, err)) == 0)
		if (out->sent > 0)
			passed = -1;
	return done < 0 ? -1 : 0;
}

int job_send(int fd, enum job_type type, uint32_t level, const struct span *spans,
	size_t span_count, struct err *err)
{
	struct job_out out;

	job_out_start(&out, type, level, spans, span_count);
	return send_all(&out, fd, -1, err);
}

int job_send_fd(
	int fd, enum job_type type, struct span payload, int passed, struct err *err)
{
	struct job_out out;

	job_out_start(&out, type, 0, &payload, 1);
	return send_all(&out, fd, passed, err);
}

int job_post(int fd, enum job_type type, uint32_t level, struct span payload, int passed,
	struct err *err)
{
	struct job_out out;
	int done;

	job_out_start(&out, type, level, &payload, 1);
	done = send_some(&out, fd, MSG_DONTWAIT, passed, err);
	if (done < 0)
		return -1;
	return done > 0 ? 0
			: err_set(err, ERR_AGAIN,
				  "the other process takes no messages any more");
}

int job_out_step(struct job_out *out, int fd, struct err *err)
{
	return send_some(out, fd, MSG_DONTWAIT, -1, err);
}

void job_in_init(struct job_in *in, size_t payload_max, bool take_fd)
{
	*in = (struct job_in){ .take_fd = take_fd, .fd = -1 };
	buf_init(&in->payload, payload_max);
}

void job_in_done(struct job_in *in)
{
	buf_done(&in->payload);
	if (in->fd >= 0)
		(void)close(take_fd(&in->fd));
}

/* recvmsg, keeping one descriptor. Others that came along never become ours: there is no room for them,
 * as there would be in what one takes with its padding (CMSG_SPACE). */
static ssize_t receive_with_fd(struct job_in *in, int fd, struct iovec *iov, int flags)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr message = { .msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t got = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
	struct cmsghdr *cmsg = got < 0 ? NULL : CMSG_FIRSTHDR(&message);

	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
		cmsg->cmsg_len == CMSG_LEN(sizeof(int))) {
		if (in->fd >= 0)
			(void)close(in->fd);
		memcpy(&in->fd, CMSG_DATA(cmsg), sizeof(int));
	}
	return got;
}

/* Up to len bytes into data. 1: some came, 0: none now, -1. */
static int receive_some(struct job_in *in, int fd, int flags, struct iovec iov,
	size_t *got_r, struct err *err)
{
	ssize_t got = in->take_fd ? receive_with_fd(in, fd, &iov, flags)
				  : recv(fd, iov.iov_base, iov.iov_len, flags);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got < 0)
		return err_errno(err, ERR_SESSION, "receive from another process");
	if (got == 0)
		return err_set(
			err, ERR_SESSION, "the other process closed the connection");
	*got_r = (size_t)got;
	return 1;
}

static bool complete(const struct job_in *in)
{
	return in->head_got == sizeof(in->head) && in->payload.len == in->head.length;
}

static int receive_head(struct job_in *in, int fd, int flags, struct err *err)
{
	struct iovec iov = { (uint8_t *)&in->head + in->head_got,
		sizeof(in->head) - in->head_got };
	size_t got = 0;
	int some = receive_some(in, fd, flags, iov, &got, err);

	in->head_got += got;
	if (some > 0 && in->head_got == sizeof(in->head) &&
		in->head.length > in->payload.max)
		return err_set(err, ERR_MESSAGE,
			"another process announced %" PRIu64 " bytes, at most %zu may be",
			in->head.length, in->payload.max);
	return some;
}

static int receive_payload(struct job_in *in, int fd, int flags, struct err *err)
{
	size_t want = (size_t)in->head.length - in->payload.len, got = 0;
	uint8_t *room;
	int some;

	if (want > STEP_MAX)
		want = STEP_MAX;
	if (buf_reserve(&in->payload, want, &room, err) < 0)
		return -1;
	some = receive_some(in, fd, flags, (struct iovec){ room, want }, &got, err);
	in->payload.len += got;
	return some;
}

static int receive(struct job_in *in, int fd, int flags, struct err *err)
{
	if (complete(in)) {
		buf_clear(&in->payload);
		in->head_got = 0;
		if (in->fd >= 0)
			(void)close(take_fd(&in->fd));
	}
	while (!complete(in)) {
		int some = in->head_got < sizeof(in->head)
				   ? receive_head(in, fd, flags, err)
				   : receive_payload(in, fd, flags, err);

		if (some < 0 || (some == 0 && flags & MSG_DONTWAIT))
			return some;
	}
	return 1;
}

int job_in_step(struct job_in *in, int fd, struct err *err)
{
	return receive(in, fd, MSG_DONTWAIT, err);
}

int job_receive(int fd, struct job_head *head_r, struct buf *payload, struct err *err)
{
	struct job_in in = { .fd = -1, .payload = *payload };
	struct err end = { 0 };
	int got;

	buf_clear(&in.payload);
	got = receive(&in, fd, 0, &end);
	*payload = in.payload;
	if (got > 0)
		*head_r = in.head;
	else if (end.kind == ERR_SESSION && in.head_got == 0)
		return 0;
	else
		return err_set(err, end.kind, "%s", end.text);
	return got;
}

/* u32 length and the bytes. */
static int add_counted(struct buf *out, struct span bytes, struct err *err)
{
	uint32_t len = (uint32_t)bytes.len;

	if (buf_add(out, &len, sizeof(len), err) < 0)
		return -1;
	return buf_add(out, bytes.data, bytes.len, err);
}

int job_scan_start(const char *quarantine_id, const struct allow *allow, struct buf *out,
	struct err *err)
{
	auto_buf struct buf packed;
	struct pack pack;

	buf_init(&packed, ALLOW_PACKED_MAX);
	if (strlen(quarantine_id) > JOB_ID_MAX)
		return err_set(err, ERR_MESSAGE,
			"a quarantine id of %zu bytes, at most %d may be",
			strlen(quarantine_id), JOB_ID_MAX);
	pack_init(&pack, &packed, err);
	allow_pack(&pack, allow);
	if (pack_result(&pack) < 0 || add_counted(out, span_str(quarantine_id), err) < 0)
		return -1;
	return add_counted(out, buf_span(&packed), err);
}

/* The counted bytes at the start of rest, which goes on behind them. */
static int take_counted(
	struct span *rest, size_t max, struct span *bytes_r, struct err *err)
{
	uint32_t len;

	if (rest->len < sizeof(len))
		return err_set(err, ERR_MESSAGE, "a scan job that is cut short");
	memcpy(&len, rest->data, sizeof(len));
	*rest = span_part(*rest, sizeof(len), rest->len);
	if (len > max || len > rest->len)
		return err_set(
			err, ERR_MESSAGE, "a scan job with a length past its limit");
	*bytes_r = span_part(*rest, 0, len);
	*rest = span_part(*rest, len, rest->len);
	return 0;
}

int job_scan_parse(struct span payload, struct job_scan *job_r, struct err *err)
{
	DEFER(job_scan_done) struct job_scan job = { 0 };
	struct span id, packed;
	struct unpack unpack = { 0 };

	if (take_counted(&payload, JOB_ID_MAX, &id, err) < 0 ||
		take_counted(&payload, ALLOW_PACKED_MAX, &packed, err) < 0)
		return -1;
	if (id.len > 0)
		memcpy(job.quarantine_id, id.data, id.len);
	unpack.rest = packed;
	if (allow_unpack(&unpack, &job.allow, err) < 0)
		return -1;
	unpack_expect(&unpack, unpack.rest.len == 0, "bytes follow its lists");
	if (unpack.wrong)
		return err_set(err, ERR_MESSAGE, "a scan job: %s", unpack.wrong);
	job.message = payload;
	*job_r = job;
	memset(&job, 0, sizeof(job));
	return 0;
}

void job_scan_done(struct job_scan *job)
{
	allow_done(&job->allow);
	*job = (struct job_scan){ 0 };
}
