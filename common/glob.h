/* SPDX-License-Identifier: ISC
 *
 * Patterns as a shell has them: "*" any text, "?" one character, "[a-z]" one of these, "[!a-z]" one
 * of no others; "\" takes the next character as it is. Over UTF-8, without regard to case; what is no
 * UTF-8 is a character a byte. Time grows with pattern times text, no more. Pure. */
#ifndef COMMON_GLOB_H
#define COMMON_GLOB_H

#include <stdbool.h>

#include "common/err.h"

enum {
	GLOB_MAX = 256 /* bytes of a pattern */
};

/* Is it one? ERR_SETTINGS says what was expected. */
int glob_check(const char *pattern, struct err *err);

/* Does it match the whole text? Case of other letters than ASCII's is told by LC_CTYPE. */
bool glob_match(const char *pattern, const char *text);

#endif
