/* SPDX-License-Identifier: ISC
 *
 * Questions to a person at a terminal, or to a script that answers a line each. What is secret is
 * typed without echo and never printed. Signals come over stop.h's descriptor, so that the terminal
 * is always left as it was found. One question at a time. */
#ifndef MAILFILTER_ASK_H
#define MAILFILTER_ASK_H

#include <stdbool.h>
#include <stddef.h>

enum {
	ASK_ANSWER_MAX = 1024, /* bytes, with the NUL */
	ASK_BUFFER = 4096
};

enum ask_result {
	ASK_OK,
	ASK_END, /* no more answers */
	ASK_STOP /* told to stop by a signal */
};

struct ask {
	int in;
	int stop_fd;            /* -1: none */
	bool terminal;          /* in is one */
	char ahead[ASK_BUFFER]; /* read and not yet answered with */
	size_t ahead_len;
};

/* in stays the caller's. */
void ask_init(struct ask *ask, int in, int stop_fd);

/* Forget what was read ahead: it may hold a secret. */
void ask_done(struct ask *ask);

/* By a signal that came since? Its end is ASK_STOP. */
bool ask_told_to_stop(const struct ask *ask);

/* Print "QUESTION [preset]: " and read a line; an empty one means preset, which may be "" for none.
 * What cannot be an answer (too long, not UTF-8, control characters) is asked for again. */
enum ask_result ask_line(struct ask *ask, const char *question, const char *preset,
	char answer[static ASK_ANSWER_MAX]);

/* The same without echo and preset; may be empty. The caller wipes it. */
enum ask_result ask_secret(
	struct ask *ask, const char *question, char answer[static ASK_ANSWER_MAX]);

#endif
