/* SPDX-License-Identifier: ISC
 *
 * What mail programs may show of a header field: text, addresses, file names, decoded (RFC 2047,
 * RFC 2231) in each of the ways that programs differ in. For who compares them with something: a
 * rule. Pure, bounded, all bytes untrusted. mime_start first. */
#ifndef COMMON_MIME_TEXT_H
#define COMMON_MIME_TEXT_H

#include "common/mime.h"

enum {
	MIME_TEXT_MAX = 8 * 1024 /* bytes of a value that are read */
};

/* One reading, in UTF-8 on one line. odd: only programs that do not know the rule have it, as of
 * an encoded word that is shown as it stands. */
typedef void mime_text_reading(void *arg, const char *text, bool odd);

/* Of a value as a whole. The readings of a value over MIME_TEXT_MAX begin with "", which is odd to
 * nobody: it cannot be read. */
void mime_text_value(struct span value, mime_text_reading *each, void *arg);

/* Of a value that holds addresses: each of these, without names. */
void mime_text_addresses(struct span value, mime_text_reading *each, void *arg);

/* Of the file name of a part, from all its Content-Type and Content-Disposition fields; also
 * without the blanks and dots at its end, which some systems drop. */
void mime_text_file_names(struct span message, const struct mime_part *part,
	mime_text_reading *each, void *arg);

#endif
