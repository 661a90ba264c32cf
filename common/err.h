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
	ERR_AWAY,     /* the same, and so for all that would go the same way now */
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

/* Set kind and text, whatever err held before. Always -1. err may be NULL.
 *     int err_set(struct err *err, enum err_kind kind, const char *format, ...);
 * This and the next three are macros for one reason: the compiler and the analysers then see
 * that -1 comes back, and follow no path on which a call that failed goes on. */
#define err_set(...) err_failed(err_set_text(__VA_ARGS__))

/* The same, with ": " and the words for errno behind the text; errno stays. */
#define err_errno(...) err_failed(err_errno_text(__VA_ARGS__))

/* Put "PREFIX: " before the text; the kind stays. Always -1.
 *     int err_wrap(struct err *err, const char *format, ...); */
#define err_wrap(...) err_failed(err_wrap_text(__VA_ARGS__))

/* Out of memory, through the same road. Always -1. */
#define err_memory(err) err_set(err, ERR_FATAL, "out of memory")

static inline int err_failed(int minus_one)
{
	(void)minus_one;
	return -1;
}
int err_set_text(struct err *err, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int err_errno_text(struct err *err, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int err_wrap_text(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The exit code of sysexits(3) that stands for this kind: 75, 77, 78, or 70 for ERR_FATAL. */
int err_exit_code(enum err_kind kind);

#endif
