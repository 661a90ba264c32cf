/* SPDX-License-Identifier: ISC */
#include "common/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/parse.h"

enum {
	FOLDER_MODE = 0750,
	PORT_MAX = 65535,
	LOOPBACK_NET = 127,
	HOST_MAX = 230 /* so that endpoint.text can hold it */
};

static const char ipc[] = "ipc://";
static const char tcp[] = "tcp://";
static const char localhost[] = "localhost";
static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789.-";

static int parse_ipc(const char *text, struct endpoint *endpoint, struct err *err)
{
	const char *path = text + sizeof(ipc) - 1;
	size_t len = strlen(path);

	if (path[0] != '/' || path[len - 1] == '/')
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected ipc:// and the whole path of a socket, such as "
			"ipc:///run/mailfilter-scanner/scanner.sock",
			text);
	if (len >= sizeof(endpoint->path))
		return err_set(err, ERR_SETTINGS,
			"\"%.80s...\": the path of a socket may have %d bytes, this one has "
			"%zu: choose a shorter one",
			text, ENDPOINT_PATH_MAX - 1, len);
	memcpy(endpoint->path, path, len + 1);
	(void)snprintf(endpoint->text, sizeof(endpoint->text), "%s%s", ipc, path);
	return 0;
}

/* What stands for a host. */
enum host_kind {
	HOST_WRONG,
	HOST_LOOPBACK, /* an address of it, or localhost */
	HOST_ADDRESS,
	HOST_NAME
};

static bool is_name(const char *host)
{
	size_t len = strlen(host);

	/* What ends in a digit is a mistyped address: the last part of a name has letters. */
	return len > 0 && strspn(host, name_bytes) == len && host[0] != '.' &&
	       host[0] != '-' && !isdigit((unsigned char)host[len - 1]);
}

/* Names other than localhost are not resolved here: what they mean may change. */
static enum host_kind host_kind(const char *host, bool bracket)
{
	struct in6_addr six;
	struct in_addr four;

	if (bracket) {
		if (inet_pton(AF_INET6, host, &six) != 1)
			return HOST_WRONG;
		return IN6_IS_ADDR_LOOPBACK(&six) ? HOST_LOOPBACK : HOST_ADDRESS;
	}
	if (strcmp(host, localhost) == 0)
		return HOST_LOOPBACK;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == LOOPBACK_NET ? HOST_LOOPBACK
								: HOST_ADDRESS;
	return is_name(host) ? HOST_NAME : HOST_WRONG;
}

static int check_host(
	const char *text, enum host_kind kind, enum endpoint_use use, struct err *err)
{
	switch (use) {
	case ENDPOINT_PLAIN:
		if (kind == HOST_LOOPBACK)
			return 0;
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected 127.0.0.1, [::1] or localhost as the host: tcp is "
			"not encrypted without keys (see curve-key), so it stays on this "
			"machine",
			text);
	case ENDPOINT_CONNECT:
		if (kind != HOST_WRONG)
			return 0;
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected a host name, an IPv4 address or an IPv6 address "
			"in brackets",
			text);
	case ENDPOINT_LISTEN:
		if (kind == HOST_LOOPBACK || kind == HOST_ADDRESS)
			return 0;
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected an address of this machine to listen at, such as "
			"192.0.2.1, [2001:db8::1] or 0.0.0.0 for all of IPv4",
			text);
	}
	return -1;
}

static int parse_tcp(const char *text, enum endpoint_use use, struct endpoint *endpoint,
	struct err *err)
{
	const char *start = text + sizeof(tcp) - 1;
	const char *colon = strrchr(start, ':');
	bool bracket = start[0] == '[';
	char host[HOST_MAX] = "";
	uint64_t port = 0;
	size_t len;

	if (!colon || parse_number(colon + 1, 1, PORT_MAX, &port, NULL) < 0 ||
		(bracket && (colon - start < 2 || colon[-1] != ']')))
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected tcp://HOST:PORT, such as tcp://127.0.0.1:4310",
			text);
	len = (size_t)(colon - start) - (bracket ? 2 : 0);
	if (len < sizeof(host)) {
		memcpy(host, start + (bracket ? 1 : 0), len);
		host[len] = '\0';
	}
	if (check_host(text, host_kind(host, bracket), use, err) < 0)
		return -1;
	endpoint->ipv6 = bracket;
	(void)snprintf(endpoint->text, sizeof(endpoint->text),
		bracket ? "%s[%s]:%u" : "%s%s:%u", tcp,
		strcmp(host, localhost) == 0 ? "127.0.0.1" : host, (unsigned)port);
	return 0;
}

int endpoint_parse(const char *text, enum endpoint_use use, struct endpoint *endpoint_r,
	struct err *err)
{
	struct endpoint endpoint = { .lock = -1 };
	int rc;

	if (strncmp(text, ipc, sizeof(ipc) - 1) == 0)
		rc = parse_ipc(text, &endpoint, err);
	else if (strncmp(text, tcp, sizeof(tcp) - 1) == 0)
		rc = parse_tcp(text, use, &endpoint, err);
	else
		rc = err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected ipc:///PATH or tcp://HOST:PORT", text);
	if (rc == 0)
		*endpoint_r = endpoint;
	return rc;
}

/* A folder or lock that a person must mend is a matter of settings here. */
static int claim_failed(const struct endpoint *endpoint, struct err *err)
{
	if (err && err->kind == ERR_ACCOUNT)
		err->kind = ERR_SETTINGS;
	return err_wrap(err, "%s", endpoint->text);
}

int endpoint_claim(struct endpoint *endpoint, struct err *err)
{
	char name[ENDPOINT_PATH_MAX + sizeof(".lock")];
	auto_close int lock = -1;
	struct stat stat;

	if (endpoint->path[0] == '\0')
		return 0;
	(void)snprintf(name, sizeof(name), "%s", endpoint->path);
	*strrchr(name, '/') = '\0';
	if (name[0] != '\0' && file_mkdirs(name, FOLDER_MODE, err) < 0)
		return claim_failed(endpoint, err);
	(void)snprintf(name, sizeof(name), "%s.lock", endpoint->path);
	if (file_lock(name, &lock, err) < 0) {
		if (errno == EWOULDBLOCK)
			(void)err_wrap(err,
				"another scanner listens there, stop it or choose another "
				"address");
		return claim_failed(endpoint, err);
	}
	/* ZeroMQ removes whatever stands at the path before it binds. */
	if (lstat(endpoint->path, &stat) == 0) {
		if (!S_ISSOCK(stat.st_mode))
			return err_set(err, ERR_SETTINGS,
				"%s: %s is there and is no socket: remove it or choose "
				"another path",
				endpoint->text, endpoint->path);
	} else if (errno != ENOENT) {
		return err_errno(err, ERR_SETTINGS, "%s", endpoint->text);
	}
	endpoint->lock = take_fd(&lock);
	return 0;
}

void endpoint_release(struct endpoint *endpoint)
{
	if (endpoint->lock < 0)
		return;
	(void)unlink(endpoint->path);
	(void)close(take_fd(&endpoint->lock));
}
