/* SPDX-License-Identifier: ISC */
#include "mailfilter/released.h"

#include "common/field.h"
#include "common/hash.h"

/* What mail servers and delivery programs put in front of a message on its last way. */
static bool is_trace(struct span name)
{
	static const char *const names[] = { "received", "return-path", "delivered-to",
		"x-original-to", "envelope-to", "delivery-date" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

static bool is_one(struct record *record, struct span original)
{
	struct hash hash;

	return record_is_released(record, original.len, NULL, NULL) > 0 &&
	       hash_span(original, &hash, NULL) == 0 &&
	       record_is_released(record, original.len, &hash, NULL) > 0;
}

bool released_any(struct record *record)
{
	return record_is_released(record, 0, NULL, NULL) > 0;
}

bool released_before(struct record *record, struct body *body)
{
	struct span message = { 0 };
	struct field field = { 0 };
	size_t pos = 0;

	if (body_span(body, &message, NULL) < 0)
		return false;
	for (size_t i = 0; i <= RELEASED_FIELDS_MAX; i++) {
		if (is_one(record, span_part(message, pos, message.len)))
			return true;
		if (field_next(message, &pos, &field) != FIELD_NAMED ||
			!is_trace(field.name))
			return false;
	}
	return false;
}
