/* SPDX-License-Identifier: ISC */
#include "scanner/sweep_book.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#include "scanner/job.h"
#include "scanner/role.h"

enum {
	SAVE_MS = 5000, /* between two reports of a pass */
	ERROR_LOG_MS = 60 * 1000,
	BARRED_MS =
		60 *
		1000 /* the least between two passes for a directory that is missing */
};

static bool may_log(int64_t *last)
{
	int64_t now = clock_ms();

	if (*last != 0 && now - *last < ERROR_LOG_MS)
		return false;
	*last = now;
	return true;
}

/* What cannot be remembered or reported is said, and is done again another time. */
static void tell_error(struct sweep_book *book, const struct err *err)
{
	(void)snprintf(book->error, sizeof(book->error), "%s", err->text);
	book->failing = true;
	if (may_log(&book->error_at))
		log_error("sweep: %s", err->text);
}

static void set_trouble(struct sweep_book *book)
{
	(void)snprintf(book->report.trouble, sizeof(book->report.trouble), "%.255s",
		book->error[0]  ? book->error
		: book->idle[0] ? book->idle
				: book->barred);
}

void sweep_book_note_idle(struct sweep_book *book, const char *why)
{
	char idle[ERR_TEXT_MAX] = "";

	if (why[0])
		(void)snprintf(idle, sizeof(idle), "no worker starts: %.220s", why);
	if (strcmp(book->idle, idle) == 0)
		return;
	memcpy(book->idle, idle, sizeof(idle));
	/* Each names its own temp folder: no two sentences need be the same. */
	if (why[0] && may_log(&book->idle_at))
		log_warning("sweep: %s", idle);
	set_trouble(book);
	book->untold = true;
}

void sweep_book_save(struct sweep_book *book)
{
	struct err err = { 0 };

	if (!book->failing)
		book->error[0] = '\0';
	book->failing = false;
	set_trouble(book);
	book->save_at = clock_ms() + SAVE_MS;
	if (sweep_report_save(book->dir, &book->report, &err) < 0) {
		tell_error(book, &err);
		set_trouble(book);
	}
	book->untold = true;
}

void sweep_book_look(struct sweep_book *book, const struct schema_list *roots)
{
	struct err err = { 0 };

	if (sweep_walk_look(roots, &err) < 0)
		log_warning("sweep: %s", err.text);
	(void)snprintf(book->barred, sizeof(book->barred), "%s", err.text);
	set_trouble(book);
	book->untold = true;
}

void sweep_book_tell(struct sweep_book *book)
{
	struct swept swept;
	struct err err = { 0 };

	book->untold = false;
	sweep_report_sum(&book->report, &swept);
	(void)job_post(ROLE_FD, SWEEP_TOLD, 0,
		(struct span){ (const uint8_t *)&swept, sizeof(swept) }, -1, &err);
}

void sweep_book_tell_end(struct sweep_book *book, const char *dir, const struct err *why)
{
	struct sweep_report *report = &book->report;

	/* Where the book could not be opened its report may be read all the same. */
	if (report->pass == 0)
		(void)sweep_report_load(dir, report, NULL);
	(void)snprintf(report->trouble, sizeof(report->trouble), "%.255s", why->text);
	sweep_book_tell(book);
}

static void count_kind(struct sweep_counts *counts, enum sweep_kind kind)
{
	counts->infected += kind == SWEEP_INFECTED;
	counts->unscannable += kind == SWEEP_UNSCANNABLE;
}

/* Infected, and nothing is to be moved: it is or holds mail, and that was told. */
static bool stays(const struct sweep_entry *entry, const struct sweep_find *find)
{
	if (!find)
		return entry->is_mail;
	return find->detail[0] &&
	       (entry->is_mail || strstr(find->detail, SWEEP_MAILBOX) ||
		       strstr(find->detail, SWEEP_KEPT));
}

bool sweep_book_knows(struct sweep_book *book, const struct sweep_entry *entry,
	const struct hash *digest)
{
	struct sweep_report *report = &book->report;
	struct sweep_find *find;
	struct sweep_print print;
	struct err err = { 0 };
	enum sweep_kind kind;
	bool now;

	if (sweep_set_print(
		    book->set, &entry->stat, digest, entry->is_mail, &print, &err) < 0 ||
		sweep_set_find(book->set, &print, report->pass, &kind, &now, &err) < 0) {
		tell_error(book, &err);
		return false;
	}
	if (kind == SWEEP_NONE)
		return false;
	if (kind != SWEEP_CLEAN) {
		find = sweep_report_find(report, entry->path);
		if (!find && report->find_count < SWEEP_FINDS_MAX)
			return false;
		if (kind == SWEEP_INFECTED && book->moves && !stays(entry, find))
			return false;
		if (find)
			find->pass = report->pass;
		count_kind(&report->now.counts, kind);
	}
	if (now) {
		report->now.counts.scanned++;
		report->now.counts.scanned_bytes += (uint64_t)entry->stat.st_size;
	}
	return true;
}

/* Into the report, and that to disk. */
static void list_find(struct sweep_book *book, const struct sweep_scanned *scanned,
	const struct sweep_answer *answer)
{
	struct sweep_find find = { .path = strdup(scanned->path),
		.pass = book->report.pass,
		.is_infected = answer->kind == VERDICT_INFECTED,
		.reason = (enum verdict_reason)answer->reason,
		.size = answer->size,
		.found_s = clock_wall_s() };
	struct err err = { 0 };

	memcpy(find.signature, answer->signature, sizeof(find.signature));
	memcpy(find.where, answer->where, sizeof(find.where));
	memcpy(find.detail, answer->detail, sizeof(find.detail));
	if (!find.path)
		(void)err_memory(&err);
	if (!find.path || sweep_report_add(&book->report, &find, &err) < 0)
		tell_error(book, &err);
	free(find.path);
	sweep_book_save(book);
}

void sweep_book_foretell(struct sweep_book *book, const struct sweep_scanned *scanned,
	const struct sweep_answer *answer)
{
	if (book->moves && answer->kind == VERDICT_INFECTED && !scanned->is_mail)
		list_find(book, scanned, answer);
}

/* Reported before it is remembered: killed between the two, it is found again. */
static void report_find(struct sweep_book *book, const struct sweep_scanned *scanned,
	const struct sweep_answer *answer)
{
	char path[LOG_TEXT_MAX], signature[LOG_TEXT_MAX], where[LOG_TEXT_MAX],
		detail[LOG_TEXT_MAX];

	log_warning("sweep: path=%s verdict=%s reason=%s signature=%s where=%s size=%ju "
		    "detail=%s",
		log_value(span_str(scanned->path), path),
		answer->kind == VERDICT_INFECTED ? "infected" : "unscannable",
		verdict_reason_name((enum verdict_reason)answer->reason),
		log_value(span_str(answer->signature), signature),
		log_value(span_str(answer->where), where), (uintmax_t)answer->size,
		log_value(span_str(answer->detail), detail));
	list_find(book, scanned, answer);
}

void sweep_book_add(struct sweep_book *book, const struct sweep_scanned *scanned,
	const struct sweep_answer *answer)
{
	static const enum sweep_kind kinds[] = { [VERDICT_RETRY] = SWEEP_NONE,
		[VERDICT_CLEAN] = SWEEP_CLEAN,
		[VERDICT_INFECTED] = SWEEP_INFECTED,
		[VERDICT_UNSCANNABLE] = SWEEP_UNSCANNABLE };
	enum sweep_kind kind = kinds[answer->kind];
	char path[LOG_TEXT_MAX];
	struct sweep_print print;
	struct err err = { 0 };

	count_kind(&book->report.now.counts, kind);
	if (kind != SWEEP_CLEAN)
		report_find(book, scanned, answer);
	else
		log_debug("sweep: path=%s verdict=clean size=%ju",
			log_value(span_str(scanned->path), path),
			(uintmax_t)answer->size);
	if (scanned->changed)
		return;
	if (sweep_set_print(book->set, scanned->stat, scanned->digest, scanned->is_mail,
		    &print, &err) < 0 ||
		sweep_set_add(book->set, &print, kind, book->report.pass, &err) < 0)
		tell_error(book, &err);
}

int64_t sweep_book_rest_ms(const struct sweep_book *book, const struct settings *settings,
	const struct hash *serving)
{
	int64_t interval_ms = settings->sweep_interval_ms,
		rest_ms = settings->sweep_rest_ms;

	if (hash_equal(&book->report.digest, serving)) {
		if (!book->barred[0])
			return interval_ms;
		/* Another pass does not bring it back. */
		if (rest_ms < BARRED_MS)
			rest_ms = BARRED_MS;
	}
	return rest_ms < interval_ms ? rest_ms : interval_ms;
}

/* What was moved, or has gone since. The others come up again. */
static uint64_t count_gone(const struct sweep_report *report)
{
	uint64_t gone = 0;
	struct stat stat;

	for (size_t i = 0; i < report->find_count; i++) {
		const struct sweep_find *find = &report->finds[i];

		gone += find->is_infected && find->pass == report->pass &&
			lstat(find->path, &stat) < 0 && errno == ENOENT;
	}
	return gone;
}

bool sweep_book_begin(struct sweep_book *book, const struct hash *digest)
{
	struct sweep_report *report = &book->report;
	bool goes_on = report->pass > 0 && report->now.ended_s == 0;

	if (!goes_on) {
		report->pass++;
		report->now = (struct sweep_pass){ .began_s = clock_wall_s() };
	}
	report->now.counts = (struct sweep_counts){ .infected = count_gone(report) };
	report->digest = *digest;
	return goes_on;
}

void sweep_book_end(struct sweep_book *book)
{
	struct err err = { 0 };

	sweep_report_prune(&book->report);
	if (sweep_set_flush(book->set, book->report.pass, &err) < 0)
		tell_error(book, &err);
}

int sweep_book_check(const char *dir, struct err *err)
{
	char there[PATH_MAX];
	char *slash;

	(void)snprintf(there, sizeof(there), "%s", dir);
	/* The nearest of its parents, where it is not there yet. */
	while (access(there, F_OK) < 0 && errno == ENOENT &&
		(slash = strrchr(there, '/')) != NULL)
		slash[slash == there] = '\0';
	if (access(there, W_OK | X_OK) == 0)
		return 0;
	return err_errno(err, ERR_SETTINGS,
		"this user (uid %u) cannot write in %s, for sweep-state",
		(unsigned)geteuid(), there);
}

int sweep_book_open(const char *dir, struct sweep_book *book_r, struct err *err)
{
	struct err damaged = { 0 };

	*book_r = (struct sweep_book){ .dir = dir };
	if (sweep_set_open(dir, &book_r->set, err) < 0)
		return err_wrap(err, "sweep-state");
	if (sweep_report_load(dir, &book_r->report, &damaged) < 0)
		log_warning("sweep: %s: it is begun anew", damaged.text);
	return 0;
}

void sweep_book_close(struct sweep_book *book)
{
	sweep_set_close(take_ptr(&book->set));
	sweep_report_done(&book->report);
}
