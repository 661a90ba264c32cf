/* SPDX-License-Identifier: ISC
 *
 * How a message is told again when its server numbers the folder anew: by the SHA-256 of its
 * first HEAD_BYTES bytes, or all of it if it is shorter, beside its size. A server gives these
 * bytes without the rest, and they do not depend on where it thinks that a header ends. Pure. */
#ifndef MAILFILTER_HEAD_H
#define MAILFILTER_HEAD_H

#include "common/hash.h"

enum {
	HEAD_BYTES = 8192 /* trace fields, Date and Message-ID stand in there */
};

struct head {
	bool known;
	struct hash hash;
};

/* Bytes go in as they come; what is behind the first HEAD_BYTES counts nothing. */
struct head_reader {
	struct hasher hasher;
	size_t taken;
};
int head_init(struct head_reader *reader, struct err *err);
int head_add(struct head_reader *reader, struct span bytes, struct err *err);

/* The result, known if there was a byte; and starts anew. */
struct head head_result(struct head_reader *reader);
void head_done(struct head_reader *reader);

bool head_equal(const struct head *left, const struct head *right);

#endif
