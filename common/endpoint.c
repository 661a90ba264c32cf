/* SPDX-License-Identifier: ISC */
#include "common/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/parse.h"

enum {
	FOLDER_MODE = 0750,
	PORT_MAX = 65535,
	LOOPBACK_NET = 127
};

static const char ipc[] = "ipc://";
static const char tcp[] = "tcp://";
static const char localhost[] = "localhost";

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

/* Names other than localhost are not resolved: what they mean could change after the check. */
static bool loopback(const char *host, bool *ipv6_r)
{
	struct in6_addr six;
	struct in_addr four;

	*ipv6_r = false;
	if (strcmp(host, localhost) == 0)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == LOOPBACK_NET;
	*ipv6_r = true;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static int parse_tcp(const char *text, struct endpoint *endpoint, struct err *err)
{
	const char *start = text + sizeof(tcp) - 1;
	const char *colon = strrchr(start, ':');
	char host[INET6_ADDRSTRLEN];
	bool bracket = start[0] == '[';
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
	if (len >= sizeof(host) || !loopback(host, &endpoint->ipv6) ||
		endpoint->ipv6 != bracket)
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected 127.0.0.1, [::1] or localhost as the host: tcp is "
			"not encrypted, so it stays on this machine",
			text);
	(void)snprintf(endpoint->text, sizeof(endpoint->text),
		bracket ? "%s[%s]:%u" : "%s%s:%u", tcp,
		strcmp(host, localhost) == 0 ? "127.0.0.1" : host, (unsigned)port);
	return 0;
}

int endpoint_parse(const char *text, struct endpoint *endpoint_r, struct err *err)
{
	struct endpoint endpoint = { .lock = -1 };
	int rc;

	if (strncmp(text, ipc, sizeof(ipc) - 1) == 0)
		rc = parse_ipc(text, &endpoint, err);
	else if (strncmp(text, tcp, sizeof(tcp) - 1) == 0)
		rc = parse_tcp(text, &endpoint, err);
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
	if (file_lock(name, &lock, err) < 0)
		return claim_failed(endpoint, err);
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
