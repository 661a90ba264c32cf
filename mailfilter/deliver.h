/* SPDX-License-Identifier: ISC
 *
 * Where messages go. Delivery is in halves, so that a batch shares its syncs and its records:
 *
 *     deliver_write   each: the bytes, somewhere nobody reads yet
 *     deliver_sync    once: they are durable              (then the caller records the intents)
 *     deliver_show    each: the name derives from the record, so showing twice shows once
 *     deliver_shown   once: the names are durable         (then the caller records them done)
 *     deliver_forget  each: what was kept to tell a repeat from a first time
 *
 * A message with `repeat` set may have been shown before a crash; deliver_write finds out and
 * says so, and nothing is shown twice. A failed write or show leaves the rest of the batch valid; a
 * failed sync takes back all that was written since the last: write those anew. A show that failed
 * and certainly left nothing behind clears `repeat`: the message is held like any other. What no
 * other message would fare better with now is ERR_AWAY. */
#ifndef MAILFILTER_DELIVER_H
#define MAILFILTER_DELIVER_H

#include "mailfilter/message.h"
#include "mailfilter/settings.h"

struct deliver;
struct record;
struct stream_wait;

/* In place: a copy that stands in a folder by our own hand. */
struct deliver_placed {
	const char *name; /* of its delivery */
	const char *folder;
	struct placed placed;
};

struct deliver_ops {
	/* Before anything is fetched for this folder of the account's rules ("": the usual place):
	 * would mail be taken there now? Costs little. 1: yes, and of at most *room_r bytes; 0: that
	 * cannot be asked; -1: no. NULL: in place, where nothing has to be taken. */
	int (*ask)(struct deliver *deliver, const char *folder, uint64_t *room_r,
		struct err *err);
	/* 1: it is there already, do not show it; 0: written */
	int (*write)(struct deliver *deliver, struct message *message, struct err *err);
	int (*sync)(struct deliver *deliver, struct err *err);
	int (*show)(struct deliver *deliver, struct message *message, struct err *err);
	int (*shown)(struct deliver *deliver, struct err *err);
	void (*forget)(struct deliver *deliver, const char *name);
	/* Once, before the first write: what a run that died wrote and did not show is removed; each is called for what a run that died showed and did not forget.
	 * Forget those that record_is_delivered knows; the others tell their repeat. */
	int (*leftovers)(struct deliver *deliver,
		int (*each)(void *arg, const char *name, struct err *err), void *arg,
		struct err *err);
	/* In place, else NULL: before folders are listed. Find out what became of what a crash or a
	 * lost connection cut off, and call each for every copy that may not be on record yet, so
	 * that none is taken for a new message. What cannot be found out now is not called for. */
	int (*placed)(struct deliver *deliver,
		int (*each)(
			void *arg, const struct deliver_placed *placed, struct err *err),
		void *arg, struct err *err);
	/* Undo a write that will not be shown. */
	void (*discard)(struct deliver *deliver, struct message *message);
	void (*close)(struct deliver *deliver);
};

/* The common start of every kind's own struct. */
struct deliver {
	const struct deliver_ops *ops;
	size_t batch_max; /* messages between two records, where each takes its time; 0: any */
};

/* What every kind works with; all of it borrowed, valid while the destination is open. */
struct deliver_tools {
	const struct account_settings *account;
	const char *dir; /* of the account's state, for a journal of its own */
	const char *owner;
	const char *spool; /* for bytes that a crash may take */
	struct record *
		record; /* tells in which folders deliveries were begun; NULL: none were */
	bool releases;  /* what is in quarantine goes out, whole and to where it was */
	const struct stream_wait
		*wait; /* how to wait; fd -1 and a time that is past: -1 if
					 * no further message should be begun */
};

/* Open the account's destination. */
int deliver_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err);

void deliver_close(struct deliver *deliver);

/* maildir:PATH. Makes PATH, cur, new and tmp if missing (0700); refuses a PATH that is something
 * else, links in place of the folders, and folders that everybody may write to. Write: tmp/NAME
 * and a second name in tmp; sync; show: renamed to new/NAME; forget: the second name removed. That
 * one alone tells: delivered, wherever a client has moved it, and even if one has deleted it. Only
 * where a client deleted it before its record, and then the power failed, or a day passed until the
 * next run, it comes again: it cannot be told from one that was never shown, and nothing lost comes
 * first (maildir_left.h). Names carry the owner (maildir.h); leftovers removes what it left in tmp and
 * never showed. A message's cleaned copy goes out if it has bytes, else its body. */
int deliver_maildir_open(
	const char *path, const char *owner, struct deliver **deliver_r, struct err *err);

/* mbox:PATH, as mboxrd: each line that begins with any number of '>' and "From " gets one '>' more,
 * nothing else is changed; a "From " line before it, an empty line behind it. Made (0600) if
 * missing. Write: into mbox.batch in dir, which is synced with the mailbox's size before the first
 * byte of the batch (sync takes the mailbox's locks, mbox_lock.h); show: appended; shown: synced,
 * locks gone. After a crash that file tells what is there whole; a torn rest of ours is cut
 * off, if nobody wrote behind it. Where the mailbox was rewritten meanwhile, or replaced, before
 * all of the batch was shown, what cannot be found is delivered again: nothing lost comes first. */
int deliver_mbox_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err);

/* pipe: the account's deliver-command, run for each message with the message as its standard
 * input. Status 0: it has it; else it has not, and the message is held. */
int deliver_pipe_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err);

/* lmtp:PATH, lmtp://HOST, smtp://HOST: a session is opened when the first message is written, and
 * where that fails all are held. An answer 4xx or 5xx, or something that the server does not offer:
 * held. The connection lost before a message's end: held; after it: in doubt, sent again. */
int deliver_smtp_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err);

/* inplace: mail stays in its folder on the server. What goes out as it is, is not touched. What is
 * changed or kept back is replaced: show puts the cleaned copy, or the notice, beside the original,
 * with its flags and date as they are then, and sets placed; where the original has gone
 * meanwhile it does nothing. Settle removes the original later. A tag is a keyword. A put whose
 * answer did not come is looked for by its token, the quarantine id, before it is put again. What is
 * released is put there byte for byte, beside all that is there. */
#define DELIVER_INPLACE_INFECTED    "$MailfilterInfected"
#define DELIVER_INPLACE_UNSCANNABLE "$MailfilterUnscannable"
int deliver_inplace_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err);

/* The account's destination, and beside it one of the same kind for each folder that its rules file
 * mail in: for maildir:PATH the Maildir PATH/.FOLDER (Maildir++), for mbox:PATH the file FOLDER
 * beside it. A message goes to the one of its `folder`. Those in which deliveries were begun are
 * among them even if no rule names them any more, so that a message which may be there is looked for
 * there. Where `deliver` itself was changed between a crash and the next run, nobody looks where it
 * pointed to: what was delivered there and not recorded comes to the new place as well. settings and
 * tools are borrowed while it is open. */
int deliver_folders_open(const struct settings *settings,
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err);

/* A new delivery name, valid in a Maildir: seconds, microseconds, random, owner, host. */
void deliver_new_name(const char *owner, char name[static MESSAGE_NAME_MAX]);

#endif
