/* SPDX-License-Identifier: ISC
 *
 * Numbers as archives write them: little end first. Pure. */
#ifndef SCANNER_LITTLE_H
#define SCANNER_LITTLE_H

#include "common/buf.h"

/* The number of size bytes (at most 8) at a place; what is past the end counts as 0. */
static inline uint64_t little(struct span bytes, size_t at, size_t size)
{
	uint64_t value = 0;

	bytes = span_part(bytes, at, size);
	for (size_t i = 0; i < bytes.len; i++)
		value |= (uint64_t)bytes.data[i] << (8 * i);
	return value;
}

#endif
