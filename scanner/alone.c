/* SPDX-License-Identifier: ISC */
#include "scanner/alone.h"

#include <string.h>

enum {
	LOOKED_AT_LEAST = 6 /* bytes: libclamav passes over smaller files */
};

/* What lists its files, and what only gives them. */
static const struct {
	const char *type;
	bool does_list;
} types[] = {
	{ "CL_TYPE_ARJ", true },
	{ "CL_TYPE_EGG", true },
	{ "CL_TYPE_MSCAB", true },
	{ "CL_TYPE_MSCHM", true },
	{ "CL_TYPE_ALZ", true },
	{ "CL_TYPE_SIS", false },
	{ "CL_TYPE_DMG", false },
	{ "CL_TYPE_PART_HFSPLUS", false },
	{ "CL_TYPE_MSSZDD", false },
};

/* From 1 on; 0: not one of them. */
static uint8_t kind_of(const char *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strncmp(type, types[i].type, strlen(types[i].type)) == 0)
			return (uint8_t)(i + 1);
	return 0;
}

bool alone_is(const char *type)
{
	return kind_of(type) > 0;
}

/* The file that was listed last, if any, comes to this. */
static void settle(struct alone *alone, uint64_t size)
{
	if (alone->is_listed && size != alone->size)
		alone->is_missing = true;
	alone->is_listed = false;
}

void alone_layer(struct alone *alone, const char *type, uint32_t level, uint64_t size)
{
	if (level >= ALONE_LEVELS)
		level = ALONE_LEVELS - 1;
	settle(alone, size);
	if (alone->is_fresh && level <= alone->last)
		alone->is_missing = true;
	memset(alone->kinds + level, 0, ALONE_LEVELS - level);
	alone->kinds[level] = kind_of(type);
	alone->is_fresh = alone->kinds[level] > 0;
	alone->last = level;
}

void alone_listed(struct alone *alone, const char *type, uint64_t size)
{
	uint8_t kind = kind_of(type);

	if (kind == 0 || !types[kind - 1].does_list ||
		!memchr(alone->kinds, kind, ALONE_LEVELS))
		return;
	settle(alone, UINT64_MAX);
	/* It could be read as far as this. */
	alone->is_fresh = false;
	alone->is_listed = size >= LOOKED_AT_LEAST;
	alone->size = size;
}

bool alone_end(struct alone *alone)
{
	settle(alone, UINT64_MAX);
	return alone->is_missing || alone->is_fresh;
}
