/* SPDX-License-Identifier: ISC */
#include "scanner/allowance.h"

#include <stdio.h>
#include <string.h>

void allowance_start(struct allowance *allowance, const struct allow *allow)
{
	allowance_done(allowance);
	allowance->allow = allow;
}

void allowance_done(struct allowance *allowance)
{
	seen_done(&allowance->texts);
	*allowance = (struct allowance){ 0 };
}

bool allowance_has_hashes(const struct allowance *allowance)
{
	return allowance->allow && allowance->allow->hash_count > 0;
}

/* Each once, as many as there is room for; never nothing. */
static void say(struct allowance *allowance, const char *what)
{
	static const char more[] = ", ...";
	char *said = allowance->said;
	size_t used = strlen(said), size = sizeof(allowance->said);
	/* Behind VERDICT_ALLOWED, or it is not there. */
	const char *known = used > 0 ? strstr(said + 1, what) : NULL;

	if (known && known[-1] == ' ' && strchr(",", known[strlen(what)]))
		return;
	if (used == 0)
		(void)snprintf(said, size, VERDICT_ALLOWED "%s", what);
	else if (used + 2 + strlen(what) + sizeof(more) <= size)
		(void)snprintf(said + used, size - used, ", %s", what);
	else if (strcmp(said + used - (sizeof(more) - 1), more) != 0)
		(void)snprintf(said + used, size - used, "%s", more);
}

bool allowance_name(struct allowance *allowance, const char *signature)
{
	if (!allowance->allow || !allow_has_name(allowance->allow, signature))
		return false;
	say(allowance, signature);
	return true;
}

bool allowance_hash(struct allowance *allowance, const struct hash *hash)
{
	char text[HASH_TEXT_MAX];

	if (!allowance->allow || !allow_has_hash(allowance->allow, hash))
		return false;
	say(allowance, hash_text(hash, text));
	return true;
}

static bool is_line_end(uint8_t c)
{
	return c == '\n' || c == '\r';
}

/* The hash of a text whatever its line ends, and without those behind it. */
static bool text_hash(struct span bytes, struct hash *hash_r)
{
	auto_hasher struct hasher hasher = { 0 };

	while (bytes.len > 0 && is_line_end(bytes.data[bytes.len - 1]))
		bytes.len--;
	if (hasher_init(&hasher, NULL) < 0)
		return false;
	while (bytes.len > 0) {
		const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
		size_t len = end ? (size_t)(end - bytes.data) : bytes.len;
		size_t next = end ? len + 1 : len;

		if (end && len > 0 && bytes.data[len - 1] == '\r')
			len--;
		if (hasher_add(&hasher, span_part(bytes, 0, len), NULL) < 0 ||
			(end && hasher_add(&hasher, span_str("\n"), NULL) < 0))
			return false;
		bytes = span_part(bytes, next, bytes.len);
	}
	hasher_result(&hasher, hash_r);
	return true;
}

void allowance_add_text(struct allowance *allowance, struct span part)
{
	struct hash hash;

	if (part.len > 0 && !memchr(part.data, '\0', part.len) && text_hash(part, &hash))
		seen_add(&allowance->texts, &hash);
}

bool allowance_layer(
	struct allowance *allowance, struct span bytes, const struct hash *hash)
{
	struct hash text;

	if (!allowance_has_hashes(allowance))
		return false;
	if (allowance_hash(allowance, hash))
		return true;
	/* What it is a copy of was said when that was met. */
	return allowance->texts.count > 0 && text_hash(bytes, &text) &&
	       seen_has(&allowance->texts, &text);
}

const char *allowance_said(const struct allowance *allowance)
{
	return allowance->said;
}
