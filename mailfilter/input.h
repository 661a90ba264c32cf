/* SPDX-License-Identifier: ISC
 *
 * Message files named on the command line, "-" for standard input. */
#ifndef MAILFILTER_INPUT_H
#define MAILFILTER_INPUT_H

#include "common/body.h"

enum {
	INPUT_BYTES_MAX = 1024 * 1024 * 1024
};

/* Where large ones are spooled: $TMPDIR or /tmp. */
const char *input_spool(void);

/* Append the file's bytes to body. ERR_MESSAGE says what is wrong with it, and names it. */
int input_read(const char *file, struct body *body, struct err *err);

#endif
