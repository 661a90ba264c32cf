/* SPDX-License-Identifier: ISC */
#include "mailfilter/envelope.h"

#include <string.h>

#include "common/field.h"

enum {
	HEADER_MAX =
		1024 * 1024, /* a Return-Path stands at the top, where servers put it */
};

static void take(struct span value, char sender_r[static ENVELOPE_SENDER_MAX])
{
	if (value.len > 1 && value.data[0] == '<' && value.data[value.len - 1] == '>')
		value = span_part(value, 1, value.len - 2);
	if (value.len >= ENVELOPE_SENDER_MAX || memchr(value.data, '\0', value.len))
		return;
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] >= 0x80)
			return;
	memcpy(sender_r, value.data, value.len);
	sender_r[value.len] = '\0';
	if (!destination_is_address(sender_r))
		sender_r[0] = '\0';
}

void envelope_sender(
	const char *set, struct span message, char sender_r[static ENVELOPE_SENDER_MAX])
{
	struct field field = { 0 };
	size_t pos = 0;

	sender_r[0] = '\0';
	if (set && strcmp(set, "<>") == 0)
		return;
	if (set) {
		take(span_str(set), sender_r);
		return;
	}
	message = span_part(message, 0, HEADER_MAX);
	while (field_next(message, &pos, &field) != FIELD_LAST)
		if (field.kind == FIELD_NAMED && span_is(field.name, "Return-Path")) {
			take(field.value, sender_r);
			return;
		}
}
