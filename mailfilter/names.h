/* SPDX-License-Identifier: ISC
 *
 * A few delivery names: those of a batch, and what a crash left. */
#ifndef MAILFILTER_NAMES_H
#define MAILFILTER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "mailfilter/message.h"

struct names {
	char (*items)[MESSAGE_NAME_MAX];
	size_t count, size;
};

/* Releases; a zeroed one is empty. */
void names_done(struct names *names);

bool names_have(const struct names *names, const char *name);

/* One that is there already stays as it is. */
int names_add(struct names *names, const char *name, struct err *err);

/* True: it was there. */
bool names_remove(struct names *names, const char *name);

#endif
