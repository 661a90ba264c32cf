/* SPDX-License-Identifier: ISC
 *
 * What may reach the IMAP parser. libetpan's parser recurses as deep as the server likes,
 * allocates what a literal announces (in 32 bits), gives up on a response it does not know and
 * follows null pointers on some status codes; so every byte passes here first. The gate
 * follows lines, quotes, parentheses and literals; lets through the greeting, tagged answers,
 * continuations, FETCH, EXISTS, CAPABILITY, UIDVALIDITY and UIDNEXT; drops every other untagged
 * response, but for LIST or QUOTA where those are asked for: they go to a buffer of the asker's and
 * not to the parser; ends the session at BYE and at anything over a limit. Pure: bytes in, bytes out. */
#ifndef MAILFILTER_IMAP_GATE_H
#define MAILFILTER_IMAP_GATE_H

#include "common/buf.h"

enum {
	IMAP_GATE_LINE_MAX = 64 * 1024,          /* of one response, bodies aside */
	IMAP_GATE_ANSWER_MAX = 32 * 1024 * 1024, /* of one command's, bodies aside */
	IMAP_GATE_PLAIN_MAX =
		256 * 1024,       /* of that, what is not FETCH: the parser keeps it,
					   * in many times its size */
	IMAP_GATE_DEPTH_MAX = 32, /* of parentheses */
	IMAP_GATE_HEAD_MAX = 48,  /* enough to tell what a line is */
	IMAP_GATE_BYE_MAX = 200,
};

struct imap_gate {
	uint64_t body_max;     /* a literal after BODY[] may be so long */
	uint64_t literal_left; /* bytes of the present literal still to come */
	size_t line_bytes, answer_bytes, plain_bytes;
	int line, brace; /* states of imap_gate.c */
	bool greeted, quoted, escaped, code, in_word;
	unsigned depth;
	size_t words;      /* begun on the present line */
	size_t body_match; /* how much of "BODY[] " stands before the next byte */
	bool body_literal;
	uint64_t number;
	unsigned digits;
	char head[IMAP_GATE_HEAD_MAX];
	size_t head_len;
	char bye[IMAP_GATE_BYE_MAX + 1]; /* the server's last words */
	size_t bye_len;
	bool ended;            /* it said BYE */
	bool tagged;           /* the present line is */
	bool idle, idles;      /* asked for IDLE; its "+" has come */
	uint64_t since_tagged; /* bytes after the last line that was */
	uint64_t news;         /* responses that say that the folder changed */
	const char *listed;    /* which responses, such as LIST, */
	struct buf *lists;     /* go here; NULL: they are dropped */
};

void imap_gate_init(struct imap_gate *gate, uint64_t body_max);

/* From now on such responses (LIST, QUOTA) are added to lists, as they come and up to its maximum
 * (more is refused); NULL: they are dropped again. */
void imap_gate_take_lists(
	struct imap_gate *gate, const char *response, struct buf *lists);

/* From now on, or no more, an IDLE is under way: of untagged responses none comes through, nor does
 * a second "+". What begins with EXISTS, EXPUNGE or VANISHED is news at any time. */
void imap_gate_set_idle(struct imap_gate *gate, bool idle);

/* A new command: its answer may have its size again. */
void imap_gate_begin(struct imap_gate *gate);

/* Pass bytes on to out, which has room for bytes.len + IMAP_GATE_HEAD_MAX; *len_r is what came
 * through, also on failure. After BYE (gate->ended) the rest is dropped. Over a limit:
 * ERR_SESSION, and no more may be passed. */
int imap_gate_pass(struct imap_gate *gate, struct span bytes, uint8_t *out, size_t *len_r,
	struct err *err);

/* Has nothing come, dropped or not, since the last tagged answer? */
bool imap_gate_is_quiet(const struct imap_gate *gate);

/* How many bytes would pass unseen now, being inside a body; the reader may move up to so many
 * on by itself, and then tells. */
uint64_t imap_gate_open(const struct imap_gate *gate);
void imap_gate_moved(struct imap_gate *gate, size_t len);

#endif
