/* SPDX-License-Identifier: ISC */
#include "common/checks.h"

#include <string.h>

enum {
	COLUMNS = 80,
	NAME_COLUMNS = 14,
	LEVEL_COLUMNS = 10,
};

static const char *const level_names[] = {
	[CHECK_OK] = "ok", [CHECK_WARNING] = "warning", [CHECK_CRITICAL] = "critical"
};

const char *check_level_name(enum check_level level)
{
	return level_names[level];
}

enum check_level checks_worst(const struct checks *checks)
{
	enum check_level worst = CHECK_OK;

	for (size_t i = 0; i < checks->count; i++)
		if (checks->list[i].result.level > worst)
			worst = checks->list[i].result.level;
	return worst;
}

void checks_pack(struct pack *pack, const struct checks *checks)
{
	pack_u8(pack, (uint8_t)checks->count);
	for (size_t i = 0; i < checks->count; i++) {
		const struct checks_entry *entry = &checks->list[i];

		pack_text(pack, entry->name, sizeof(entry->name));
		pack_u8(pack, (uint8_t)entry->result.level);
		pack_u64(pack, (uint64_t)entry->since_s);
		pack_text(pack, entry->result.text, sizeof(entry->result.text));
	}
}

static bool is_name(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz-");

	return len > 0 && text[len] == '\0';
}

void checks_unpack(struct unpack *unpack, struct checks *checks)
{
	unsigned count = unpack_u8(unpack), level;

	unpack_expect(unpack, count <= CHECKS_MAX, "it has too many checks");
	checks->count = unpack->wrong ? 0 : count;
	for (size_t i = 0; i < checks->count; i++) {
		struct checks_entry *entry = &checks->list[i];

		unpack_text(unpack, entry->name, sizeof(entry->name));
		unpack_expect(unpack, is_name(entry->name), "a check has no name");
		level = unpack_u8(unpack);
		unpack_expect(unpack, level <= CHECK_CRITICAL,
			"the level of a check is unknown");
		entry->result.level =
			unpack->wrong ? CHECK_CRITICAL : (enum check_level)level;
		entry->since_s =
			unpack_time(unpack, INT64_MAX, "the time of a check is wrong");
		unpack_text(unpack, entry->result.text, sizeof(entry->result.text));
	}
}

/* A sentence of a stranger's: nothing in it may move the cursor. */
static void make_plain(const char *from, char to[static CHECK_TEXT_MAX])
{
	size_t i;

	for (i = 0; i < CHECK_TEXT_MAX - 1 && from[i] != '\0'; i++)
		if (from[i] < ' ' || from[i] > '~')
			to[i] = '?';
		else
			to[i] = from[i];
	to[i] = '\0';
}

/* How much of the text stands on a line of so many columns: up to a blank, if there is one. */
static size_t line_length(const char *text, size_t columns)
{
	size_t len = strlen(text);

	if (len <= columns)
		return len;
	for (size_t i = columns; i > columns / 2; i--)
		if (text[i] == ' ')
			return i;
	return columns;
}

static int show_one(const struct checks_entry *entry, const char *indent, struct buf *out,
	struct err *err)
{
	size_t before = strlen(indent) + NAME_COLUMNS + LEVEL_COLUMNS;
	char plain[CHECK_TEXT_MAX];
	const char *text = plain;
	size_t len;

	make_plain(entry->result.text, plain);
	if (buf_printf(out, err, "%s%-*s%-*s", indent, NAME_COLUMNS, entry->name,
		    LEVEL_COLUMNS, check_level_name(entry->result.level)) < 0)
		return -1;
	for (;;) {
		len = line_length(text, COLUMNS - before);
		if (buf_printf(out, err, "%.*s\n", (int)len, text) < 0)
			return -1;
		text += len;
		text += strspn(text, " ");
		if (*text == '\0')
			return 0;
		if (buf_printf(out, err, "%*s", (int)before, "") < 0)
			return -1;
	}
}

int checks_show_text(const struct checks *checks, enum check_level least,
	const char *indent, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < checks->count; i++)
		if (checks->list[i].result.level >= least &&
			show_one(&checks->list[i], indent, out, err) < 0)
			return -1;
	return 0;
}

void checks_show_json(const struct checks *checks, struct json *json)
{
	json_open(json, "checks", '[');
	for (size_t i = 0; i < checks->count; i++) {
		const struct checks_entry *entry = &checks->list[i];

		json_open(json, NULL, '{');
		json_text(json, "check", span_str(entry->name));
		json_text(json, "level", span_str(check_level_name(entry->result.level)));
		json_number(json, "since", (uint64_t)entry->since_s);
		json_text(json, "text", span_str(entry->result.text));
		json_close(json, '}');
	}
	json_close(json, ']');
}
