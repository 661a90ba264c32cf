/* SPDX-License-Identifier: ISC
 *
 * Can something be written there? Asked before mail is fetched for a place. What is free is an
 * answer for this moment, and a quota shows only in what is written. */
#ifndef MAILFILTER_ROOM_H
#define MAILFILTER_ROOM_H

#include <stdint.h>

#include "common/err.h"

enum {
	ROOM_LEAST = 64 * 1024, /* bytes, with less nothing is begun */
	ROOM_PROBE = 4096       /* so many are written */
};

/* Write a file of this name into the folder, make it durable and remove it. *room_r: how large a
 * message may be. path is the folder's, for the texts. ERR_AGAIN, ERR_ACCOUNT. */
int room_ask(
	int dir, const char *path, const char *name, uint64_t *room_r, struct err *err);

/* The same for a file that is there or will be, without touching it. */
int room_of_file(const char *path, uint64_t *room_r, struct err *err);

#endif
