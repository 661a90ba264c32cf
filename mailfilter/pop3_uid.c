/* SPDX-License-Identifier: ISC */
#include "mailfilter/pop3_uid.h"

#include <stdio.h>
#include <string.h>

#include "common/hash.h"

enum {
	UIDL_PLAIN_MAX = 100 /* RFC 1939 says 70; room is left for "#" and a number */
};

static const char hashed[] = "sha256:";

/* Ends in "#" and digits: what a repeated UIDL is made into. */
static bool looks_counted(struct span uidl)
{
	size_t len = uidl.len;

	while (len > 0 && uidl.data[len - 1] >= '0' && uidl.data[len - 1] <= '9')
		len--;
	return len < uidl.len && len > 0 && uidl.data[len - 1] == '#';
}

static bool is_plain(struct span uidl)
{
	if (uidl.len == 0 || uidl.len > UIDL_PLAIN_MAX || looks_counted(uidl) ||
		span_is(span_part(uidl, 0, sizeof(hashed) - 1), hashed) ||
		span_is(span_part(uidl, 0, sizeof(POP3_UID_TOP) - 1), POP3_UID_TOP))
		return false;
	for (size_t i = 0; i < uidl.len; i++) {
		if (uidl.data[i] < 0x21 || uidl.data[i] > 0x7e)
			return false;
	}
	return true;
}

int pop3_uid(struct span uidl, char uid_r[static MESSAGE_UID_MAX], struct err *err)
{
	char text[HASH_TEXT_MAX];
	struct hash hash;

	if (is_plain(uidl)) {
		memcpy(uid_r, uidl.data, uidl.len);
		uid_r[uidl.len] = '\0';
		return 0;
	}
	if (hash_span(uidl, &hash, err) < 0)
		return -1;
	(void)snprintf(uid_r, MESSAGE_UID_MAX, "%s%s", hashed, hash_text(&hash, text));
	return 0;
}
