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
	{ "CL_TYPE_CABSFX", true },
	{ "CL_TYPE_MSCHM", true },
	{ "CL_TYPE_ALZ", true },
	{ "CL_TYPE_SIS", false },
	{ "CL_TYPE_DMG", false },
	{ "CL_TYPE_PART_HFSPLUS", false },
	{ "CL_TYPE_MSSZDD", false },
};

static bool is_one(const char *type, bool must_list)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strncmp(type, types[i].type, strlen(types[i].type)) == 0)
			return types[i].does_list || !must_list;
	return false;
}

bool alone_is(const char *type)
{
	return is_one(type, false);
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
	settle(alone, size);
	if (alone->is_open && level <= alone->level)
		alone->is_missing = true;
	alone->is_open = alone_is(type);
	alone->level = level;
}

void alone_listed(struct alone *alone, const char *type, uint64_t size)
{
	if (!is_one(type, true))
		return;
	settle(alone, UINT64_MAX);
	/* It could be read as far as this. */
	alone->is_open = false;
	alone->is_listed = size >= LOOKED_AT_LEAST;
	alone->size = size;
}

bool alone_end(struct alone *alone)
{
	settle(alone, UINT64_MAX);
	return alone->is_missing || alone->is_open;
}
