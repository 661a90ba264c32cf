/* SPDX-License-Identifier: ISC */
#include "common/schema_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

struct unit {
	const char *name;
	uint64_t factor;
};

enum {
	RANGE_MAX = 24
};

/* A number in the largest unit that divides it, as a person would write it. */
static const char *in_units(
	uint64_t number, const struct unit *units, char text[static RANGE_MAX])
{
	while (units->factor > 1 && (number == 0 || number % units->factor != 0))
		units++;
	(void)snprintf(
		text, RANGE_MAX, "%" PRIu64 "%s", number / units->factor, units->name);
	return text;
}

static int set_size(const struct schema_option *option, const char *text,
	uint64_t *bytes_r, struct err *err)
{
	static const struct unit units[] = { { "G", 1U << 30 }, { "M", 1U << 20 },
		{ "K", 1U << 10 }, { "", 1 } };
	char min[RANGE_MAX], max[RANGE_MAX];
	uint64_t bytes;

	if (parse_size(text, option->max, &bytes, err) < 0 || bytes < option->min)
		return err_set(err, ERR_SETTINGS,
			"\"%.40s\": expected a size from %s to %s, such as %s", text,
			in_units(option->min, units, min),
			in_units(option->max, units, max),
			option->preset ? option->preset : "50M");
	*bytes_r = bytes;
	return 0;
}

static int set_duration(const struct schema_option *option, const char *text,
	int64_t *ms_r, struct err *err)
{
	static const struct unit units[] = { { "d", 86400000 }, { "h", 3600000 },
		{ "m", 60000 }, { "s", 1000 }, { "ms", 1 } };
	char min[RANGE_MAX], max[RANGE_MAX];
	int64_t ms;

	if (parse_duration(text, (int64_t)option->max, &ms, err) < 0 ||
		ms < (int64_t)option->min)
		return err_set(err, ERR_SETTINGS,
			"\"%.40s\": expected a time from %s to %s, such as %s", text,
			in_units(option->min, units, min),
			in_units(option->max, units, max),
			option->preset ? option->preset : "30s");
	*ms_r = ms;
	return 0;
}

static int set_word(const struct schema_option *option, const char *text, int *word_r,
	struct err *err)
{
	char known[128] = "";
	size_t used = 0;

	for (int i = 0; option->words[i]; i++) {
		if (strcmp(option->words[i], text) == 0) {
			*word_r = i;
			return 0;
		}
		if (used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used,
				"%s%s",
				i == 0                 ? ""
				: option->words[i + 1] ? ", "
						       : " or ",
				option->words[i]);
	}
	return err_set(err, ERR_SETTINGS, "\"%.40s\": expected %s", text, known);
}

static int add_item(struct schema_list *list, const char *text, struct err *err)
{
	char **items = reallocarray(list->items, list->count + 1, sizeof(*items));

	if (!items)
		return err_memory(err);
	list->items = items;
	items[list->count] = strdup(text);
	if (!items[list->count])
		return err_memory(err);
	list->count++;
	return 0;
}

static int set_text(char **member, const char *text, struct err *err)
{
	char *copy = strdup(text);

	if (!copy)
		return err_memory(err);
	schema_text_free(member);
	*member = copy;
	return 0;
}

static int check_text(const char *text, struct err *err)
{
	if (strlen(text) > SCHEMA_VALUE_MAX)
		return err_set(err, ERR_SETTINGS, "too long: expected at most %d bytes",
			SCHEMA_VALUE_MAX);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(err, ERR_SETTINGS,
				"a control character: expected plain text");
	return 0;
}

void *schema_member(void *settings, size_t offset)
{
	return (char *)settings + offset;
}

int schema_value_set(const struct schema_option *option, const char *text, void *settings,
	struct err *err)
{
	void *member = schema_member(settings, option->offset);

	if (check_text(text, err) < 0)
		return -1;
	if (option->check && option->check(text, err) < 0)
		return -1;
	switch (option->type) {
	case SCHEMA_TEXT:
		return set_text(member, text, err);
	case SCHEMA_LIST:
		return add_item(member, text, err);
	case SCHEMA_NUMBER:
		return parse_number(text, option->min, option->max, member, err);
	case SCHEMA_SIZE:
		return set_size(option, text, member, err);
	case SCHEMA_DURATION:
		return set_duration(option, text, member, err);
	case SCHEMA_WORD:
		return set_word(option, text, member, err);
	case SCHEMA_SECTION:
		break;
	}
	return err_set(err, ERR_FATAL, "%s is a section, not a value", option->name);
}

int schema_value_preset(
	const struct schema_option *option, void *settings, struct err *err)
{
	if (option->preset)
		return schema_value_set(option, option->preset, settings, err);
	if (option->type == SCHEMA_WORD)
		*(int *)schema_member(settings, option->offset) = -1;
	return 0;
}

int schema_value_count(const struct schema_option *option, size_t count, struct err *err)
{
	if (count < option->min)
		return err_set(err, ERR_SETTINGS,
			"an empty list: expected at least %" PRIu64, option->min);
	if (option->max > 0 && count > option->max)
		return err_set(
			err, ERR_SETTINGS, "expected at most %" PRIu64, option->max);
	return 0;
}

int schema_preset(const struct schema_option *options, void *settings, struct err *err)
{
	for (const struct schema_option *option = options; option->name; option++) {
		if (option->type == SCHEMA_SECTION)
			continue;
		if (schema_value_preset(option, settings, err) < 0) {
			schema_free(options, settings);
			return -1;
		}
	}
	return 0;
}

static void wipe_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void free_flat(const struct schema_option *options, void *settings)
{
	for (; options->name; options++) {
		void *member = schema_member(settings, options->offset);
		struct schema_list *list = member;

		if (options->type == SCHEMA_TEXT)
			schema_text_free(member);
		if (options->type != SCHEMA_LIST)
			continue;
		for (size_t i = 0; i < list->count; i++)
			wipe_free(list->items[i]);
		free(list->items);
		*list = (struct schema_list){ 0 };
	}
}

void schema_free(const struct schema_option *options, void *settings)
{
	free_flat(options, settings);
	for (; options->name; options++) {
		struct schema_sections *sections =
			schema_member(settings, options->offset);

		if (options->type != SCHEMA_SECTION)
			continue;
		for (size_t i = 0; i < sections->count; i++) {
			void *item =
				schema_member(sections->items, i * options->item_size);

			schema_text_free(schema_member(item, options->title_offset));
			free_flat(options->section, item);
		}
		free(sections->items);
		*sections = (struct schema_sections){ 0 };
	}
}

const char *schema_list_repeat(const struct schema_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(list->items[i], list->items[j]) == 0)
				return list->items[i];
	return NULL;
}

void schema_text_free(char **text)
{
	wipe_free(*text);
	*text = NULL;
}
