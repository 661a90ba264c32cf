/* SPDX-License-Identifier: ISC
 *
 * One account's worker process as the parent has it: started, heard over a socket, called from IDLE
 * for another round, reaped. The parent's signals must be blocked (stop_start): the worker reads its own from the same fd. */
#ifndef MAILFILTER_CHILD_H
#define MAILFILTER_CHILD_H

#include <sys/types.h>

#include "mailfilter/report.h"
#include "mailfilter/settings.h"

enum {
	CHILD_NAME_MAX = 65 /* of an account, with its end */
};

/* How its delivered mail stands that is scanned again. */
struct child_rescan {
	int64_t due_ms;    /* when to see whether there is something to do; 0: not set */
	uint32_t failures; /* in a row */
	bool done;         /* all of it, with these: */
	bool said;         /* that it failed */
	struct hash signatures; /* as the scanners have them together */
};

struct child {
	/* NULL: not to be served any more, its process is ending. */
	const struct account_settings *account;
	int64_t due_ms;     /* when it is served next; -1: not again */
	int64_t heard_ms;   /* its last word */
	int64_t kill_ms;    /* told to end: when patience ends; 0: it was not */
	int64_t idle_ms;    /* since when it idles */
	pid_t pid;          /* 0: not running */
	int fd;             /* to and from it, -1: none */
	uint32_t failures;  /* in a row that it died or was refused */
	uint32_t unreached; /* in a row that its server was not reached */
	uint32_t losses;    /* in a row that it soon lost its session in IDLE */
	uint32_t vain;      /* in a row that its server's news were none */
	bool hung;          /* killed, because it made no progress */
	bool again;         /* asked for while it ran: serve it once more at once */
	bool idles;  /* in IDLE: it waits for a turn (child_call) or for its server */
	bool called; /* it has not said a word since its last call */
	bool polls;  /* its server refused to IDLE: not asked again */
	/* What it said, for who heard it to take back: */
	bool round_over; /* the report is final */
	bool news;       /* its server has something */
	bool refused;    /* its server will not IDLE */
	char name[CHILD_NAME_MAX];
	struct err lost; /* why the session in IDLE is over, or ERR_NONE */
	struct report report;
	/* How it stood after its last round; last_s 0: none was. It has no name there: that of the
	 * settings goes with them. */
	struct numbers_account last;
	struct child_rescan rescan;
};

struct child_tools {
	const struct settings *settings;
	bool dry_run;
	bool idle; /* may it wait in IDLE? */
	int stop_fd;
	int private_fds[4]; /* the parent's alone: closed in the worker; -1: none */
	const struct child
		*children; /* all of them: a new one closes the others' pipes */
	size_t count;
};

/* Fork it; it never returns there. -1: child->report.err says why not. */
int child_start(struct child *child, const struct child_tools *tools);

/* A turn for one that idles: it serves a round more. */
void child_call(struct child *child);

/* Take its next word, if there is one. */
bool child_hear(struct child *child);

enum child_end {
	CHILD_EXITED,
	CHILD_KILLED, /* from outside, as far as can be seen */
	CHILD_CRASHED /* of what it did itself: a signal that none sends, or it hung */
};

/* If it has ended: take its last words; its report is complete and says how it ended. One that lost
 * its session while it waited idles, also if it was called meanwhile. */
bool child_reap(struct child *child, enum child_end *end_r);

#endif
