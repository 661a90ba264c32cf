/* SPDX-License-Identifier: ISC */
#include "mailfilter/smtp_link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/clock.h"

#include "mailfilter/dial.h"
#include "mailfilter/tls.h"

/* Everything that goes wrong on the way is for a later try. */
static int soften(struct smtp_link *link, struct err *err)
{
	if (err && err->kind == ERR_SESSION)
		err->kind = ERR_AGAIN;
	return err_wrap(err, "%s", link->name);
}

static int dial_socket(struct smtp_link *link, const char *path, struct err *err)
{
	auto_close int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0)
		return err_errno(err, ERR_AGAIN, "socket");
	memcpy(address.sun_path, path, strlen(path) + 1);
	/* At once or not at all: EAGAIN says that others wait there already. */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_errno(err, ERR_AGAIN, "connect");
	link->fd = take_fd(&fd);
	return 0;
}

int smtp_link_open(struct smtp_link *link, const struct account_settings *account,
	const struct stream_wait *wait, struct err *err)
{
	int result;

	*link = (struct smtp_link){
		.fd = -1, .wait = *wait, .timeout_ms = account->deliver_timeout_ms
	};
	link->name =
		account->deliver_host ? account->deliver_host : account->deliver_path;
	buf_init(&link->out, SMTP_WRITE_BYTES);
	if (account->deliver_host)
		result = dial(account->deliver_host, account->deliver_port,
			STREAM_CONNECT_MS, wait, &link->fd, err);
	else
		result = dial_socket(link, account->deliver_path, err);
	if (result < 0)
		return soften(link, err);
	smtp_link_begin(link);
	return 0;
}

void smtp_link_close(struct smtp_link *link)
{
	tls_free(link->tls);
	link->tls = NULL;
	tls_trust_free(link->trust);
	link->trust = NULL;
	defer_close(&link->fd);
	link->fd = -1;
	buf_done(&link->out);
}

void smtp_link_begin(struct smtp_link *link)
{
	link->deadline_ms = clock_ms() + link->timeout_ms;
}

static int wait_peer(struct smtp_link *link, short events, struct err *err)
{
	int result =
		link->wait.wait(link->wait.arg, link->fd, events, link->deadline_ms, err);

	if (result == 0)
		return err_set(err, ERR_AGAIN, "no answer within %lld ms",
			(long long)link->timeout_ms);
	return result;
}

int smtp_link_start_tls(
	struct smtp_link *link, const struct account_settings *account, struct err *err)
{
	int result;

	if (link->in_at != link->in_len)
		return err_set(err, ERR_AGAIN,
			"%s sent plain text where TLS must begin: somebody may be in "
			"between",
			link->name);
	if (tls_trust_load(account->deliver_tls_ca, &link->trust, err) < 0 ||
		tls_new(link->fd, account->deliver_host, link->trust, &link->tls, err) <
			0)
		return -1;
	smtp_link_begin(link);
	do {
		short events = POLLIN;

		result = tls_handshake(link->tls, &events, err);
		if (result < 0 && err && err->kind == ERR_ACCOUNT)
			return err_wrap(err, "deliver-tls");
		if (result < 0 || (result == 0 && wait_peer(link, events, err) < 0))
			return soften(link, err);
	} while (result == 0);
	return 0;
}

static ssize_t receive_some(struct smtp_link *link, short *events_r, struct err *err)
{
	ssize_t len;

	if (link->tls)
		return tls_receive(link->tls, link->in, sizeof(link->in), events_r, err);
	len = recv(link->fd, link->in, sizeof(link->in), 0);
	if (len > 0)
		return len;
	if (len == 0)
		return err_set(err, ERR_AGAIN, "the server closed the connection");
	if (errno != EAGAIN && errno != EINTR)
		return err_errno(err, ERR_AGAIN, "receive");
	*events_r = POLLIN;
	return 0;
}

static ssize_t send_some(
	struct smtp_link *link, struct span bytes, short *events_r, struct err *err)
{
	ssize_t len;

	if (link->tls)
		return tls_send(link->tls, bytes.data, bytes.len, events_r, err);
	len = send(link->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
	if (len > 0)
		return len;
	if (len < 0 && errno != EAGAIN && errno != EINTR)
		return err_errno(err, ERR_AGAIN, "send");
	*events_r = POLLOUT;
	return 0;
}

int smtp_link_flush(struct smtp_link *link, struct err *err)
{
	size_t done = 0;

	/* All of it in this time, however it drips: that is 512 bytes a second by default. */
	smtp_link_begin(link);
	while (done < link->out.len) {
		short events = POLLOUT;
		ssize_t len = send_some(link,
			span_part(buf_span(&link->out), done, link->out.len), &events,
			err);

		if (len < 0 || (len == 0 && wait_peer(link, events, err) < 0))
			return soften(link, err);
		done += (size_t)len;
	}
	buf_clear(&link->out);
	return 0;
}

int smtp_link_add(struct smtp_link *link, struct span bytes, struct err *err)
{
	while (bytes.len > 0) {
		const struct span some =
			span_part(bytes, 0, SMTP_WRITE_BYTES - link->out.len);

		if (buf_add(&link->out, some.data, some.len, err) < 0)
			return -1;
		bytes = span_part(bytes, some.len, bytes.len);
		if (link->out.len == SMTP_WRITE_BYTES && smtp_link_flush(link, err) < 0)
			return -1;
	}
	return 0;
}

static int fill(struct smtp_link *link, struct err *err)
{
	while (link->in_at == link->in_len) {
		short events = POLLIN;
		ssize_t len = receive_some(link, &events, err);

		if (len < 0 || (len == 0 && wait_peer(link, events, err) < 0))
			return soften(link, err);
		link->in_at = 0;
		link->in_len = (size_t)len;
	}
	return 0;
}

int smtp_link_line(struct smtp_link *link, struct err *err)
{
	size_t len = 0;

	for (;;) {
		char c;

		if (fill(link, err) < 0)
			return -1;
		c = (char)link->in[link->in_at++];
		if (c == '\n')
			break;
		if (c == '\0' || len == sizeof(link->line) - 1)
			return err_set(err, ERR_AGAIN, "the answer of %s is refused: %s",
				link->name, c ? "an endless line" : "a NUL in it");
		link->line[len++] = c;
	}
	while (len > 0 && link->line[len - 1] == '\r')
		len--;
	link->line[len] = '\0';
	return 0;
}

bool smtp_link_is_quiet(const struct smtp_link *link)
{
	struct pollfd peer = { .fd = link->fd, .events = POLLIN };

	return link->in_at == link->in_len && poll(&peer, 1, 0) == 0;
}
