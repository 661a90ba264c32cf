/* SPDX-License-Identifier: ISC */
#include "scanner/engine_sscanf.h"

#include <stdarg.h>
#include <string.h>

enum {
	DIGITS_MAX = 9 /* of any number that an unsigned holds for sure */
};

/* <stdio.h> has another one for programs of this standard, in which "%a" is a number. */
int old_vsscanf(const char *text, const char *format, va_list args) __asm__("vsscanf");

/* How many digits; 0: not for us. */
static int read_number(const char *text, unsigned *value_r)
{
	unsigned value = 0;
	int digits;

	for (digits = 0; text[digits] >= '0' && text[digits] <= '9'; digits++) {
		if (digits == DIGITS_MAX)
			return 0;
		value = value * 10 + (unsigned)(text[digits] - '0');
	}
	*value_r = value;
	return digits;
}

int engine_sscanf(const char *text, const char *format, ...)
{
	unsigned value;
	va_list args;
	int count = 1;

	va_start(args, format);
	if (strcmp(format, "%u") == 0 && read_number(text, &value) > 0)
		*va_arg(args, unsigned *) = value;
	else
		count = old_vsscanf(text, format, args);
	va_end(args);
	return count;
}
