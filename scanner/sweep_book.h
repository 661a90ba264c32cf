/* SPDX-License-Identifier: ISC
 *
 * What the walker keeps in its state folder: which files it has scanned (sweep_set.h) and what it
 * reports (sweep_report.h), in an order in which a kill at any time loses no find. What cannot be
 * written is logged, and scanned again another time. */
#ifndef SCANNER_SWEEP_BOOK_H
#define SCANNER_SWEEP_BOOK_H

#include "scanner/sweep_report.h"
#include "scanner/sweep_set.h"
#include "scanner/sweep_worker.h"

struct sweep_book {
	const char *dir; /* borrowed */
	struct sweep_set *set;
	struct sweep_report report;
	int64_t save_at;  /* clock_ms(): when the next report is due */
	int64_t error_at; /* the last one logged */
	bool moves; /* what is infected: it is scanned again, but for mail that was told of */
};

/* A file whose scan has ended. */
struct sweep_scanned {
	const char *path;
	const struct stat *stat; /* before it was read */
	bool is_mail;
	bool changed;              /* since then: it is not remembered */
	const struct hash *digest; /* of the signatures */
};

/* Where the last walker was; a report that is damaged is begun anew. Another has it: ERR_AGAIN. */
int sweep_book_open(const char *dir, struct sweep_book *book_r, struct err *err);
void sweep_book_close(struct sweep_book *book);

/* Write the report. */
void sweep_book_save(struct sweep_book *book);

/* Is it as it was when it was scanned by these signatures, and is what it was then still known? Then it
 * is counted. */
bool sweep_book_knows(struct sweep_book *book, const struct sweep_entry *entry,
	const struct hash *digest);

/* Count it, report it if it is not clean, and remember it. Not for RETRY. */
void sweep_book_add(struct sweep_book *book, const struct sweep_scanned *scanned,
	const struct sweep_answer *answer);

#endif
