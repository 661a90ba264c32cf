/* SPDX-License-Identifier: ISC
 *
 * Answers to text as a settings file has it. Pure. */
#ifndef MAILFILTER_SETUP_TEXT_H
#define MAILFILTER_SETUP_TEXT_H

#include "common/buf.h"
#include "common/schema.h"

/* What a person said of one account. Texts are "" where nothing was said. */
struct setup_answers {
	const char *name, *protocol, *server, *user;
	const char *password_file;
	const struct schema_list *password_command; /* or NULL */
	const char *tls_ca;
	const char *deliver;
	const struct schema_list *deliver_command; /* with deliver "pipe" */
	const char *recipient;
	const char *after;
};

/* "source" of these. */
int setup_text_source(const char *protocol, const char *user, const char *server,
	struct buf *text, struct err *err);

/* Append an `account` section. */
int setup_text_account(
	const struct setup_answers *answers, struct buf *text, struct err *err);

/* Append "NAME = "value"" with the value in quotes, and a list of one. */
int setup_text_option(
	const char *name, const char *value, struct buf *text, struct err *err);
int setup_text_list(const char *name, const struct schema_list *list, struct buf *text,
	struct err *err);

/* A command line to words: blanks divide, '...' and "..." hold together, a \ takes the next
 * character as it is. No shell: $, * and | are what they are. ERR_SETTINGS says what was
 * expected. The caller frees items and list with setup_text_words_done. */
int setup_text_words(const char *line, struct schema_list *words_r, struct err *err);
void setup_text_words_done(struct schema_list *words);

#endif
