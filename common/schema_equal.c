/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/schema.h"

static bool same_text(const char *left, const char *right)
{
	return left && right ? strcmp(left, right) == 0 : left == right;
}

static bool same_list(const struct schema_list *left, const struct schema_list *right)
{
	if (left->count != right->count)
		return false;
	for (size_t i = 0; i < left->count; i++)
		if (strcmp(left->items[i], right->items[i]) != 0)
			return false;
	return true;
}

static bool same_value(
	const struct schema_option *option, const void *left, const void *right)
{
	switch (option->type) {
	case SCHEMA_TEXT:
		return same_text(*(char *const *)left, *(char *const *)right);
	case SCHEMA_LIST:
		return same_list(left, right);
	case SCHEMA_NUMBER:
	case SCHEMA_SIZE:
		return *(const uint64_t *)left == *(const uint64_t *)right;
	case SCHEMA_DURATION:
		return *(const int64_t *)left == *(const int64_t *)right;
	case SCHEMA_WORD:
		return *(const int *)left == *(const int *)right;
	case SCHEMA_SECTION:
		break;
	}
	return true;
}

bool schema_equal(
	const struct schema_option *options, const void *left, const void *right)
{
	for (const struct schema_option *option = options; option->name; option++)
		if (!same_value(option, (const char *)left + option->offset,
			    (const char *)right + option->offset))
			return false;
	return true;
}

bool schema_sections_equal(const struct schema_option *option,
	const struct schema_sections *left, const struct schema_sections *right)
{
	if (left->count != right->count)
		return false;
	for (size_t i = 0; i < left->count; i++) {
		const char *a = (const char *)left->items + i * option->item_size;
		const char *b = (const char *)right->items + i * option->item_size;

		if (!same_text(*(char *const *)(const void *)(a + option->title_offset),
			    *(char *const *)(const void *)(b + option->title_offset)) ||
			!schema_equal(option->section, a, b))
			return false;
	}
	return true;
}
