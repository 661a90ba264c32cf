/* SPDX-License-Identifier: ISC
 *
 * One account's messages on their way, many at once: a table of steps and the loop that runs
 * them. A message belongs to the pipeline from pipeline_add until it is settled, held or
 * parked. Steps (steps.h) read the message, add to it and never call another step; what is to
 * be done about each kind of error is written once, here. One process, one thread. */
#ifndef MAILFILTER_PIPELINE_H
#define MAILFILTER_PIPELINE_H

#include <poll.h>

#include "mailfilter/deliver.h"
#include "mailfilter/outlet.h"
#include "mailfilter/quarantine.h"
#include "mailfilter/record.h"
#include "mailfilter/report.h"
#include "mailfilter/scan.h"
#include "mailfilter/settings.h"

enum {
	PIPELINE_MESSAGES_MAX = 1024, /* in flight */
	PIPELINE_BYTES_MAX =
		64 * 1024 * 1024, /* of them; one larger message may go alone */
	PIPELINE_MEMORY_MAX =
		16 * 1024 * 1024,         /* of those held in memory, not in files */
	PIPELINE_LARGE_MAX = 1024 * 1024, /* one in memory, while half of that is free */
	/* Messages that share syncs and a transaction: a slow disk has as many to sync as came
	 * within the time. */
	PIPELINE_BATCH_MAX = 500,
	PIPELINE_BATCH_MS = 200,  /* the first of a batch waits no longer */
	PIPELINE_BEHIND_MAX = 16, /* small messages added before the steps run, */
	PIPELINE_BEHIND_BYTES = 16 * 1024, /* a larger one counts as so many more */
	PIPELINE_REFUSED_MAX = 100,        /* in a row, then nothing more is fetched */
};

/* What an account's pipeline works with; all of it borrowed, open while the pipeline is. */
struct pipeline_tools {
	const struct settings *settings;
	const struct account_settings *account;
	struct record *record;
	struct quarantine *quarantine;
	struct deliver *deliver;
	struct scan *scan;
	int stop_fd; /* signalfd: SIGTERM and SIGINT end the work */
	bool dry_run;
	struct report *report;
	void (*progress)(void *arg); /* called as messages are decided */
	void *progress_arg;
};

struct pipeline {
	struct pipeline_tools tools;
	struct outlet outlet;         /* of tools.deliver */
	struct message *first, *last; /* in flight, in the order they were fetched */
	size_t count;
	uint64_t bytes, memory; /* of those in flight */
	/* Waiting for settle, in the order they were recorded, without their bytes. */
	struct message *recorded, *recorded_last;
	size_t behind;    /* added since the steps ran; a large one counts as many */
	size_t refused;   /* in a row that could not be written anywhere */
	int64_t batch_ms; /* when the oldest at SCANNED got there; 0: none */
	bool draining;    /* nothing more will come: do not wait for a fuller batch */
	bool stopped;     /* a signal came, then */
	int64_t stopped_ms;
	struct err failed; /* the account cannot go on, or ERR_NONE */
};

void pipeline_init(struct pipeline *pipeline, const struct pipeline_tools *tools);

/* Drop what is in flight: it is on the server still. */
void pipeline_done(struct pipeline *pipeline);

/* Take a message at any stage; *message becomes NULL. */
void pipeline_add(struct pipeline *pipeline, struct message **message);

/* So much of the next message may stay in memory. */
size_t pipeline_memory(const struct pipeline *pipeline);

/* Is there no room for one more message? */
bool pipeline_full(const struct pipeline *pipeline);

/* Run every step that can run now, without waiting. -1: the account cannot go on. */
int pipeline_turn(struct pipeline *pipeline, struct err *err);

/* As struct stream_wait's wait: until fd has its events (fd -1: only other work counts) or the
 * deadline passes, working meanwhile. 1: ready, 0: deadline, -1: stop, with err. */
int pipeline_wait(struct pipeline *pipeline, int fd, short events, int64_t deadline_ms,
	struct err *err);

/* Take the signals that came: stopped, if one of them says so. What waits for a destination in the
 * middle of a step does this itself, and ends at its deadline or grace_ms after the signal. */
void pipeline_hear_stop(struct pipeline *pipeline);
int64_t pipeline_stop_ms(
	const struct pipeline *pipeline, int64_t grace_ms, int64_t deadline_ms);

/* Work until there is room, or (drain) until nothing is in flight. Where there is room and few were
 * added there may be nothing done: they wait for more, or for the next wait for the server. */
int pipeline_make_room(struct pipeline *pipeline, struct err *err);
int pipeline_drain(struct pipeline *pipeline, struct err *err);

/* Take out a message of this folder that waits for settle, NULL if none does. The caller owns
 * it. */
struct message *pipeline_take_recorded(struct pipeline *pipeline, const char *folder);

/* Drop what waits for settle: its session is over, and so are the numbers it was known by. The
 * record and the next listing name it anew. */
void pipeline_forget_recorded(struct pipeline *pipeline);

#endif
