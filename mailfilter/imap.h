/* SPDX-License-Identifier: ISC
 *
 * An IMAP session over libetpan, shared by the files that speak IMAP; nobody else includes
 * this. libetpan sends tags and parses answers, the commands are written here. After any -1
 * of imap_command the session is out of step and only imap_close is left. */
#ifndef MAILFILTER_IMAP_H
#define MAILFILTER_IMAP_H

#include <libetpan/mailimap.h>

#include "common/hash.h"

#include "mailfilter/source.h"

enum {
	IMAP_COMMAND_MAX = 16 * 1024,
	IMAP_LOGOUT_MS = 3000,
	IMAP_PIECE = 64 * 1024,
	IMAP_ITEMS_MAX = 1000 * 1000,     /* of one folder */
	IMAP_LISTS_MAX = 2 * 1024 * 1024, /* of the folders' listing */
};

struct imap {
	struct source source;
	const struct account_settings *account;
	struct stream *stream;
	mailimap *etpan;
	uint32_t uidvalidity;            /* of the current folder, 0: none */
	char folder[MESSAGE_FOLDER_MAX]; /* its name */
	bool writable;                   /* it is opened for changes */
	bool bad;                        /* the last answer was BAD */
	char trash[MESSAGE_FOLDER_MAX];  /* of the trash, once it was looked for */
	bool broken;
	bool idles;            /* IDLE is under way: the next command ends it first */
	uint64_t news_seen;    /* of stream_news */
	int64_t idle_until_ms; /* then it is asked for anew */
};

/* What becomes of FETCH responses: a body's bytes as they come (false ends the session), then the
 * response they stood in. Without a handler, and where a member is NULL, they are dropped. */
struct imap_handler {
	void (*message)(struct mailimap_msg_att *message, void *arg);
	bool (*body)(int type, struct mailimap_msg_att_body_section *section,
		const char *bytes, size_t len, void *arg);
	void *arg;
};
void imap_handle(struct imap *imap, const struct imap_handler *handler);

/* One command, without tag and line end, and its whole answer. 1: OK, 0: NO (imap_words and
 * imap_code say why). BAD, BYE, a changed UIDVALIDITY, anything unreadable: ERR_SESSION. */
int imap_command(struct imap *imap, struct span command, struct err *err);
int imap_printf(struct imap *imap, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For commands in pieces: the tag is sent and the time begins; send text; wait for one line; read
 * the answer that begins with that line, as imap_command does. A literal's bytes go out as they
 * are, and the time begins anew with each IMAP_PIECE of them. */
int imap_begin(struct imap *imap, struct err *err);
int imap_send(struct imap *imap, struct span text, struct err *err);
int imap_send_literal(struct imap *imap, struct span bytes, struct err *err);
const char *imap_line(struct imap *imap, struct err *err);
int imap_answer(struct imap *imap, struct err *err);

/* What the server said last, for people; its response code ("" if none). Untrusted. */
const char *imap_words(const struct imap *imap);
const char *imap_code(const struct imap *imap);

/* Is that code one that passes (RFC 5530)? */
bool imap_temporary(const struct imap *imap);

/* Does the server offer this (MOVE, AUTH=PLAIN)? */
bool imap_offers(const struct imap *imap, const char *capability);

/* What was offered before holds no more. */
void imap_forget_capabilities(struct imap *imap);

/* Ask what is offered, if the server has not said so by itself: many do with the greeting and the
 * login, and to ask is a round trip. */
int imap_need_capabilities(struct imap *imap, struct err *err);

/* Frees all, without a word to the server. */
void imap_close(struct imap *imap);

/* Log in on a session that was greeted and secured, with the account's password or token. */
int imap_login(struct imap *imap, const char *secret, struct err *err);

/* Make a folder the current one with SELECT or EXAMINE. What the server refuses is ERR_ACCOUNT, if
 * that is not said to pass. */
int imap_open_folder(struct imap *imap, const char *verb, const char *folder,
	uint32_t *uidvalidity_r, struct err *err);

/* Which of these messages of the current folder stand in that one as well? They are told by size and
 * head. The current folder stays that. */
int imap_find_copies(struct imap *imap, const char *folder,
	const struct source_item *items, size_t count, bool *copied_r, struct err *err);

/* As the fetch of source.h, of this of each message: a whole body or its beginning. */
int imap_fetch_what(struct imap *imap, const char *what, const struct source_item *items,
	size_t count, const struct source_sink *sink, struct err *err);

/* Where nothing is to be changed a folder is opened for reading alone: open it for changes. */
int imap_write(struct imap *imap, struct err *err);

/* Open the current folder again as it is open. Where it is gone, or another one of that name:
 * ERR_SESSION, for the next session to find out what is there. */
int imap_reopen(struct imap *imap, struct err *err);

/* The first message of the current folder behind after_uid that has these bytes: 1, else 0. */
int imap_find_bytes(struct imap *imap, uint32_t after_uid, uint64_t size,
	const struct hash *hash, uint32_t *uid_r, struct err *err);

/* The operations of source.h. */
int imap_facts(struct source *source, struct source_facts *facts_r, struct err *err);
int imap_folders(
	struct source *source, struct source_folder_list *list_r, struct err *err);
int imap_list(struct source *source, uint32_t after_uid, struct source_item **items_r,
	size_t *count_r, struct err *err);
int imap_names(struct source *source, uint32_t after_uid, struct source_item **items_r,
	size_t *count_r, struct err *err);
int imap_measure(
	struct source *source, struct source_item *items, size_t count, struct err *err);
int imap_fetch(struct source *source, const struct source_item *items, size_t count,
	const struct source_sink *sink, struct err *err);
int imap_heads(struct source *source, const struct source_item *items, size_t count,
	struct head *heads_r, struct err *err);
int imap_settle(struct source *source, const struct source_item *items, size_t count,
	struct err *err);

bool imap_can_idle(const struct source *source);
int imap_idle(struct source *source, struct source_idle *idle, struct err *err);

/* End an IDLE, if one is under way. */
int imap_idle_end(struct imap *imap, struct err *err);

#endif
