/* SPDX-License-Identifier: ISC
 *
 * The body of a POP3 multi-line answer (RFC 1939, 3): takes the doubled dots out and finds the
 * end, CR LF "." CR LF. Only CR LF ends a line: a bare LF before a dot is part of the message,
 * else a message could end itself and speak for the server. All other bytes, NUL too, come out
 * as they are. Pure. */
#ifndef MAILFILTER_POP3_DOTS_H
#define MAILFILTER_POP3_DOTS_H

#include "common/buf.h"

enum pop3_dots_state {
	POP3_DOTS_START, /* of a line */
	POP3_DOTS_TEXT,
	POP3_DOTS_CR,
	POP3_DOTS_DOT, /* "." at the start of a line, not given out yet */
	POP3_DOTS_DOT_CR,
	POP3_DOTS_END,
};

/* A zeroed struct is at the start of a body. */
struct pop3_dots {
	enum pop3_dots_state state;
};

/* The next piece of body: *piece_r stays within bytes (or is a lone CR) and may be empty.
 * Returns how many bytes are used up; call again with the rest until none is left or the state
 * is POP3_DOTS_END. */
size_t pop3_dots_next(struct pop3_dots *dots, struct span bytes, struct span *piece_r);

#endif
