/* SPDX-License-Identifier: ISC */
#include "mailfilter/scanner_address.h"

#include <stdio.h>
#include <string.h>

static const char blanks[] = " \t";

int scanner_address_parse(
	const char *text, struct scanner_address *address_r, struct err *err)
{
	struct scanner_address address = { .endpoint = "" };
	size_t len = strcspn(text, blanks);
	const char *key = text + len + strspn(text + len, blanks);
	bool tcp;

	if (len >= sizeof(address.endpoint))
		return err_set(err, ERR_SETTINGS, "\"%.80s...\": too long", text);
	(void)snprintf(
		address.endpoint, sizeof(address.endpoint), "%.*s", (int)len, text);
	if (*key == '\0') {
		if (link_check_endpoint(address.endpoint, err) < 0)
			return -1;
	} else {
		if (key_parse(key, &address.server, err) < 0)
			return err_wrap(err, "\"%s\"", address.endpoint);
		if (link_check_connect(address.endpoint, &tcp, err) < 0)
			return -1;
		if (!tcp)
			return err_set(err, ERR_SETTINGS,
				"\"%.80s\": expected no key behind a socket of this machine",
				address.endpoint);
	}
	*address_r = address;
	return 0;
}

int scanner_address_check(const char *text, struct err *err)
{
	struct scanner_address address;

	return scanner_address_parse(text, &address, err);
}

bool scanner_address_has_key(const struct scanner_address *address)
{
	return address->server.text[0] != '\0';
}
