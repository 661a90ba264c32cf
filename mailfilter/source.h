/* SPDX-License-Identifier: ISC
 *
 * Where messages come from: one interface over IMAP, POP3 and Maildirs. Functions block in the stream's
 * wait, which goes on with other work. ERR_SESSION: drop the source, open a new one, go on at the
 * first message that is not done. Everything a server says is untrusted: a message counts only
 * if it was asked for and came whole. */
#ifndef MAILFILTER_SOURCE_H
#define MAILFILTER_SOURCE_H

#include "mailfilter/message.h"
#include "mailfilter/settings.h"
#include "mailfilter/stream.h"

struct source;

/* One message of a listing. */
struct source_item {
	uint64_t size;
	int64_t date_s;  /* INTERNALDATE, 0 if unknown */
	uint32_t number; /* of this session; IMAP: 0 */
	bool again; /* to settle: that may have begun before, in a session that broke */
	char uid[MESSAGE_UID_MAX];
};

/* One folder of a mailbox. */
enum {
	SOURCE_FOLDER_NONE = 1 << 0,  /* only a name: nothing can be in it */
	SOURCE_FOLDER_VIEW = 1 << 1,  /* shows mail that is in other folders */
	SOURCE_FOLDER_TRASH = 1 << 2, /* where deleted mail goes */
	SOURCE_FOLDERS_MAX = 10000,
	SOURCE_MEASURE_MAX = 10000, /* messages in one command */
};
struct source_folder {
	char name[MESSAGE_FOLDER_MAX]; /* UTF-8, untrusted */
	char separator;                /* of levels in names, 0: there are none */
	unsigned marks;
};
struct source_folder_list {
	struct source_folder *items; /* by name; the caller's to free() */
	size_t count;
	size_t odd_count; /* left out, because they have no valid name */
	struct err odd;   /* the last of them */
};

enum source_outcome {
	SOURCE_FETCHED, /* all its bytes went to data */
	SOURCE_ABSENT,  /* vanished between listing and fetch: nothing to do */
	SOURCE_NIL,     /* the server has it but gives no body (NIL, -ERR): park it */
	SOURCE_DISCARD, /* the bytes since the last done were not asked for, or came a second
			 * time: throw them away; uid is "" */
};

/* Where fetched bytes go. Bytes of one message arrive in order, then done says whose they were:
 * IMAP servers may name the message after its body. -1 from either ends the fetch, whose err is
 * then theirs, and the session, which is left in the middle of a message. They may block for as
 * long as they like: the source's clocks stand still meanwhile. */
struct source_sink {
	int (*data)(void *arg, struct span bytes, struct err *err);
	int (*done)(
		void *arg, const char *uid, enum source_outcome outcome, struct err *err);
	void *arg;
};

/* What to wait for. */
struct source_idle {
	const char *folder;
	uint32_t uidvalidity, listed_to; /* as it was listed last: up to this UID */
	int64_t refresh_ms;              /* IDLE is asked for anew after so long */
	struct stream_wait
		wait; /* for news alone; it may say that its deadline has passed */
	bool looked;  /* whether more was there already; false at the beginning */
};

/* What a mailbox and its server can. */
struct source_facts {
	bool uidplus, move;             /* RFC 4315, RFC 6851 */
	bool quota;                     /* there is one for its bytes (RFC 9208): */
	uint64_t quota_used, quota_max; /* of the tightest */
};

struct source_ops {
	/* Ask; changes nothing. NULL for POP3 and Maildirs. */
	int (*facts)(
		struct source *source, struct source_facts *facts_r, struct err *err);
	/* All folders that the mailbox has. NULL for POP3 and Maildirs. */
	int (*folders)(struct source *source, struct source_folder_list *list_r,
		struct err *err);
	/* Make folder the current one. POP3 and a Maildir have one, "", with UIDVALIDITY 0. A folder that is not
	 * there: ERR_ACCOUNT. */
	int (*select)(struct source *source, const char *folder, uint32_t *uidvalidity_r,
		struct err *err);
	/* What is in the current folder, ascending; IMAP: only UIDs above after_uid. The items are
	 * the caller's to free(). The POP3 uid is the UIDL, made unique, that of a
	 * Maildir the file's name without flags; over-long and odd ones are hashed. */
	int (*list)(struct source *source, uint32_t after_uid,
		struct source_item **items_r, size_t *count_r, struct err *err);
	/* As list, but where there may be many only which they are: 1, and 0 if it says all. A server
	 * that does not keep sizes reads each message to tell its own: meanwhile nothing else
	 * comes. NULL: list is quick. */
	int (*names)(struct source *source, uint32_t after_uid,
		struct source_item **items_r, size_t *count_r, struct err *err);
	/* Sizes and dates of these, as they stand in their list, at most SOURCE_MEASURE_MAX of them; of
	 * one that is gone they stay 0. NULL where names is. */
	int (*measure)(struct source *source, struct source_item *items, size_t count,
		struct err *err);
	/* Fetch these, without marking them as read. done is called once for each, in whatever
	 * order, and for each discard; where fetch fails, for some: the rest, and bytes that no
	 * done followed, count as never fetched. Items vary in size; the caller keeps a call
	 * within its window. A body over message_max + STREAM_SLACK ends the session. */
	int (*fetch)(struct source *source, const struct source_item *items, size_t count,
		const struct source_sink *sink, struct err *err);
	/* The heads of these, by heads_r[i] for items[i], without fetching the rest; unknown for one
	 * that vanished or has no content. Only where there is a UIDVALIDITY (else NULL). */
	int (*heads)(struct source *source, const struct source_item *items, size_t count,
		struct head *heads_r, struct err *err);
	/* Do to these what the account's `after` says. A repeat does no harm if the items say that
	 * it is one: where the server has no MOVE, a copy made before a crash is looked for. What
	 * the server refuses for good is ERR_ACCOUNT. */
	int (*settle)(struct source *source, const struct source_item *items,
		size_t count, struct err *err);
	/* Wait until folder changes, which then is the current one, or was changed since it was listed: 1.
	 * 0: the time to refresh has come, or idle->wait says that its deadline has:
	 * call it again, if that is wanted. The server is waiting in either case; the next operation ends
	 * that. It refuses: ERR_ACCOUNT. Only where can_idle says so; both NULL: nowhere. */
	int (*idle)(struct source *source, struct source_idle *idle, struct err *err);
	bool (*can_idle)(const struct source *source);
	/* End the session in order. 0: all that settle did is final (POP3: QUIT was confirmed). */
	int (*finish)(struct source *source, struct err *err);
	void (*close)(struct source *source);
};

struct source {
	const struct source_ops *ops;
	bool settle_at_finish; /* POP3: settled only when finish succeeds */
	size_t settle_max;     /* then with so many a session should end; 0: any number */
	bool leaves_marked; /* IMAP without UIDPLUS: what is deleted is only marked so */
};

/* Connect, secure, log in. Refused login: ERR_AUTH with the server's words. */
int source_open(const struct account_settings *account, const char *password,
	const struct stream_wait *wait, struct source **source_r, struct err *err);

/* The kinds, for source_open. */
int source_imap_open(const struct account_settings *account, const char *password,
	const struct stream_wait *wait, struct source **source_r, struct err *err);
int source_pop3_open(const struct account_settings *account, const char *password,
	const struct stream_wait *wait, struct source **source_r, struct err *err);
int source_maildir_open(const struct account_settings *account,
	const struct stream_wait *wait, struct source **source_r, struct err *err);

#endif
