/* SPDX-License-Identifier: ISC
 *
 * What libclamav said since it was last emptied, and whether its temp folder had room whenever we
 * looked. One for the process, because libclamav has one message callback for the process and
 * calls it without a context just where it matters (no temp folder): one scan at a time. */
#ifndef SCANNER_HEARD_H
#define SCANNER_HEARD_H

#include "scanner/result.h"

enum {
	HEARD_TEXT_MAX = 2 * VERDICT_DETAIL_MAX + 4
};

/* Forget all. temp_dir is borrowed until the next call; NULL: there is none to look at. */
void heard_start(const char *temp_dir);

/* A warning or an error. */
void heard_add(bool is_error, const char *text);

/* Look at the temp folder now: what fills it is gone when the scan returns. */
void heard_look(void);

/* Add to a scan's result what this makes of it. */
void heard_add_result(struct result *sum);

/* The first and the last error as one text, or otherwise if there was none; for people. */
const char *heard_text(const char *otherwise, char text[static HEARD_TEXT_MAX]);

#endif
