/* SPDX-License-Identifier: ISC */
#include "mailfilter/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_SIZE = 64
};

void names_done(struct names *names)
{
	free(names->items);
	*names = (struct names){ 0 };
}

static size_t find(const struct names *names, const char *name)
{
	size_t i = 0;

	while (i < names->count && strcmp(names->items[i], name) != 0)
		i++;
	return i;
}

bool names_have(const struct names *names, const char *name)
{
	return find(names, name) < names->count;
}

int names_add(struct names *names, const char *name, struct err *err)
{
	if (names_have(names, name))
		return 0;
	if (names->count == names->size) {
		const size_t size = names->size > 0 ? names->size * 2 : FIRST_SIZE;
		char(*items)[MESSAGE_NAME_MAX] =
			reallocarray(names->items, size, sizeof(*items));

		if (!items)
			return err_memory(err);
		names->items = items;
		names->size = size;
	}
	(void)snprintf(names->items[names->count++], MESSAGE_NAME_MAX, "%s", name);
	return 0;
}

bool names_remove(struct names *names, const char *name)
{
	const size_t at = find(names, name);

	if (at == names->count)
		return false;
	names->count--;
	memmove(names->items[at], names->items[at + 1],
		(names->count - at) * sizeof(*names->items));
	return true;
}
