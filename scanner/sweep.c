/* SPDX-License-Identifier: ISC */
#include "scanner/sweep.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/idle.h"
#include "common/log.h"

#include "scanner/deadline.h"
#include "scanner/role.h"
#include "scanner/sandbox.h"
#include "scanner/sweep_book.h"
#include "scanner/sweep_move.h"
#include "scanner/sweep_pair.h"
#include "scanner/sweep_walk.h"
#include "scanner/temp.h"

enum {
	STEPS = 256,            /* names between two looks at what the parent says */
	SPACE_MS = 1000,        /* between two looks whether there is temp space */
	LOGGED_MAX = 20,        /* files passed over that are named, a pass */
	RECENT_MS = 50,         /* a clock tick, in which a file may change twice ... */
	RECENT_COARSE_MS = 2000 /* ... and of file systems that keep whole seconds */
};

/* The file that is being scanned, or waits for it. */
struct current {
	bool is_there, again;
	bool is_mail;
	int fd;
	char path[SWEEP_PATH_MAX];
	struct stat stat;  /* of what is open */
	int64_t opened_us; /* wall clock */
};

struct sweep {
	const struct settings *settings;
	struct sweep_book book;
	struct sweep_walk *walk; /* NULL between two passes */
	struct sweep_pair pair;
	struct current current;
	int64_t ended_at, rate_at, space_at; /* clock_ms(); of the last pass */
	unsigned logged;
};

static void log_passed(struct sweep *sweep, const char *path, const char *why)
{
	char text[LOG_TEXT_MAX];

	if (sweep->logged++ < LOGGED_MAX)
		log_info("sweep: path=%s not scanned: %s",
			log_value(span_str(path), text), why);
}

static int64_t next_pass(const struct sweep *sweep)
{
	if (sweep->book.report.now.ended_s == 0)
		return 0;
	return sweep->ended_at +
	       sweep_book_rest_ms(&sweep->book, sweep->settings, &sweep->pair.digest);
}

static int begin_pass(struct sweep *sweep, struct err *err)
{
	const struct settings *settings = sweep->settings;
	struct stat spared;
	bool goes_on;

	if (sweep_walk_new(&settings->sweep, &settings->sweep_exclude,
		    settings->sweep_cross != 0, &sweep->walk, err) < 0)
		return -1;
	if (sweep_move_folder(settings, &spared))
		sweep_walk_spare(sweep->walk, &spared);
	goes_on = sweep_book_begin(&sweep->book, &sweep->pair.digest);
	sweep->logged = 0;
	sweep_book_look(&sweep->book, &settings->sweep);
	log_info("sweep: pass=%u %s", sweep->book.report.pass,
		goes_on ? "goes on" : "begins");
	sweep_book_save(&sweep->book);
	return 0;
}

static void end_pass(struct sweep *sweep)
{
	struct sweep_report *report = &sweep->book.report;
	const struct sweep_counts *counts = &report->now.counts;

	sweep_walk_free(take_ptr(&sweep->walk));
	sweep_book_end(&sweep->book);
	report->now.ended_s = clock_wall_s();
	report->last = report->now;
	sweep->ended_at = clock_ms();
	log_info("sweep: pass=%u is done: files=%ju bytes=%ju scanned=%ju infected=%ju "
		 "unscannable=%ju",
		report->pass, (uintmax_t)counts->files, (uintmax_t)counts->bytes,
		(uintmax_t)counts->scanned, (uintmax_t)counts->infected,
		(uintmax_t)counts->unscannable);
	sweep_book_save(&sweep->book);
}

static void open_file(struct sweep *sweep, const struct sweep_entry *entry)
{
	struct sweep_counts *counts = &sweep->book.report.now.counts;
	struct current *current = &sweep->current;

	current->opened_us = clock_wall_us();
	if (sweep_walk_open(sweep->walk, entry, &current->fd, &current->stat) < 0) {
		if (errno == ESTALE || errno == ENOENT || errno == ELOOP) {
			counts->changed++;
			return;
		}
		counts->unreadable++;
		log_passed(sweep, entry->path, strerror(errno));
		return;
	}
	(void)snprintf(current->path, sizeof(current->path), "%s", entry->path);
	current->is_mail = entry->is_mail;
	current->is_there = true;
	current->again = false;
}

static void take_file(struct sweep *sweep, const struct sweep_entry *entry)
{
	struct sweep_counts *counts = &sweep->book.report.now.counts;

	if ((uint64_t)entry->stat.st_size > sweep->settings->sweep_file_max) {
		counts->large++;
		log_passed(sweep, entry->path, "larger than sweep-file-max");
		return;
	}
	counts->files++;
	counts->bytes += (uint64_t)entry->stat.st_size;
	if (entry->stat.st_size == 0)
		return;
	if (!sweep_book_knows(&sweep->book, entry, &sweep->pair.digest))
		open_file(sweep, entry);
}

static void step(struct sweep *sweep)
{
	struct sweep_counts *counts = &sweep->book.report.now.counts;
	struct sweep_entry entry;

	for (int i = 0; i < STEPS && sweep->walk && !sweep->current.is_there; i++) {
		switch (sweep_walk_next(sweep->walk, &entry)) {
		case SWEEP_FOUND:
			take_file(sweep, &entry);
			break;
		case SWEEP_PASSED:
			counts->why[entry.why]++;
			if (entry.why == SWEEP_WHY_UNREADABLE)
				log_passed(sweep, entry.path, strerror(entry.errnum));
			if (entry.why == SWEEP_WHY_DEEP)
				log_passed(sweep, entry.path, "nested too deep");
			break;
		case SWEEP_END:
			end_pass(sweep);
			break;
		}
	}
}

/* A file that changes within a tick of its file system's clock looks the same after it. */
static bool is_recent(const struct stat *stat, int64_t at_us)
{
	int64_t changed_us =
		(int64_t)stat->st_ctim.tv_sec * 1000000 + stat->st_ctim.tv_nsec / 1000;
	int64_t least_ms = stat->st_ctim.tv_nsec == 0 ? RECENT_COARSE_MS : RECENT_MS;

	return at_us - changed_us < least_ms * 1000;
}

static bool has_changed(const struct current *current)
{
	const struct stat *before = &current->stat;
	struct stat after;

	return fstat(current->fd, &after) < 0 || after.st_size != before->st_size ||
	       memcmp(&after.st_mtim, &before->st_mtim, sizeof(after.st_mtim)) != 0 ||
	       memcmp(&after.st_ctim, &before->st_ctim, sizeof(after.st_ctim)) != 0 ||
	       is_recent(before, current->opened_us);
}

static void close_file(struct current *current)
{
	(void)close(take_fd(&current->fd));
	current->is_there = false;
}

/* It is as it was, and so comes up in the next pass again. */
static void pass_over(struct sweep *sweep, const char *why)
{
	sweep->book.report.now.counts.later++;
	log_passed(sweep, sweep->current.path, why);
	close_file(&sweep->current);
}

static void answered(struct sweep *sweep)
{
	struct sweep_answer *answer = &sweep->pair.answer;
	struct current *current = &sweep->current;
	struct sweep_counts *counts = &sweep->book.report.now.counts;
	bool changed = has_changed(current);

	counts->scanned++;
	counts->scanned_bytes += answer->size;
	counts->changed += changed;
	if (answer->kind == VERDICT_RETRY) {
		pass_over(sweep, answer->detail);
	} else {
		const struct sweep_scanned scanned = { current->path, &current->stat,
			current->is_mail, changed, &sweep->pair.its };

		sweep_book_foretell(&sweep->book, &scanned, answer);
		sweep_move(sweep->settings, sweep->walk, &scanned, current->fd, answer);
		sweep_book_add(&sweep->book, &scanned, answer);
		close_file(current);
	}
}

/* As soon as there is a worker, the rate is kept, and there is space to unpack into. */
static void give(struct sweep *sweep)
{
	const struct settings *settings = sweep->settings;
	struct current *current = &sweep->current;
	uint64_t size = (uint64_t)current->stat.st_size;
	int64_t now = clock_ms();
	struct err err = { 0 };

	if (!current->is_there || !sweep_pair_is_free(&sweep->pair) ||
		now < sweep->rate_at || now < sweep->space_at)
		return;
	if (temp_has_room(settings->temp_dir, temp_needed(size), &err) < 0) {
		/* What even an empty one has no room for is not waited for. */
		if (temp_size(settings->temp_dir) < temp_needed(size))
			pass_over(sweep, err.text);
		else
			sweep->space_at = now + SPACE_MS;
		return;
	}
	if (settings->sweep_rate > 0)
		sweep->rate_at = now + (int64_t)(size * 1000 / settings->sweep_rate);
	sweep_pair_give(&sweep->pair, current->fd, current->is_mail, current->again);
	current->again = true;
}

/* Between two passes only what could not be written then. */
static bool is_to_save(const struct sweep *sweep)
{
	return sweep->walk || sweep->book.error[0] != '\0';
}

/* How long until there is something to do that nobody tells us of. */
static int wait_ms(const struct sweep *sweep)
{
	const struct sweep_pair *pair = &sweep->pair;
	int64_t next = -1;

	if (pair->goes && pair->known) {
		next = pair->deadline;
		if (sweep->walk && !sweep->current.is_there)
			return 0;
		if (!sweep->walk)
			next = deadline_sooner(next, next_pass(sweep));
		if (sweep->current.is_there && !pair->asked)
			next = deadline_sooner(next, pair->ask_after);
		if (sweep_pair_is_free(pair) && sweep->current.is_there)
			next = deadline_sooner(next, sweep->rate_at > sweep->space_at
							     ? sweep->rate_at
							     : sweep->space_at);
	}
	if (is_to_save(sweep))
		next = deadline_sooner(next, sweep->book.save_at);
	return clock_left(next);
}

static int turn(struct sweep *sweep, struct err *err)
{
	enum sweep_event event;

	if (sweep_pair_turn(&sweep->pair, sweep->current.is_there, &event, err) < 0)
		return -1;
	if (event == SWEEP_ANSWERED)
		answered(sweep);
	sweep_book_note_idle(&sweep->book, sweep->pair.why);
	if (sweep->pair.goes && sweep->pair.known) {
		if (!sweep->walk && clock_ms() >= next_pass(sweep) &&
			begin_pass(sweep, err) < 0)
			return -1;
		step(sweep);
		give(sweep);
	}
	if (is_to_save(sweep) && clock_ms() >= sweep->book.save_at)
		sweep_book_save(&sweep->book);
	if (sweep->book.untold)
		sweep_book_tell(&sweep->book);
	return 0;
}

static int serve(struct sweep *sweep, struct err *err)
{
	struct pollfd fds[SWEEP_PAIR_FDS];

	for (;;) {
		if (turn(sweep, err) < 0)
			return err->kind == ERR_SESSION ? 0 : -1;
		if (poll(fds, sweep_pair_poll(&sweep->pair, fds), wait_ms(sweep)) < 0 &&
			errno != EINTR)
			return err_errno(err, ERR_FATAL, "poll");
	}
}

/* Where the last walker was. */
static void take_up(struct sweep *sweep)
{
	const int64_t interval_ms = sweep->settings->sweep_interval_ms;
	int64_t since_ms = (clock_wall_s() - sweep->book.report.now.ended_s) * 1000;

	/* A clock that was set back is no reason to wait. */
	if (since_ms < 0 || since_ms > interval_ms)
		since_ms = interval_ms;
	sweep->ended_at = clock_ms() - since_ms;
	sweep_book_look(&sweep->book, &sweep->settings->sweep);
}

/* The parent alone says when to stop. */
static int shut_in(struct err *err)
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || role_is_orphan())
		return err_set(err, ERR_SESSION, "the parent is gone");
	(void)umask(077);
	idle_enter();
	return sandbox_enter_host(err);
}

int sweep_main(const struct settings *settings)
{
	struct sweep *sweep = calloc(1, sizeof(*sweep));
	struct err err = { 0 };
	int done = -1;

	if (!sweep)
		return EX_OSERR;
	sweep->settings = settings;
	sweep->current.fd = -1;
	sweep_pair_init(&sweep->pair, settings);
	if (shut_in(&err) == 0 &&
		sweep_book_open(settings->sweep_state, &sweep->book, &err) == 0) {
		take_up(sweep);
		sweep->book.moves = settings->sweep_quarantine != NULL;
		sweep_move_start(settings);
		done = serve(sweep, &err);
	}
	if (done < 0) {
		log_error("sweep: %s", err.text);
		sweep_book_tell_end(&sweep->book, settings->sweep_state, &err);
	}
	sweep_pair_done(&sweep->pair);
	sweep_walk_free(sweep->walk);
	sweep_book_close(&sweep->book);
	if (sweep->current.fd >= 0)
		(void)close(sweep->current.fd);
	free(sweep);
	return done < 0 ? err_exit_code(err.kind) : EX_OK;
}
