/* SPDX-License-Identifier: ISC
 *
 * Must this message be scanned? Everything that could carry code is suspicious; inert is only
 * what can be read in one way and holds nothing but text. Pure. In doubt: suspicious. */
#ifndef MAILFILTER_JUDGE_H
#define MAILFILTER_JUDGE_H

#include "common/buf.h"

/* Each bit one reason. */
enum judge_reason {
	JUDGE_ATTACHMENT =
		1 << 0, /* a part with a file name or disposition, or not text */
	JUDGE_HTML = 1 << 1,
	JUDGE_LINK = 1 << 2,    /* a URL, or what mail programs make one: www., mailto: */
	JUDGE_ENCODED = 1 << 3, /* base64, uuencode, yEnc, BinHex */
	JUDGE_TOKEN = 1 << 4,   /* a token over JUDGE_TOKEN_MAX characters */
	JUDGE_BINARY = 1 << 5,  /* NUL, control characters */
	JUDGE_MALFORMED = 1 << 6, /* the parser doubts */
	JUDGE_LARGE =
		1 << 7, /* over JUDGE_BYTES_MAX: reading it costs more than it saves */
	JUDGE_MULTIPART = 1 << 8, /* more than text in one part */
	JUDGE_CHARSET =
		1 << 9, /* a charset in which other bytes than ASCII's mean ASCII */
	JUDGE_ERROR = 1 << 10,   /* could not be read */
	JUDGE_SETTING = 1 << 11, /* scan = all */
};

enum {
	JUDGE_TOKEN_MAX = 60,
	JUDGE_BYTES_MAX = 1024 * 1024
};

/* 0: inert; else the reasons. */
unsigned judge_message(struct span message);

/* "attachment,link" of the bits. Returns text. */
const char *judge_text(unsigned reasons, char *text, size_t size);

/* The name of one bit. */
const char *judge_reason_name(enum judge_reason reason);

#endif
