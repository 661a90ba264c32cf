/* SPDX-License-Identifier: ISC
 *
 * What a look at settings, servers and scanners found, a sentence each: what is wrong and what to do
 * about it, or that it is well. Kept in a list, or, in a process that looks for another, sent to it
 * over a pipe as it is: one program, one machine. */
#ifndef MAILFILTER_REMARKS_H
#define MAILFILTER_REMARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/err.h"

enum {
	REMARK_SUBJECT_MAX = 100,
	REMARK_ABOUT_MAX = 24,
	REMARKS_MAX = 100 * 1000,
};

enum remark_kind {
	REMARK_OK,
	REMARK_NOTE,      /* it works, but not as one might think */
	REMARK_UNREACHED, /* 75 */
	REMARK_LOGIN,     /* 77: the login is refused */
	REMARK_SETTINGS,  /* 78 */
	REMARK_STEP,      /* of a process at work: what it does now; never in a list */
};

struct remark {
	enum remark_kind kind;
	char subject[REMARK_SUBJECT_MAX]; /* "account work", "scanner ipc:///..." */
	char about[REMARK_ABOUT_MAX];     /* "login", "deliver", "password" ... */
	char text[ERR_TEXT_MAX];          /* a sentence; may hold bytes from outside */
};

struct remarks {
	struct remark *items;
	size_t count, room;
	int fd;    /* they go there instead; -1: into the list */
	bool lost; /* out of memory, or too many: not all are in the list */
};

#define REMARKS_NONE ((struct remarks){ .fd = -1 })

void remarks_done(struct remarks *remarks);

/* Add one. Cannot fail: what cannot be kept is said by `lost`. */
void remarks_add(struct remarks *remarks, enum remark_kind kind, const char *subject,
	const char *about, const char *format, ...) __attribute__((format(printf, 5, 6)));
void remarks_take(struct remarks *remarks, const struct remark *remark);

/* Is something wrong there already? about NULL: with anything. */
bool remarks_wrong(const struct remarks *remarks, const char *subject, const char *about);

/* How many say that something is wrong, and the exit code that they ask for: 0, 75, 77, 78. */
size_t remarks_count_wrong(const struct remarks *remarks);
int remarks_exit_code(const struct remarks *remarks);

/* A line each, escaped as the log escapes: "ok    account work: ...". With wrong_only the others
 * are left out. */
void remarks_print(const struct remarks *remarks, bool wrong_only, FILE *out);

/* One object a line on stdout: {"results":[...],"exit":75}. */
int remarks_print_json(const struct remarks *remarks, struct err *err);

#endif
