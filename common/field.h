/* SPDX-License-Identifier: ISC
 *
 * The lines of a header block, one field after another, as the bytes stand there: nothing is
 * decoded or unfolded. A cursor over borrowed bytes, linear and without limits of its own. Only
 * LF ends a line; readers that see one in a bare CR are the business of the doubts in mime.h. */
#ifndef COMMON_FIELD_H
#define COMMON_FIELD_H

#include "common/buf.h"

enum field_kind {
	FIELD_NAMED, /* a name, a colon, a value */
	FIELD_ODD, /* a line that is neither a field nor the end: junk, an mbox "From " line */
	FIELD_LAST, /* the blank line, or the end of the bytes; *pos is then behind it */
};

struct field {
	enum field_kind kind;
	size_t start,
		end; /* the whole of it with its line ends, offsets into the message */
	struct span name; /* without blanks before the colon */
	struct span
		value; /* behind the colon, folding kept, without blanks at both ends */
	bool blank_colon; /* blanks stand before the colon */
	bool blank_fold; /* a line of blanks alone continues it: the end of the header to some */
};

/* The field at *pos, which moves behind it; start with the offset of the header block. */
enum field_kind field_next(struct span message, size_t *pos, struct field *field_r);

/* Bytes of an mbox "From " line at the start of message, 0 if there is none. */
size_t field_mbox_line(struct span message);

/* The offset behind the line end of the line at pos. */
size_t field_line_end(struct span message, size_t pos);

/* The bytes of the line end (LF or CRLF, 2 at most) that stands right before pos; 0 if none. */
size_t field_eol_before(struct span message, size_t pos);

#endif
