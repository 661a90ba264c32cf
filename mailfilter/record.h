/* SPDX-License-Identifier: ISC
 *
 * What is known of each message of one account, durably: idempotent operations on one message,
 * the only user of sqlite3.h (state.db in the account's folder; WAL, synchronous=FULL). Open it
 * after the fork. Writes between record_begin and record_commit become durable together; one
 * that fails dooms them all, and a failed commit means that none of them is there. Disk full, an
 * I/O error or another process in the way is ERR_AGAIN; a database that is damaged, not ours or
 * from a newer version ERR_ACCOUNT. Text from outside may be any bytes but NUL. */
#ifndef MAILFILTER_RECORD_H
#define MAILFILTER_RECORD_H

#include "mailfilter/message.h"

struct record;

/* What is recorded of one message. */
enum record_state {
	RECORD_HELD = 1, /* on the server, again later; reason says why */
	RECORD_PARKED,   /* on the server, not again; reason says why */
	RECORD_INTENT,   /* about to be delivered under name */
	RECORD_DONE, /* delivered (or quarantined) and recorded; the server not yet touched */
	RECORD_SETTLED, /* and the server did as told */
	RECORD_PASSED,  /* there before the account was, or imported; left alone */
};

struct record_row {
	struct message_key key;
	enum record_state state;
	enum action action;
	char name[MESSAGE_NAME_MAX];
	char quarantine_id[QUARANTINE_ID_MAX]; /* "" if none */
	char verdict[64]; /* "infected", "unscannable (limit)", "" if not scanned */
	char reason[MESSAGE_REASON_MAX];
	char judged[MESSAGE_REASON_MAX];
	char rule[MESSAGE_RULE_MAX]; /* that decided, "" if none did */
	enum waits waits; /* of RECORD_HELD; of RECORD_INTENT, once a try failed */
	char target
		[MESSAGE_TARGET_MAX]; /* the folder it is filed in, "" for the usual place */
	bool target_known;            /* false: recorded by a version that did not say */
	uint64_t size;
	uint64_t
		listed_size; /* as the server said; with head, it tells the message again */
	struct head head;    /* of what was fetched, as far as it was */
	uint32_t attempts;   /* fetches begun and not ended; holds so far */
	int64_t time_s;      /* of the last change */
	int64_t since_s;     /* of the first; 0: before this was kept */
	uint64_t
		signatures; /* which gave the verdict, by record_signatures; 0: unknown */
};

/* Tells one set of signatures from another as well as its digest does, among the few that are. */
uint64_t record_signatures(const struct hash *digest);

/* Open or make dir (0700) and state.db in it (0600). read_only: for status, while a worker runs;
 * makes nothing, and one that is not there yet reads as empty. */
int record_open(
	const char *dir, bool read_only, struct record **record_r, struct err *err);
void record_close(struct record *record);

/* After a failed record_put a transaction can only be rolled back; commit does it and fails. */
int record_begin(struct record *record, struct err *err);
int record_commit(struct record *record, struct err *err);
void record_rollback(struct record *record);

/* Reads between these two see the record as it was at the first, and take no lock each. Nothing may
 * be written or waited for meanwhile. */
int record_begin_reading(struct record *record, struct err *err);
void record_end_reading(struct record *record);

/* 1: found, 0: unknown. */
int record_find_state(struct record *record, const struct message_key *key,
	enum record_state *state_r, struct err *err);
int record_find(struct record *record, const struct message_key *key,
	struct record_row *row_r, struct err *err);

/* Is a delivery under this name recorded as parked, done or settled? 1: yes, 0: no. Slow: for what a
 * crash left. */
int record_is_delivered(struct record *record, const char *name, struct err *err);

/* Insert, or replace what is there for this key. */
int record_put(struct record *record, const struct record_row *row, struct err *err);

/* Call each for every row of a folder and UIDVALIDITY (folder NULL: all) in the given states
 * (a bit mask of 1 << state), oldest change first. each returns -1 to stop, which is no error;
 * it may change the record, what it puts is not seen in this walk. */
int record_each(struct record *record, const char *folder, uint32_t uidvalidity,
	unsigned states, int (*each)(const struct record_row *row, void *arg), void *arg,
	struct err *err);

/* What is known of a folder. done_uid: the UID up to and including which every message is SETTLED,
 * PARKED or PASSED, so that listing can start behind it; a new UIDVALIDITY starts at 0. */
struct record_folder {
	char name[MESSAGE_FOLDER_MAX];
	uint32_t uidvalidity; /* 0: POP3 */
	uint32_t done_uid;
	int64_t since_s;  /* when this UIDVALIDITY was first seen */
	uint32_t changes; /* of the UIDVALIDITY, each soon after the one before */
	int64_t began_s;  /* when the folder was first seen */
	/* Passed over is what came before passed_s, of UIDs up to passed_uid. */
	uint32_t passed_uid;
	int64_t passed_s;
};
/* 1: found, 0: unknown. */
int record_find_folder(struct record *record, const char *name,
	struct record_folder *folder_r, struct err *err);
/* Insert, or replace what is there for this name. */
int record_put_folder(
	struct record *record, const struct record_folder *folder, struct err *err);

/* When the first of the account's folders was first seen; -1: none was, 0: too long ago to tell. */
int record_began(struct record *record, int64_t *began_s_r, struct err *err);

/* A folder's UIDVALIDITY changed: UIDs mean nothing any more. Its rows become strays: no key finds
 * them, only record_strays does, until a message is told to be theirs or their time is over. */
int record_stray_all(
	struct record *record, const char *folder, int64_t now_s, struct err *err);
/* How many of a folder's rows under other UIDVALIDITYs than this (0: under any) could not be told
 * again: delivered or passed over, and without a head. */
int record_untold(struct record *record, const char *folder, uint32_t uidvalidity,
	uint64_t *count_r, struct err *err);

/* A folder is no more, nor its row: renamed, perhaps, so that its rows become strays which may be
 * claimed for any other. */
int record_lose_folder(
	struct record *record, const char *folder, int64_t now_s, struct err *err);
/* The names of all folders, by name. The caller's to free(). */
int record_folder_names(struct record *record, char (**names_r)[MESSAGE_FOLDER_MAX],
	size_t *count_r, struct err *err);

struct record_stray {
	int64_t id;
	uint64_t listed_size;
	struct hash head;
};
/* Those of a folder, and of folders that are no more, that can be told again, by size, head (as memcmp has it) and the order of their
 * last change; the caller's to free(). */
int record_strays(struct record *record, const char *folder,
	struct record_stray **strays_r, size_t *count_r, struct err *err);
/* This stray is that message: its row goes on under the new key. */
int record_claim(struct record *record, int64_t id, const struct message_key *key,
	struct err *err);
/* Drop those of them that became strays before this. */
int record_drop_strays(
	struct record *record, const char *folder, int64_t before_s, struct err *err);

/* Counts for status, without what was passed over. pending: intents; done: delivered, settled or not; infected: of all. Held and
 * parked strays, and intents among them, may be gone from the server: they do not count. */
struct record_counts {
	uint64_t held, parked, pending, done, infected;
};
int record_count(struct record *record, struct record_counts *counts_r, struct err *err);

/* The last run's outcome, as report_note has it, for status; "" while one is under way, and where one
 * was cut off. last_s 0: never. */
int record_run(struct record *record, int64_t *last_s_r, char *summary, size_t size,
	struct err *err);
int record_set_run(
	struct record *record, int64_t when_s, const char *summary, struct err *err);

/* What has been done with an original since it was kept. */
enum record_fate {
	RECORD_KEPT,      /* nothing */
	RECORD_RELEASING, /* about to be delivered under name */
	RECORD_RELEASED,  /* delivered under name */
	RECORD_DELETING,  /* its file goes, then its row */
};

/* What was found in a quarantined original, as struct finding. */
enum {
	RECORD_FOUND_MAX = 10
};
struct record_found {
	char part[FINDING_PART_MAX];
	char name[FINDING_NAME_MAX];
	char signature[FINDING_SIGNATURE_MAX];
	struct hash hash;
};

/* The quarantine's index: one row a file. */
struct record_quarantined {
	char id[QUARANTINE_ID_MAX];
	struct message_key key;
	int64_t time_s;
	uint64_t size;
	char why[256];     /* signatures, or the reason: untrusted */
	char subject[256]; /* decoded, untrusted */
	char sender[256];
	struct hash hash;                            /* SHA-256 of the original */
	struct record_found found[RECORD_FOUND_MAX]; /* the first of them */
	size_t found_count;
	/* Set by record_set_fate alone: */
	enum record_fate fate;
	int64_t fate_s; /* since when, 0 for RECORD_KEPT */
	char name[MESSAGE_NAME_MAX];
};
int record_put_quarantined(
	struct record *record, const struct record_quarantined *item, struct err *err);
/* 1: found, 0: unknown. */
int record_find_quarantined(struct record *record, const char *id,
	struct record_quarantined *item_r, struct err *err);
/* In the order of their ids, that is of time. */
int record_each_quarantined(struct record *record,
	int (*each)(const struct record_quarantined *item, void *arg), void *arg,
	struct err *err);
int record_set_fate(struct record *record, const char *id, enum record_fate fate,
	const char *name, int64_t time_s, struct err *err);

/* Forget an original whose file is gone. */
int record_drop_quarantined(struct record *record, const char *id, struct err *err);

/* Has an original of this size, and with this hash (NULL: any), been released, or is it about to
 * be? 1: yes, 0: no. Size 0: of any size. */
int record_is_released(
	struct record *record, uint64_t size, const struct hash *hash, struct err *err);

#endif
