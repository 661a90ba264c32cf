/* SPDX-License-Identifier: ISC
 *
 * What went wrong: a kind, which says what the caller should do, and a sentence for people.
 * The caller owns the struct; it is the last argument. Functions return 0 or -1. The text has
 * a fixed size, so reporting cannot fail; it grows from the inside out ("work: uid 7: ...").
 * Nothing below the function that acts on an error logs it. */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdarg.h>

enum err_kind {
	ERR_NONE,
	ERR_AGAIN,    /* not now: hold the message, try later */
	ERR_MESSAGE,  /* this message cannot be handled: set it aside, go on */
	ERR_SESSION,  /* the connection is lost or out of step: reconnect */
	ERR_ACCOUNT,  /* this account cannot go on until its owner acts */
	ERR_AUTH,     /* the server refused the login */
	ERR_SETTINGS, /* the settings are wrong: file:line says where */
	ERR_FATAL,    /* this process cannot go on: out of memory, a broken store */
};

enum {
	ERR_TEXT_MAX = 512
};

struct err {
	enum err_kind kind;
	char text[ERR_TEXT_MAX];
};

/* Set kind and text, whatever err held before. Always returns -1. err may be NULL. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, with ": " and the words for errno behind the text. */
int err_errno(struct err *err, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "PREFIX: " before the text; the kind stays. Always returns -1. */
int err_wrap(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Out of memory, through the same road. Always returns -1. */
int err_memory(struct err *err);

/* The exit code of sysexits(3) that stands for this kind: 75, 77, 78, or 70 for ERR_FATAL. */
int err_exit_code(enum err_kind kind);

#endif
