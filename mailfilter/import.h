/* SPDX-License-Identifier: ISC
 *
 * What another program wrote down of the messages it has fetched, as UIDs of one folder. Pure but for
 * the file's content, which is untrusted: lines and counts have a limit, and what is not of the form
 * is ERR_MESSAGE with FILE:LINE; nothing is guessed. */
#ifndef MAILFILTER_IMPORT_H
#define MAILFILTER_IMPORT_H

#include "common/buf.h"

#include "mailfilter/message.h"

enum {
	IMPORT_FILE_MAX = 128 * 1024 * 1024,
	IMPORT_LINE_MAX = 4096,
	IMPORT_UIDS_MAX = 1000 * 1000, /* of all files */
	IMPORT_LOGIN_MAX = 512
};

struct import {
	const char *path;  /* of the file, for messages */
	const char *login; /* USER@HOST: whose list of several is wanted */
	bool imap;
	uint32_t uidvalidity; /* of IMAP, as the files say; 0: not yet */
	struct buf uids;      /* char[MESSAGE_UID_MAX] each, as they are on record */
	uint64_t older;       /* left out: of a UIDVALIDITY that is no more */
	struct span text;     /* what is left of the file */
	size_t line;          /* that was read last */
	bool found;           /* something of login */
	char other[64];       /* whose the first other list is */
};

struct import_kind {
	const char *name;
	bool imap, pop3; /* for accounts of which kind */
	bool logins;     /* holds lists of several logins */
	const char *
		journal; /* behind the file's name: there while it is not whole; NULL: none */
	int (*read)(struct import *import, struct err *err);
};

/* NULL: no kind of this name. */
const struct import_kind *import_kind(const char *name);

void import_init(struct import *import, bool imap, const char *login);
void import_done(struct import *import);

/* Add what this file lists. After -1 only import_done is left. */
int import_read(struct import *import, const struct import_kind *kind, const char *path,
	struct span text, struct err *err);

/* For the kinds. */
int import_getmail(struct import *import, struct err *err);
int import_mbsync(struct import *import, struct err *err);
int import_mpop(struct import *import, struct err *err);
int import_fetchmail(struct import *import, struct err *err);
int import_fdm(struct import *import, struct err *err);

/* The next line without its end. 1: one is there, 0: that was the end. */
int import_line(struct import *import, struct span *line_r, struct err *err);

/* "FILE:LINE: WHAT"; -1. */
int import_refuse(const struct import *import, const char *what, struct err *err);

/* The text before the next such byte, or all of it; the rest is what stands behind. */
struct span import_until(struct span *rest, char byte);

/* Decimal, whole, 0..max. */
bool import_number(struct span text, uint64_t max, uint64_t *number_r);

/* Note a UIDL, or a UID of IMAP. */
int import_uidl(struct import *import, struct span uidl, struct err *err);
int import_uid(struct import *import, uint32_t uid, struct err *err);

/* Is the list of this user and host the one that is wanted? */
bool import_is_wanted(struct import *import, struct span user, struct span host);

#endif
