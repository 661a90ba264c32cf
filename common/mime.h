/* SPDX-License-Identifier: ISC
 *
 * The parts of a message (RFC 5322, RFC 2045-2049, 2231): byte ranges into the original,
 * decoded bytes, names, and doubts: what makes another program read it differently. Pure; the
 * only user of GMime. All bytes are untrusted. Limits are checked before GMime sees them, nothing
 * recurses with the depth of a mail, and time grows with its size alone. */
#ifndef COMMON_MIME_H
#define COMMON_MIME_H

#include "common/buf.h"

enum {
	MIME_HEADER_BYTES_MAX = 256 * 1024, /* one header block */
	MIME_HEADER_FIELDS_MAX = 1000,
	MIME_FIELD_BYTES_MAX = 64 * 1024,
	MIME_DEPTH_MAX = 100,
	MIME_PARTS_MAX = 10000,
	MIME_PATH_MAX = 64,
	MIME_NAME_MAX = 256,
	MIME_TYPE_MAX = 128,
	MIME_CHARSET_MAX = 32,
};

/* Each bit one way in which readers differ, or a limit. */
enum mime_doubt {
	/* A header block, a field, its parameters or a boundary over its limit. */
	MIME_DOUBT_HEADER_LIMIT = 1 << 0,
	/* Nested deeper than MIME_DEPTH_MAX: not all parts listed. */
	MIME_DOUBT_DEPTH = 1 << 1,
	/* More than MIME_PARTS_MAX: not all parts listed. */
	MIME_DOUBT_PARTS = 1 << 2,
	/* A parser warned, or two saw other parts: boundary, terminator, bad header line ... */
	MIME_DOUBT_PARSER = 1 << 3,
	/* Two Content-* fields of one kind, two parameters of one name, two file names. */
	MIME_DOUBT_DUPLICATE = 1 << 4,
	/* An unknown or oddly written transfer encoding, or base64 on a composite type. */
	MIME_DOUBT_ENCODING = 1 << 5,
	/* Padding inside, junk characters: decoders stop or go on. */
	MIME_DOUBT_BASE64 = 1 << 6,
	/* NUL or other control bytes, 8 bit in a header. */
	MIME_DOUBT_BINARY = 1 << 7,
	/* Bare CR, mixed line ends, lines over 998 bytes. */
	MIME_DOUBT_LINES = 1 << 8,
	/* Something before or behind all parts of a multipart that looks like a part. */
	MIME_DOUBT_EPILOGUE = 1 << 9,
	/* message/partial or message/external-body. */
	MIME_DOUBT_PARTIAL = 1 << 10,
	/* multipart/encrypted, application/pkcs7-mime (enveloped), a PGP message in a text. */
	MIME_DOUBT_ENCRYPTED = 1 << 11,
	/* uuencode, yEnc or BinHex inside a text part. */
	MIME_DOUBT_EMBEDDED = 1 << 12,
};

/* Each bit a way in which other mail programs read the same bytes, for mime_parse_as. */
enum mime_rule {
	/* Of two fields of one kind the last counts, not the first. */
	MIME_RULE_LAST = 1 << 0,
	/* A line that is no field, or of blanks alone, ends a header. */
	MIME_RULE_JUNK_ENDS = 1 << 1,
	/* A line that only starts with the boundary is a delimiter line. */
	MIME_RULE_PREFIX = 1 << 2,
	/* No delimiter line is the last one. */
	MIME_RULE_GOES_ON = 1 << 3,
	/* The boundary as it stands there: no comment, escape or RFC 2231; the first of two, with
	 * LAST the last. */
	MIME_RULE_RAW = 1 << 4,
	/* The transfer encoding of a multipart or a message is ignored. */
	MIME_RULE_FOLLOW = 1 << 5,
	/* Whatever the header says, each line that starts with "--" is a delimiter line, and blank
	 * lines before a header are skipped. */
	MIME_RULE_ANY = 1 << 6,
};

enum mime_encoding {
	MIME_IDENTITY,
	MIME_BASE64,
	MIME_QUOTED_PRINTABLE,
	MIME_UUENCODE
};

/* Offsets are into the message: header_start <= body_start <= end <= size. The body runs from
 * body_start to end, without the line end that belongs to the next delimiter line. */
struct mime_part {
	/* As IMAP's section numbers: "1", "1.2"; the root is "". The multipart that is the body of
	 * message part 2 is "2.TEXT", its parts are "2.1", "2.2"; a leaf there is "2.1". A path too
	 * long for this is "#" and the index of the part. No two are the same. */
	char path[MIME_PATH_MAX];
	ptrdiff_t parent; /* index of the enclosing part, -1 for the root */
	uint32_t depth;   /* 0 for the root */
	size_t header_start, body_start, end;
	char type[MIME_TYPE_MAX]; /* lower case, "text/plain" where none is given */
	char name
		[MIME_NAME_MAX]; /* file name decoded to UTF-8, "" if none; never a path to use */
	char charset[MIME_CHARSET_MAX]; /* lower case, "" if none */
	bool has_name;      /* filename= or name= is there, even if empty or odd */
	bool is_attachment; /* Content-Disposition is there and not inline */
	/* multipart/... or message/rfc822: has parts, no bytes of its own. One that cannot be
	 * followed (no boundary, an encoded message, too deep) is a leaf, so that its bytes are
	 * looked at; the doubts say so. */
	bool is_composite;
	bool is_multipart;
	enum mime_encoding encoding;
	/* Of a multipart: what stands before its first delimiter line is body_start to
	 * preamble_end, what stands behind its closing one epilogue_start to end. */
	size_t preamble_end, epilogue_start;
	unsigned doubts; /* about this part's own header and encoding */
};

struct mime {
	struct mime_part
		*parts; /* parents before children, in the order of the message */
	size_t count;
	unsigned doubts; /* of enum mime_doubt */
	const char *eol; /* "\r\n" or "\n": that of the first header line */
};

/* Once a process, before anything else here. */
void mime_start(void);

/* Parse. Does not fail on odd mail, it doubts; fails with ERR_FATAL without memory (where GMime
 * is the one that lacks it, GLib ends the process). The span
 * must outlive the use of offsets only, nothing in *mime_r points into it. */
int mime_parse(struct span message, struct mime **mime_r, struct err *err);
void mime_free(struct mime *mime);

/* The parts as a reader of other habits finds them: rules of enum mime_rule, 0 for those of
 * mime_parse. In one pass, the doubts are those of the structure alone. */
int mime_parse_as(
	struct span message, unsigned rules, struct mime **mime_r, struct err *err);

/* The decoded bytes of a leaf, leniently (goes on after padding and junk), added to out, which
 * never gets more than the leaf's own size. Set part->encoding in a copy to decode what is not
 * declared: as MIME_UUENCODE every block from a "begin" line on is decoded. */
int mime_decode(struct span message, const struct mime_part *part, struct buf *out,
	struct err *err);

/* How the lenient and the strict decode otherwise than mime_decode; bits for mime_decode_as. */
enum mime_habit {
	/* base64: the first padding is the end. */
	MIME_HABIT_STOP = 1 << 0,
	/* base64: "=" is skipped like junk. */
	MIME_HABIT_SKIP_PADDING = 1 << 1,
	/* base64: a line with junk in it is skipped. Quoted-printable: "=" that starts nothing is
	 * dropped, blanks at the end of a line too. */
	MIME_HABIT_STRICT = 1 << 2,
	/* base64: the characters of URLs, "-" and "_", count. */
	MIME_HABIT_URL = 1 << 3,
};

/* Bytes that are read as if they were in this encoding. */
int mime_decode_as(struct span body, enum mime_encoding encoding, unsigned habits,
	struct buf *out, struct err *err);

/* 0..63, or -1 if it is none of base64's alphabet. */
int mime_base64_digit(uint8_t c);

/* So many bytes at the start are of base64's alphabet. */
size_t mime_base64_run(struct span in);

/* The first field of this name in a header block that starts at header_start: its value with
 * folding kept, or {NULL, 0}. */
struct span mime_field(struct span message, size_t header_start, const char *name);

/* The value of a root field decoded (RFC 2047) to UTF-8 on one line, for notices and lists;
 * cut to size. Empty if not there. */
void mime_field_text(struct span message, const char *name, char *text, size_t size);

/* "encoding", "binary", ... of one doubt bit, for logs. */
const char *mime_doubt_name(enum mime_doubt doubt);

#endif
