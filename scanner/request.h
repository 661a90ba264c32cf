/* SPDX-License-Identifier: ISC
 *
 * One message that a client wants scanned: its bytes, where it stands, what it cost so far, and
 * in the end its verdict. Knows neither sockets nor processes: the broker says what a worker
 * answered or how it ended, and this decides what comes next. Every way through here ends in
 * REQUEST_DONE after a bounded number of jobs, and in `clean` only if a worker said so. */
#ifndef SCANNER_REQUEST_H
#define SCANNER_REQUEST_H

#include "common/body.h"
#include "common/link.h"
#include "common/wire.h"

#include "scanner/job.h"

enum {
	REQUEST_CREDIT = 1024 * 1024, /* bytes a client may be ahead of us */
	REQUEST_TRIES_MAX = 2,        /* workers one message may crash or hold up */
	REQUEST_SHORTAGES_MAX = 5, /* processes the kernel may kill under it for memory */
	REQUEST_KILLS_MAX =
		25, /* processes killed under it from outside; past that it must be */
	REQUEST_KILLS_ALONE = 5, /* the message after all, and from here on it is alone */
	REQUEST_SHORTS_MAX = 3   /* scans alone in which temp space ran short */
};

enum request_stage {
	REQUEST_ARRIVING, /* bytes are missing */
	REQUEST_WAITING,  /* for a worker */
	REQUEST_WORKING,
	REQUEST_DONE /* the verdict stands */
};

/* How the process that worked on it ended. */
enum request_death {
	DEATH_CRASH,
	DEATH_TIMEOUT,
	DEATH_MEMORY, /* the kernel had no more, and chose it */
	DEATH_KILLED  /* by someone else; also with its engine host */
};

struct request {
	struct request *next; /* of a queue */
	uint64_t turn;        /* in it */
	struct link_peer peer;
	uint64_t id;
	uint64_t size; /* announced, and in the end that of body */
	char quarantine_id[JOB_ID_MAX + 1];
	struct allow allow; /* what its client says is no virus */
	uint64_t credit;    /* the offset up to which the client may send */
	int64_t arrives_by; /* a client silent past this clock_ms() is given up */
	enum request_stage stage;
	struct body body;
	struct body cleaned;  /* to be verified, else empty */
	bool verifying;       /* the next or present job: of cleaned */
	bool is_tough;        /* infected still when it had been cleaned: JOB_CLEAN */
	uint32_t level;       /* of the next JOB_CLEAN */
	uint64_t generation;  /* of the signatures that scanned it */
	struct hasher hasher; /* of what has arrived */
	struct hash hash;     /* of body, once it is WAITING */
	int64_t arrived;      /* its last byte; clock_ms(), as all these */
	int64_t started;      /* its first job; 0: none yet */
	int64_t began;        /* the present job */
	int64_t took_ms;      /* DONE: from its last byte to the verdict */
	int64_t work_ms;      /* in workers, all its jobs together */
	unsigned tries, shortages, kills;
	unsigned
		shorts; /* jobs in which temp space ran short; all but the first were alone */
	char short_of[VERDICT_DETAIL_MAX]; /* the last one's words */
	bool unwanted;                     /* its client cancelled it, or has gone */
	pid_t worker;                      /* that took it last, for the log */
	struct verdict verdict;
};

/* A request without its bytes; wanted->allow is taken over. dir is for large bodies, and must outlive
 * it. */
int request_new(const struct link_peer *peer, uint64_t id, struct wire_request *wanted,
	const char *dir, struct request **request_r, struct err *err);
void request_free(struct request *request);

/* The next bytes, which must begin at offset and stay inside size and credit: else ERR_MESSAGE.
 * The last one makes it WAITING. */
int request_add(
	struct request *request, uint64_t offset, struct span bytes, struct err *err);

/* Is it time to let the client send more? Then credit has grown. */
bool request_extend(struct request *request);

/* It has cost a process already: a fresh worker takes it. */
bool request_is_suspect(const struct request *request);

/* Memory or temp space ran short under it, or it was killed suspiciously often: nothing else is in
 * work beside it. */
bool request_is_alone(const struct request *request);

/* A job begins, on signatures of this generation. What others said so far is forgotten, so that
 * one set of signatures judges it entirely. */
void request_begin(struct request *request, uint64_t generation);

/* The same bytes were clean by these signatures, and whatever else decides. */
void request_known_clean(struct request *request, uint64_t generation);

/* Done, and clean without a remark, by a scan under these signatures? */
bool request_is_plainly_clean(const struct request *request, uint64_t generation);

/* The bytes of its job. ERR_AGAIN: short of memory or files. */
int request_bytes(struct request *request, struct span *bytes_r, struct err *err);

/* The job's answer; the verdict is taken over. RETRY for REASON_LIMIT says that temp space ran short: it
 * waits for another job, and the caller sees to it that this finds the space free. -1 (ERR_MESSAGE): it cannot be true; the
 * request is as before, and its worker to be ended as one that crashed. */
int request_answer(struct request *request, struct verdict *verdict, struct err *err);

void request_worker_died(struct request *request, enum request_death death);

/* No verdict is possible, and not the mail's fault. */
void request_hold(struct request *request, const char *why);

/* None is possible, and it is: what the mail unpacks to does not fit here. UNSCANNABLE, LIMIT. */
void request_give_up(struct request *request, const char *why);

/* Bytes of temp space it occupies or has announced. */
uint64_t request_weight(const struct request *request);

#endif
