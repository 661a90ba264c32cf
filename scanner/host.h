/* SPDX-License-Identifier: ISC
 *
 * One engine host as the parent sees it: a child process, the socket that controls it, and
 * the workers it forked. What these workers do is crew.h's. Nothing here waits, but for
 * exec in host_start. */
#ifndef SCANNER_HOST_H
#define SCANNER_HOST_H

#include "common/health.h"

#include "scanner/pool.h"
#include "scanner/settings.h"

enum host_state {
	HOST_NONE,
	HOST_LOADING,
	HOST_SERVING,  /* signatures are in */
	HOST_DRAINING, /* another took over: its last jobs end */
	HOST_ENDING /* its socket is closed; it is dead or will be, and is to be reaped */
};

enum {
	HOST_LOAD_MS = 15 * 60 * 1000, /* a load that takes longer hangs */
	HOST_END_MS = 3000,            /* so long it may take to end its workers */
	HOST_SWEEPER_MS = 30 * 1000 /* to fork the sweep's, or for that one to be dead */
};

/* The one worker of the sweep in a host: it serves the walker (sweeper.h), not us. */
struct host_sweeper {
	bool asked; /* for it, and no answer yet */
	bool killed, ended;
	int64_t since;          /* clock_ms(): asked for, or killed */
	pid_t pid;              /* 0: none */
	int fd;                 /* its socket, for the walker; -1: handed on */
	int status;             /* once it ended, as waitpid(2) */
	char why[JOB_TEXT_MAX]; /* it could not be forked, or "" */
};

/* The self-test of its workers: each passes it before its first message, and again every now and then. */
struct host_test {
	int64_t passed_at; /* by one of them, last; clock_ms(), -1: none yet */
	int64_t failed_at; /* the same */
	int64_t wrong_at;  /* one that had served found nothing, and said so: -1: none */
	char why[JOB_TEXT_MAX]; /* of the last that failed */
};

struct host {
	enum host_state state;
	const struct settings *settings;
	pid_t pid;
	bool told; /* to end, by host_end; else it failed */
	int control;
	bool watched; /* epoll(7) waits for it */
	struct job_in in;
	int64_t deadline; /* of LOADING or ENDING, clock_ms() */
	struct job_loaded loaded;
	uint64_t generation; /* 0 until loaded */
	struct pool pool;
	struct host_sweeper sweeper;
	size_t forks;           /* asked for, not answered yet */
	int64_t forks_deadline; /* for the answer */
	struct host_test test;
	bool served;                    /* a worker of it gave a verdict */
	uint64_t oom_kills;             /* of memory_ran_out */
	unsigned failures;              /* of workers to start, in a row */
	int64_t fork_after;             /* clock_ms(): none is asked for before */
	uint64_t counts[HEALTH_COUNTS]; /* of its workers; what is not of them stays 0 */
	char trouble[JOB_TEXT_MAX];     /* why it does not load or serve, or "" */
};

/* Start one; the settings, which must outlive it, are its own to load from the same file. workers
 * is how many will serve at once. */
int host_start(struct host *host, const struct settings *settings, size_t workers,
	struct err *err);

/* HOST_FORK, HOST_FORK_SWEEP, or HOST_KILL with the pid. A host that does not take orders is killed. */
void host_order(struct host *host, enum job_type type, pid_t pid);

/* The next message of the host, checked, in host->in: 1; none: 0; -1: it is gone or lies. */
int host_receive(struct host *host, struct err *err);

/* HOST_LOADED is in host->in: now in host->loaded, whose texts end. */
void host_take_loaded(struct host *host);

/* Have the sweep's worker forked; end it, if it is there. */
void host_sweeper_ask(struct host *host);
void host_sweeper_kill(struct host *host);

/* Until when either may take, clock_ms(); -1: neither is under way. */
int64_t host_sweeper_due(const struct host *host);

/* Forget the sweep's worker. */
void host_sweeper_done(struct host *host);

/* It was reaped, and what it died of by itself is counted. */
void host_sweeper_ended(struct host *host, int status);

/* HOST_NO_SWEEP is in host->in: why is in host->sweeper. */
void host_no_sweeper(struct host *host);

/* Has it ended? Then *how_r says how, for people, and *status_r as waitpid(2). */
bool host_reap(struct host *host, int *status_r, char how_r[static JOB_TEXT_MAX]);

/* Tell it to end, by closing its socket. */
void host_end(struct host *host);

/* It failed, or hangs: end it at once. And it has closed its socket: it ends, or will be made to. */
void host_kill(struct host *host);
void host_lost(struct host *host);

/* After host_reap: everything is released, the place is HOST_NONE. Its workers hold no
 * request any more. */
void host_done(struct host *host);

/* "exit code 78", "signal 9 (Killed)". Returns text. */
const char *host_status_text(int status, char text[static JOB_TEXT_MAX]);

#endif
