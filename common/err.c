/* SPDX-License-Identifier: ISC */
#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* Into a copy first: the arguments may point into the text that is replaced. */
__attribute__((format(printf, 2, 0))) static void set_text(
	struct err *err, const char *format, va_list args, const char *tail)
{
	char text[ERR_TEXT_MAX];
	size_t used;

	(void)vsnprintf(text, sizeof(text), format, args);
	if (tail) {
		used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used, ": %s", tail);
	}
	memcpy(err->text, text, sizeof(text));
}

int err_set_text(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list args;

	if (!err)
		return -1;
	err->kind = kind;
	va_start(args, format);
	set_text(err, format, args, NULL);
	va_end(args);
	return -1;
}

int err_errno_text(struct err *err, enum err_kind kind, const char *format, ...)
{
	int saved = errno;
	va_list args;

	if (!err)
		return -1;
	err->kind = kind;
	va_start(args, format);
	set_text(err, format, args, strerror(saved));
	va_end(args);
	errno = saved;
	return -1;
}

int err_wrap_text(struct err *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return -1;
	va_start(args, format);
	set_text(err, format, args, err->text);
	va_end(args);
	return -1;
}

int err_exit_code(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return EX_OK;
	case ERR_AGAIN:
	case ERR_AWAY:
	case ERR_MESSAGE:
	case ERR_SESSION:
	case ERR_ACCOUNT:
		return EX_TEMPFAIL;
	case ERR_AUTH:
		return EX_NOPERM;
	case ERR_SETTINGS:
		return EX_CONFIG;
	case ERR_FATAL:
		return EX_SOFTWARE;
	}
	return EX_SOFTWARE;
}
