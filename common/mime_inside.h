/* SPDX-License-Identifier: ISC
 *
 * What the files of mime.h share. The way is: mime_walk finds the parts by their delimiter
 * lines, mime_gmime reads the values of their Content-* fields and then the whole message once
 * more, mime_doubts looks at the bytes. */
#ifndef COMMON_MIME_INSIDE_H
#define COMMON_MIME_INSIDE_H

#include "common/field.h"
#include "common/mime.h"

enum {
	MIME_BOUNDARY_MAX = 256,  /* RFC 2046 allows 70; longer ones GMime does not see */
	MIME_PARAMETERS_MAX = 64, /* of one field; GMime's time is quadratic in them */
	MIME_COLONS_MAX = 512,    /* of one field; and in the groups of addresses */
	MIME_HEADERS_BYTES_MAX = 2 * 1024 * 1024, /* of all blocks; addresses are slow */
	MIME_LINE_MAX = 998,
	MIME_VALUE_MAX = 8 * 1024, /* of a value that is shown */
};

/* The Content-* fields of one header block as they stand there. */
struct mime_raw {
	unsigned rules; /* of enum mime_rule */
	struct span type, encoding,
		disposition; /* data is NULL if the field is missing */
	bool is_in_digest;   /* a child of multipart/digest */
	bool is_over_limit;  /* too much: nothing of it is to be read */
	unsigned seen;       /* a bit for each kind of field met */
};

/* What they say. */
struct mime_content {
	char type[MIME_TYPE_MAX];
	char name[MIME_NAME_MAX];
	char charset[MIME_CHARSET_MAX];
	bool has_name;
	bool is_attachment;
	bool is_encrypted; /* application/pkcs7-mime that is not only signed */
	bool is_identity;  /* the transfer encoding leaves bytes as they are */
	enum mime_encoding encoding;
	char *boundary; /* owned; NULL if there is none */
	size_t boundary_len;
	unsigned doubts;
};

/* Take in one field: the first of each kind, or by the rules the last, is kept in raw. Returns the
 * doubts about it. */
unsigned mime_head_field(
	struct span message, const struct field *field, struct mime_raw *raw);

/* More parameters than GMime should see? */
bool mime_head_over_parameters(const struct mime_raw *raw);

/* The transfer encoding, and the doubts that only the raw fields tell. */
void mime_head_content(const struct mime_raw *raw, struct mime_content *content);

/* A field's value as the C string GMime wants: unfolded, and a NUL hides nothing behind it. The
 * caller's to g_free. */
char *mime_to_text(struct span value);

/* Text as UTF-8 on one line, cut between two characters. */
void mime_copy_utf8(char *to, size_t size, const char *from);

/* Through GMime. *content_r is the caller's to release with mime_content_done. */
int mime_content_read(
	const struct mime_raw *raw, struct mime_content *content_r, struct err *err);
void mime_content_done(struct mime_content *content);

/* MIME_RULE_JUNK_ENDS: does the header end at this field? *pos moves to the body. */
bool mime_rules_end(struct span message, const struct field *field, size_t *pos);

/* MIME_RULE_ANY: *pos moves behind blank lines. */
void mime_rules_start(struct span message, size_t *pos);

/* The boundary by MIME_RULE_RAW, and what MIME_RULE_ANY makes of a part. */
int mime_rules_content(const struct mime_raw *raw, bool is_root,
	struct mime_content *content, struct err *err);

/* What the content fields make of a part: a leaf, or something that has parts. */
void mime_classify(
	const struct mime_content *content, unsigned rules, struct mime_part *part);

/* GMime parses the whole message: the doubts it has, or that its leaves are not ours. For a
 * message within all limits only. */
void mime_second_reading(struct span message, struct mime *mime);

/* Fill mime->parts, and the doubts met on the way. */
int mime_walk(struct span message, unsigned rules, struct mime *mime, struct err *err);

/* The doubts of the bytes themselves, of what stands before and behind the parts of a
 * multipart, and of the body of a leaf. */
unsigned mime_doubts_bytes(struct span message);
unsigned mime_doubts_outside(struct span between);
int mime_doubts_leaf(struct span message, const struct mime_part *part, unsigned *doubts,
	struct err *err);

/* "begin 644 name"? */
bool mime_is_uu_begin(struct span line);

/* Is this line start a marker of uuencode, yEnc or BinHex? */
bool mime_is_embedded(struct span line);

#endif
