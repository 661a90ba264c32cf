/* SPDX-License-Identifier: ISC */
#include "scanner/quarantine_item.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/defer.h"
#include "common/parse.h"

enum {
	FIELD_TEXT_MAX = 3 * QUARANTINE_PATH_MAX + 64,
	DATE_LEN = 8,
	MODE_MAX = 07777
};

static const char head[] = "mailfilter-scanner quarantine 1\n";

static const char *const states[QUARANTINE_STATES] = { "taking", "kept", "releasing",
	"released" };

enum kind {
	KIND_TEXT,
	KIND_NUMBER,
	KIND_MODE, /* octal, as people know it */
	KIND_HASH
};

#define FIELD(member) #member, offsetof(struct quarantine_item, member)

/* In the order of the text; each has a line. A text's max is its size. */
static const struct field {
	const char *key;
	size_t offset;
	enum kind kind;
	uint64_t max;
} fields[] = {
	{ FIELD(path), KIND_TEXT, QUARANTINE_PATH_MAX },
	{ FIELD(signature), KIND_TEXT, FINDING_SIGNATURE_MAX },
	{ FIELD(where), KIND_TEXT, FINDING_NAME_MAX },
	{ FIELD(hash), KIND_HASH, 0 },
	{ FIELD(signatures), KIND_HASH, 0 },
	{ FIELD(size), KIND_NUMBER, UINT64_MAX },
	{ FIELD(inode), KIND_NUMBER, UINT64_MAX },
	{ FIELD(links), KIND_NUMBER, UINT64_MAX },
	{ FIELD(uid), KIND_NUMBER, UINT32_MAX },
	{ FIELD(gid), KIND_NUMBER, UINT32_MAX },
	{ FIELD(mode), KIND_MODE, MODE_MAX },
	{ FIELD(modified_s), KIND_NUMBER, UINT64_MAX },
	{ FIELD(modified_ns), KIND_NUMBER, 999999999 },
	{ FIELD(accessed_s), KIND_NUMBER, UINT64_MAX },
	{ FIELD(accessed_ns), KIND_NUMBER, 999999999 },
	{ FIELD(taken_s), KIND_NUMBER, INT64_MAX },
	{ FIELD(released_s), KIND_NUMBER, INT64_MAX },
};

const char *quarantine_state_name(enum quarantine_state state)
{
	return states[state];
}

bool quarantine_is_id(const char *text)
{
	if (strlen(text) != QUARANTINE_ID_MAX - 1 || text[DATE_LEN] != '-')
		return false;
	return strspn(text, "0123456789") == DATE_LEN &&
	       strspn(text + DATE_LEN + 1, "0123456789abcdef") ==
		       QUARANTINE_ID_MAX - 2 - DATE_LEN;
}

static bool is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '%';
}

static void escape(const char *value, char text[static FIELD_TEXT_MAX])
{
	size_t used = 0;

	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		used += (size_t)snprintf(text + used, FIELD_TEXT_MAX - used,
			is_plain(c) ? "%c" : "%%%02X", c);
	}
	text[used] = '\0';
}

static int digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* false: it is not as escape() writes it, or does not fit. */
static bool unescape(const char *text, char *value_r, size_t size)
{
	size_t used = 0;

	for (; *text; text++) {
		int c = (unsigned char)*text;

		if (c == '%') {
			int high = digit(text[1]), low = high < 0 ? -1 : digit(text[2]);

			if (low < 0)
				return false;
			c = high * 16 + low;
			text += 2;
			if (is_plain((unsigned char)c) || c == '\0')
				return false;
		} else if (!is_plain((unsigned char)c)) {
			return false;
		}
		if (used + 1 >= size)
			return false;
		value_r[used++] = (char)c;
	}
	value_r[used] = '\0';
	return true;
}

static int add_line(struct buf *text, const char *key, const char *value, struct err *err)
{
	const struct span parts[] = { span_str(key), span_str(" "), span_str(value),
		span_str("\n") };

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (buf_add(text, parts[i].data, parts[i].len, err) < 0)
			return -1;
	return 0;
}

static int add_field(const struct field *field, const struct quarantine_item *item,
	struct buf *text, struct err *err)
{
	const void *at = (const char *)item + field->offset;
	char value[FIELD_TEXT_MAX];
	uint64_t number;

	switch (field->kind) {
	case KIND_TEXT:
		escape(at, value);
		break;
	case KIND_NUMBER:
		memcpy(&number, at, sizeof(number));
		(void)snprintf(value, sizeof(value), "%ju", (uintmax_t)number);
		break;
	case KIND_MODE:
		memcpy(&number, at, sizeof(number));
		(void)snprintf(value, sizeof(value), "%04jo", (uintmax_t)number);
		break;
	case KIND_HASH:
		(void)hash_text(at, value);
		break;
	}
	return add_line(text, field->key, value, err);
}

int quarantine_item_encode(
	const struct quarantine_item *item, struct buf *text, struct err *err)
{
	if (buf_add(text, head, strlen(head), err) < 0 ||
		add_line(text, "state", states[item->state], err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (add_field(&fields[i], item, text, err) < 0)
			return -1;
	return 0;
}

/* The value of the next line, which must have this key; NULL: it has not. */
static const char *next(char **rest, const char *key)
{
	char *line = *rest, *end = strchr(line, '\n');
	size_t len = strlen(key);

	if (!end || strncmp(line, key, len) != 0 || line[len] != ' ')
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line + len + 1;
}

static bool parse_mode(const char *value, uint64_t max, uint64_t *mode_r)
{
	*mode_r = 0;
	if (!value[0])
		return false;
	for (; *value >= '0' && *value <= '7' && *mode_r <= max; value++)
		*mode_r = *mode_r * 8 + (uint64_t)(*value - '0');
	return !*value && *mode_r <= max;
}

static bool take_field(
	const struct field *field, const char *value, struct quarantine_item *item)
{
	void *at = (char *)item + field->offset;
	uint64_t number;

	switch (field->kind) {
	case KIND_TEXT:
		return unescape(value, at, (size_t)field->max);
	case KIND_NUMBER:
		if (parse_number(value, 0, field->max, &number, NULL) < 0)
			return false;
		memcpy(at, &number, sizeof(number));
		return true;
	case KIND_MODE:
		if (!parse_mode(value, field->max, &number))
			return false;
		memcpy(at, &number, sizeof(number));
		return true;
	case KIND_HASH:
		return hash_parse(value, at);
	}
	return false;
}

static bool take_state(const char *value, struct quarantine_item *item)
{
	for (int i = 0; value && i < QUARANTINE_STATES; i++)
		if (strcmp(value, states[i]) == 0) {
			item->state = (enum quarantine_state)i;
			return true;
		}
	return false;
}

int quarantine_item_decode(
	struct span text, struct quarantine_item *item_r, struct err *err)
{
	auto_free char *copy = NULL;
	struct quarantine_item item = *item_r;
	char *rest;

	if (text.len < strlen(head) || memcmp(text.data, head, strlen(head)) != 0)
		return err_set(err, ERR_MESSAGE, "it is of another kind or version");
	copy = strndup((const char *)text.data, text.len);
	if (!copy)
		return err_memory(err);
	rest = copy + strlen(head);
	if (!take_state(next(&rest, "state"), &item))
		return err_set(err, ERR_MESSAGE, "its state is wrong");
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const char *value = next(&rest, fields[i].key);

		if (!value || !take_field(&fields[i], value, &item))
			return err_set(
				err, ERR_MESSAGE, "its %s is wrong", fields[i].key);
	}
	if (rest != copy + text.len || item.path[0] != '/' || !item.signature[0])
		return err_set(err, ERR_MESSAGE, "it is not whole");
	*item_r = item;
	return 0;
}
