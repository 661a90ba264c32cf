/* SPDX-License-Identifier: ISC
 *
 * Must this message be scanned? Everything that could carry code is suspicious; inert is only
 * what can be read in one way and holds nothing but text. Pure. In doubt: suspicious.
 *
 * Inert is one text/plain part without a name, in a charset in which ASCII bytes mean ASCII, not
 * encoded or in well-formed quoted-printable whose decoded text is inert as well. Of the header
 * the Content-* fields count, and links in the Subject, which is shown as text. The tokens and
 * URLs of other fields do not: signatures and List-* fields are full of them, and no mail
 * program runs or decodes them. */
#ifndef MAILFILTER_JUDGE_H
#define MAILFILTER_JUDGE_H

#include "common/buf.h"

/* Each bit one reason. */
enum judge_reason {
	JUDGE_ATTACHMENT =
		1 << 0, /* a part with a file name or disposition, or not text */
	JUDGE_HTML = 1 << 1,
	/* A URL, or what mail programs make one: any scheme://, mailto:, www., a domain with a
	 * path or ending in .com, a UNC path. Not the address of a person. */
	JUDGE_LINK = 1 << 2,
	JUDGE_ENCODED = 1 << 3, /* base64, uuencode, yEnc, BinHex, also undeclared */
	/* A token over JUDGE_TOKEN_MAX bytes; a row of one character (a rule) counts as one. */
	JUDGE_TOKEN = 1 << 4,
	JUDGE_BINARY = 1 << 5,    /* NUL, control characters */
	JUDGE_MALFORMED = 1 << 6, /* the parser doubts */
	JUDGE_LARGE =
		1 << 7, /* over JUDGE_BYTES_MAX: reading it costs more than it saves */
	JUDGE_MULTIPART = 1 << 8, /* more than text in one part */
	JUDGE_CHARSET =
		1 << 9, /* a charset in which other bytes than ASCII's mean ASCII */
	JUDGE_ERROR = 1 << 10,   /* could not be read */
	JUDGE_SETTING = 1 << 11, /* scan = all */
	JUDGE_RULE = 1 << 12,    /* a rule says so; judge itself never does */
};

enum {
	JUDGE_TOKEN_MAX = 60,
	JUDGE_BYTES_MAX = 1024 * 1024
};

/* 0: inert; else the reasons. mime_start first, once a process. */
unsigned judge_message(struct span message);

/* "attachment,link" of the bits. Returns text. */
const char *judge_text(unsigned reasons, char *text, size_t size);

/* The name of one bit. */
const char *judge_reason_name(enum judge_reason reason);

#endif
