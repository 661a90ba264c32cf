/* SPDX-License-Identifier: ISC */
#include "mailfilter/source_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/parse.h"
#include "common/utf8.h"

enum {
	PORT_MAX = 65535
};

static const struct scheme {
	const char *name;
	enum source_kind kind;
	unsigned port;
} schemes[] = {
	{ "imap://", SOURCE_IMAP, 143 },
	{ "imaps://", SOURCE_IMAPS, 993 },
	{ "pop3://", SOURCE_POP3, 110 },
	{ "pop3s://", SOURCE_POP3S, 995 },
};

static const struct scheme *find_scheme(const char *text, struct err *err)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncasecmp(text, schemes[i].name, strlen(schemes[i].name)) == 0)
			return &schemes[i];
	(void)err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected imaps://USER@HOST, or imap://, pop3:// or pop3s://, or "
		"maildir:PATH",
		text);
	return NULL;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX into bytes; the text is no longer than a user may be. */
static int decode_user(
	struct span text, char user[static SOURCE_URL_USER_MAX + 1], struct err *err)
{
	size_t used = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.data[i];

		if (c == ':')
			return err_set(err, ERR_SETTINGS,
				"a colon in the user name: expected USER@HOST, the password "
				"in an option of its own, and %%3A for a real colon");
		if (c == '%') {
			int high = i + 2 < text.len ? hex((char)text.data[i + 1]) : -1;
			int low = high >= 0 ? hex((char)text.data[i + 2]) : -1;

			if (low < 0)
				return err_set(err, ERR_SETTINGS,
					"a %% in the user name: expected two hexadecimal "
					"digits behind it, and %%25 for a real one");
			c = (char)(high * 16 + low);
			i += 2;
		}
		user[used++] = c;
	}
	user[used] = '\0';
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)user[i] < ' ' || user[i] == 0x7f)
			return err_set(err, ERR_SETTINGS,
				"a control character in the user name: expected plain text");
	if (!utf8_valid((struct span){ (const uint8_t *)user, used }))
		return err_set(err, ERR_SETTINGS, "the user name: expected UTF-8");
	return 0;
}

static bool good_name(struct span host)
{
	if (host.len == 0 || host.len > SOURCE_URL_HOST_MAX || host.data[0] == '.' ||
		host.data[0] == '-')
		return false;
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.data[i];

		if (c >= 0x80 || (!isalnum(c) && c != '-' && c != '.' && c != '_'))
			return false;
	}
	return true;
}

/* HOST or [IPv6]; returns what stands behind it, NULL if it is neither. */
static const char *split_host(const char *text, struct span *host_r, struct err *err)
{
	const char *end;
	struct in6_addr address;
	char inside[INET6_ADDRSTRLEN];
	size_t len;

	if (text[0] != '[') {
		len = strcspn(text, ":/?#");
		*host_r = (struct span){ (const uint8_t *)text, len };
		if (good_name(*host_r))
			return text + len;
		(void)err_set(err, ERR_SETTINGS,
			"host \"%.*s\": expected a name or an address, IPv6 in brackets",
			(int)(len < 80 ? len : 80), text);
		return NULL;
	}
	end = strchr(text, ']');
	len = end ? (size_t)(end - text) - 1 : sizeof(inside);
	if (len < sizeof(inside)) {
		memcpy(inside, text + 1, len);
		inside[len] = '\0';
		*host_r = (struct span){ (const uint8_t *)text + 1, len };
		if (inet_pton(AF_INET6, inside, &address) == 1)
			return end + 1;
	}
	(void)err_set(err, ERR_SETTINGS,
		"host \"%.80s\": expected an IPv6 address in the brackets", text);
	return NULL;
}

static int parse_port(
	const char *rest, unsigned preset, unsigned *port_r, struct err *err)
{
	uint64_t port = preset;

	if (rest[0] != '\0' && rest[0] != ':')
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\" behind the host: expected nothing but :PORT (the option "
			"folders names folders)",
			rest);
	if (rest[0] == ':' && parse_number(rest + 1, 1, PORT_MAX, &port, err) < 0)
		return err_wrap(err, "port");
	*port_r = (unsigned)port;
	return 0;
}

int source_url_host(const char *text, unsigned preset,
	char host_r[static SOURCE_URL_HOST_MAX + 1], unsigned *port_r, struct err *err)
{
	struct span host = { 0 };
	const char *rest = split_host(text, &host, err);

	if (!rest || parse_port(rest, preset, port_r, err) < 0)
		return -1;
	memcpy(host_r, host.data, host.len);
	host_r[host.len] = '\0';
	return 0;
}

int source_url_parse(const char *text, struct source_url *url_r, struct err *err)
{
	const struct scheme *scheme = find_scheme(text, err);
	struct source_url url = { 0 };
	const char *start, *at;

	if (!scheme)
		return -1;
	start = text + strlen(scheme->name);
	/* The last one: a user name is often an address itself. */
	at = strrchr(start, '@');
	if (!at || at == start || at - start > SOURCE_URL_USER_MAX)
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected %sUSER@HOST, USER of at most %d bytes", text,
			scheme->name, SOURCE_URL_USER_MAX);
	if (source_url_host(at + 1, scheme->port, url.host, &url.port, err) < 0 ||
		decode_user((struct span){ (const uint8_t *)start, (size_t)(at - start) },
			url.user, err) < 0)
		return -1;
	url.kind = scheme->kind;
	*url_r = url;
	return 0;
}
