/* SPDX-License-Identifier: ISC */
#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list args;

	if (!err)
		return -1;
	err->kind = kind;
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -1;
}

int err_errno(struct err *err, enum err_kind kind, const char *format, ...)
{
	int saved = errno;
	va_list args;
	size_t used;

	if (!err)
		return -1;
	err->kind = kind;
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(
		err->text + used, sizeof(err->text) - used, ": %s", strerror(saved));
	errno = saved;
	return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
	char inner[ERR_TEXT_MAX];
	va_list args;
	size_t used;

	if (!err)
		return -1;
	memcpy(inner, err->text, sizeof(inner));
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
	return -1;
}

int err_memory(struct err *err)
{
	return err_set(err, ERR_FATAL, "out of memory");
}

int err_exit_code(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return EX_OK;
	case ERR_AGAIN:
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
