/* SPDX-License-Identifier: ISC */
#include "mailfilter/pop3_dots.h"

#include <string.h>

/* Within a line: up to and with the next LF. */
static size_t text(struct pop3_dots *dots, struct span bytes)
{
	const uint8_t *lf = memchr(bytes.data, '\n', bytes.len);
	size_t len = lf ? (size_t)(lf - bytes.data) + 1 : bytes.len;

	if (!lf)
		dots->state = bytes.data[len - 1] == '\r' ? POP3_DOTS_CR : POP3_DOTS_TEXT;
	else if (len > 1 ? lf[-1] == '\r' : dots->state == POP3_DOTS_CR)
		dots->state = POP3_DOTS_START;
	else
		dots->state = POP3_DOTS_TEXT;
	return len;
}

/* As many whole lines as there are before one that starts with a dot. */
static size_t lines(struct pop3_dots *dots, struct span bytes)
{
	size_t len = 0;

	while (len < bytes.len) {
		if (dots->state == POP3_DOTS_START && bytes.data[len] == '.')
			break;
		len += text(dots, span_part(bytes, len, bytes.len));
	}
	return len;
}

size_t pop3_dots_next(struct pop3_dots *dots, struct span bytes, struct span *piece_r)
{
	static const uint8_t cr = '\r';
	size_t len;

	*piece_r = (struct span){ 0 };
	if (bytes.len == 0)
		return 0;
	switch (dots->state) {
	case POP3_DOTS_START:
		if (bytes.data[0] == '.') {
			dots->state = POP3_DOTS_DOT;
			return 1;
		}
		break;
	case POP3_DOTS_DOT:
		/* Either the end or a doubled dot, of which this byte may be the second. */
		dots->state = bytes.data[0] == '\r' ? POP3_DOTS_DOT_CR : POP3_DOTS_TEXT;
		if (dots->state == POP3_DOTS_DOT_CR)
			return 1;
		break;
	case POP3_DOTS_DOT_CR:
		if (bytes.data[0] == '\n') {
			dots->state = POP3_DOTS_END;
			return 1;
		}
		/* It was no end: the CR belongs to the message. */
		dots->state = POP3_DOTS_CR;
		*piece_r = (struct span){ &cr, 1 };
		return 0;
	case POP3_DOTS_TEXT:
	case POP3_DOTS_CR:
		break;
	case POP3_DOTS_END:
		return 0;
	}
	len = lines(dots, bytes);
	*piece_r = span_part(bytes, 0, len);
	return len;
}
