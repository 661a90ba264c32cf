/* SPDX-License-Identifier: ISC
 *
 * One folder on an IMAP server as a place where a message is looked at, put or marked while another
 * session of the same account is in the middle of a fetch: a session of its own, opened when
 * it is needed first, and opened anew where the server has ended it meanwhile. Nothing is ever
 * removed here. All that the server says is untrusted. */
#ifndef MAILFILTER_IMAP_PLACE_H
#define MAILFILTER_IMAP_PLACE_H

#include "mailfilter/message.h"
#include "mailfilter/settings.h"
#include "mailfilter/stream.h"

enum {
	IMAP_PLACE_FLAGS_MAX =
		4096, /* of one message, as text; what is over is left out */
	IMAP_PLACE_DATE_MAX = 40,
	IMAP_PLACE_HEAD_MAX = 2000, /* of a header, where a token is looked for */
};

/* What a message has beside its bytes, as APPEND takes it. */
struct imap_place_facts {
	char flags[IMAP_PLACE_FLAGS_MAX]; /* "\Seen $Label", without \Recent */
	char date[IMAP_PLACE_DATE_MAX];   /* INTERNALDATE, "" if unknown */
};

enum imap_place_result {
	IMAP_PLACE_TAKEN,
	IMAP_PLACE_REFUSED, /* in the server's words; certainly not there */
	IMAP_PLACE_LOST,  /* the connection was, before all was sent: not there either */
	IMAP_PLACE_DOUBT, /* the connection was, then: it may be there */
};

struct imap_place;

/* Connects nowhere yet. account must outlive it. NULL: no memory. */
struct imap_place *imap_place_new(
	const struct account_settings *account, const struct stream_wait *wait);

/* Make this the current folder, with what other programs did there up to now. Another UIDVALIDITY
 * than this is ERR_AGAIN (0: any), as is a folder that is gone; *uidnext_r: no message that comes
 * from now on has a lower UID. Errors of the session are those of source_open. */
int imap_place_enter(struct imap_place *place, const char *folder, uint32_t *uidvalidity,
	uint32_t *uidnext_r, struct err *err);

/* Is there a session? */
bool imap_place_is_open(const struct imap_place *place);

/* All the following work in the current folder; after -1 it has to be entered anew. */

/* 1: it is there; 0: it is not. */
int imap_place_look(struct imap_place *place, const char *uid,
	struct imap_place_facts *facts_r, struct err *err);

/* Put a message there. */
enum imap_place_result imap_place_put(struct imap_place *place, const char *folder,
	const struct imap_place_facts *facts, const struct body *message,
	struct err *err);

/* The message of the lowest UID from this one on whose X-Quarantine-ID or Message-ID has token in it,
 * with all that is known of it but its UIDVALIDITY: 1, else 0.
 * By a fetch and not by SEARCH, which reads an index that may be behind, where there is one. */
int imap_place_find(struct imap_place *place, uint32_t from_uid, const char *token,
	struct placed *placed_r, struct err *err);

/* The same, of a message with these very bytes. */
int imap_place_find_bytes(struct imap_place *place, uint32_t from_uid,
	const struct body *bytes, struct placed *placed_r, struct err *err);

/* Set a keyword. 1: it is there now; 0: the server keeps no such thing, in its words, if any. */
int imap_place_mark(
	struct imap_place *place, const char *uid, const char *keyword, struct err *err);

/* End the session: in order where that is possible at once. */
void imap_place_leave(struct imap_place *place);
void imap_place_free(struct imap_place *place);

#endif
