/* SPDX-License-Identifier: ISC
 *
 * A POP3 session, shared by the files that speak POP3; nobody else includes this. The commands
 * are ours, over libetpan's stream: its own client cuts lines at a NUL, takes any index a server
 * names and keeps whole messages in memory. After any -1 the session is out of step and only
 * pop3_close is left. */
#ifndef MAILFILTER_POP3_H
#define MAILFILTER_POP3_H

#include "common/hash.h"

#include "mailfilter/pop3_dots.h"
#include "mailfilter/source.h"

enum {
	POP3_LINE_MAX = 1024,         /* RFC 2449 says 512 */
	POP3_LINES_MAX = 1000 * 1000, /* of a listing, so messages too */
	POP3_COMMAND_MAX = 16 * 1024, /* an access token may be long */
	POP3_MECHANISMS_MAX = 200,
	POP3_WINDOW_COUNT = 50,              /* commands under way at once */
	POP3_WINDOW_BYTES = 4 * 1024 * 1024, /* of messages asked for */
	POP3_QUIT_MS = 3000,                 /* where nothing hangs on it */
	POP3_DELETIONS =
		500, /* then QUIT makes them final: a line that breaks later costs none */
};

struct pop3 {
	struct source source;
	const struct account_settings *account;
	struct stream *stream;
	const uint8_t *at; /* what is left of the stream's buffer */
	size_t left;
	bool broken;
	bool deleting; /* a DELE was sent, so QUIT must be confirmed */
	bool pipelining, stls, login_delay;   /* what the server offers */
	char mechanisms[POP3_MECHANISMS_MAX]; /* of SASL, " PLAIN XOAUTH2": untrusted */
	char line[POP3_LINE_MAX]; /* the last one read, without its end: untrusted */
};

/* Commands wait in the stream's buffer until pop3_flush, so that many go at once. */
int pop3_send(struct pop3 *pop3, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int pop3_flush(struct pop3 *pop3, struct err *err);

/* At least one byte in pop3->at and pop3->left. */
int pop3_fill(struct pop3 *pop3, struct err *err);

/* The next line into pop3->line. */
int pop3_line(struct pop3 *pop3, struct err *err);

/* The next status line, whose time begins now. 1: +OK, 0: -ERR; pop3_words says more. */
int pop3_answer(struct pop3 *pop3, struct err *err);

/* One command and its status line. */
int pop3_command(struct pop3 *pop3, struct err *err, const char *command);

/* A line of a multi-line answer, its dot undone. 1: one is there, 0: that was the end. */
int pop3_list_line(struct pop3 *pop3, struct err *err);

/* A message or header on its way, behind +OK up to the line with a dot; zeroed at its start. */
struct pop3_body {
	struct pop3_dots dots;
	uint64_t size; /* so far */
};

/* The next piece, its dots undone, which may be empty. 1: one is there, valid until the next call; 0: that
 * was the end. More than message-max: ERR_SESSION. */
int pop3_body_next(
	struct pop3 *pop3, struct pop3_body *body, struct span *piece_r, struct err *err);

/* What the server said behind +OK or -ERR. Untrusted. */
const char *pop3_words(const struct pop3 *pop3);

/* Is this -ERR one that passes ([IN-USE], [LOGIN-DELAY], [SYS/TEMP], RFC 2449 and 3206)? */
bool pop3_temporary(const struct pop3 *pop3);

int pop3_ask_capabilities(struct pop3 *pop3, struct err *err);

/* Frees all, without a word to the server. */
void pop3_close(struct pop3 *pop3);

/* Hashes of the headers of these messages, without the fields that servers change; of one that
 * cannot be read, what hashes_r held. 1: done, 0: the server has no TOP (pop3_words says more). */
int pop3_tops(struct pop3 *pop3, const uint32_t *numbers, size_t count,
	struct hash *hashes_r, struct err *err);

/* Log in on a session that was greeted and secured, with the account's password or token. */
int pop3_login(struct pop3 *pop3, const char *secret, struct err *err);

/* The operations of source.h. */
int pop3_list(struct source *source, uint32_t after_uid, struct source_item **items_r,
	size_t *count_r, struct err *err);
int pop3_fetch(struct source *source, const struct source_item *items, size_t count,
	const struct source_sink *sink, struct err *err);

#endif
