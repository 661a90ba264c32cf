/* SPDX-License-Identifier: ISC
 *
 * What the walker keeps in its state folder: which files it has scanned (sweep_set.h) and what it
 * reports (sweep_report.h), in an order in which a kill at any time loses no find. What cannot be
 * written is logged, and scanned again another time. */
#ifndef SCANNER_SWEEP_BOOK_H
#define SCANNER_SWEEP_BOOK_H

#include "scanner/settings.h"
#include "scanner/sweep_report.h"
#include "scanner/sweep_set.h"
#include "scanner/sweep_worker.h"

/* In the detail of a find: it will not be moved, however often it is looked at. */
#define SWEEP_MAILBOX "a mailbox, with other mails in it"
#define SWEEP_KEPT    "mailfilter keeps it"

struct sweep_book {
	const char *dir; /* borrowed */
	struct sweep_set *set;
	struct sweep_report report;
	int64_t save_at;  /* clock_ms(): when the next report is due */
	int64_t error_at; /* the last one logged */
	int64_t idle_at;  /* the same of idle */
	bool moves; /* what is infected: it is scanned again, but for mail that was told of */
	bool failing; /* since the last report */
	bool untold;  /* there is another report than the parent was told of */
	char error[ERR_TEXT_MAX];  /* what cannot be kept, and why, or "" */
	char idle[ERR_TEXT_MAX];   /* why nothing can be scanned, or "" */
	char barred[ERR_TEXT_MAX]; /* what is not swept, and why, or "" */
};

/* A file whose scan has ended. */
struct sweep_scanned {
	const char *path;
	const struct stat *stat; /* before it was read */
	bool is_mail;
	bool changed;              /* since then: it is not remembered */
	const struct hash *digest; /* of the signatures */
};

/* Could this user write there, or make it? Makes nothing. */
int sweep_book_check(const char *dir, struct err *err);

/* Where the last walker was; a report that is damaged is begun anew. Another has it: ERR_AGAIN. */
int sweep_book_open(const char *dir, struct sweep_book *book_r, struct err *err);
void sweep_book_close(struct sweep_book *book);

/* Directories of the settings that are not there, or not for us: into the report, and the log. */
void sweep_book_look(struct sweep_book *book, const struct schema_list *roots);

/* There is no worker, and why; "": there is. Into the report, and the log, once a minute. */
void sweep_book_note_idle(struct sweep_book *book, const char *why);

/* Write the report. What went wrong before is told in it until the next one. */
void sweep_book_save(struct sweep_book *book);

/* Tell the parent what the report sums up to; what it does not take it is told the next time. */
void sweep_book_tell(struct sweep_book *book);

/* The last word: why the walker ends, beside what the report in this folder says, if any was open. */
void sweep_book_tell_end(struct sweep_book *book, const char *dir, const struct err *why);

/* From the end of a pass to the next: less if other signatures serve than those that it began with, for
 * then every file is due, and where something could not be swept at all. */
int64_t sweep_book_rest_ms(const struct sweep_book *book, const struct settings *settings,
	const struct hash *serving);

/* A pass with these signatures. True: one that was not done goes on, for what it scanned is remembered;
 * what was found in it, and is gone, is counted. */
bool sweep_book_begin(struct sweep_book *book, const struct hash *digest);

/* The present pass is done: what was not seen in it is there no more. */
void sweep_book_end(struct sweep_book *book);

/* Is it as it was when it was scanned by these signatures, and is what it was then still known? Then it
 * is counted. */
bool sweep_book_knows(struct sweep_book *book, const struct sweep_entry *entry,
	const struct hash *digest);

/* What is infected and about to be moved is reported: killed behind the move, it is known all the same. */
void sweep_book_foretell(struct sweep_book *book, const struct sweep_scanned *scanned,
	const struct sweep_answer *answer);

/* Count it, report it if it is not clean, and remember it. Not for RETRY. */
void sweep_book_add(struct sweep_book *book, const struct sweep_scanned *scanned,
	const struct sweep_answer *answer);

#endif
