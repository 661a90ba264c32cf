/* SPDX-License-Identifier: ISC
 *
 * What the scanner's own processes say to each other, over socketpairs: length, type, payload.
 * Parent and engine host: control. Parent and worker: one job at a time. The parent trusts
 * neither: every length is checked, a process that sends anything else is killed. */
#ifndef SCANNER_JOB_H
#define SCANNER_JOB_H

#include <sys/types.h>

#include "common/allow.h"

enum job_type {
	/* parent to worker */
	JOB_SCAN = 1, /* scan, and plan the cleaning: see job_scan_parse */
	JOB_CLEAN, /* the same, of what another found infected after that cleaning: cut until it is clean */
	JOB_VERIFY, /* scan only: these bytes were cleaned by another worker; the same payload */
	JOB_PROBE, /* pass the self-test again: no payload */
	/* worker to parent */
	JOB_VERDICT, /* wire_encode_verdict */
	JOB_READY,   /* probe found: at start, and after JOB_PROBE */
	JOB_FAILED, /* the worker cannot serve: a sentence; level 1: it would tell lies */
	/* engine host to parent */
	HOST_LOADED, /* signatures are in: a struct job_loaded */
	HOST_FAILED, /* they are not, or a worker cannot be forked: a sentence */
	HOST_WORKER, /* a struct job_worker that was forked; its socket comes with the message */
	HOST_REAPED, /* a struct job_worker that ended */
	/* parent to engine host */
	HOST_FORK,
	HOST_KILL, /* a struct job_worker */
	/* the sweep (sweeper.h): its worker in an engine host, and its walker beside the parent */
	HOST_FORK_SWEEP, /* parent to engine host: HOST_WORKER comes, of status 1, or the next: */
	HOST_NO_SWEEP, /* it cannot be forked: a sentence */
	SWEEP_FILE, /* walker to worker: scan the file that comes along; level 1: as a mail */
	SWEEP_ANSWER, /* worker to walker: a struct sweep_answer */
	SWEEP_GO,    /* parent to walker: scan; the digest of the signatures that serve */
	SWEEP_PAUSE, /* begin no scan */
	SWEEP_WORKER, /* a struct sweep_worker; its socket comes with the message */
	SWEEP_ENDED, /* a struct job_worker that is no more; pid 0: there will be none now */
	SWEEP_NO_WORKER, /* the same, because: a sentence */
	SWEEP_WANT,      /* walker to parent: give me a worker */
	SWEEP_RETIRE,    /* end the one I have */
	SWEEP_TOLD,      /* a struct swept: what was done so far */
};

/* The fixed start of every message on a socketpair; native byte order, same machine. */
struct job_head {
	uint32_t type; /* enum job_type */
	uint32_t
		level; /* JOB_CLEAN: how much to cut, 0: infected leaves, 1: their parents ... */
	uint64_t length;
};

enum {
	JOB_TEXT_MAX = 512,
	JOB_ID_MAX = 64, /* bytes of a quarantine id */
	JOB_START_MAX = 2 * 4 + JOB_ID_MAX + ALLOW_PACKED_MAX, /* before the message */
	JOB_REPLY_MAX = EDITS_BYTES_MAX + 2 * 1024 * 1024,
	JOB_HOST_MAX = 4096, /* bytes of any payload between parent and engine host */
	JOB_LEVEL_ALL = 200,
	JOB_SPANS_MAX = 2
};

struct job_loaded {
	uint64_t signatures;
	int64_t dated_s; /* the newest file of them; 0: none */
	struct hash digest;
	char engine[128];
	char unprotected[256]; /* "" or what is not protected */
	char left_out[400];    /* "" or which folders, and why */
};

struct job_worker {
	int32_t pid;
	int32_t status; /* HOST_REAPED, SWEEP_ENDED: as waitpid(2) gives it */
};

/* Blocking, for the worker and the engine host. */

/* Send one message whose payload is the spans in a row. The other end gone: ERR_SESSION. */
int job_send(int fd, enum job_type type, uint32_t level, const struct span *spans,
	size_t span_count, struct err *err);

/* The same with a small payload and a descriptor, which stays the caller's. */
int job_send_fd(
	int fd, enum job_type type, struct span payload, int passed, struct err *err);

/* Never waiting, a small message, whole, with a descriptor if passed is not -1. No room: ERR_AGAIN; the
 * other end does not take what it is sent, or is gone. */
int job_post(int fd, enum job_type type, uint32_t level, struct span payload, int passed,
	struct err *err);

/* Receive one message: 1, the payload replaces what the buf held. 0: the other end has closed
 * between two messages. -1: longer than payload->max (ERR_MESSAGE), cut off (ERR_SESSION). */
int job_receive(int fd, struct job_head *head_r, struct buf *payload, struct err *err);

/* Never waiting, for the parent: a message on its way out, sent in steps. The spans are
 * borrowed until it is out. */
struct job_out {
	struct job_head head;
	struct span spans[JOB_SPANS_MAX];
	uint64_t sent; /* of head and spans together */
};

void job_out_start(struct job_out *out, enum job_type type, uint32_t level,
	const struct span *spans, size_t span_count);

/* 1: it is out; 0: go on when fd is writable; -1 as job_send. */
int job_out_step(struct job_out *out, int fd, struct err *err);

/* A message on its way in. The sender is not trusted. */
struct job_in {
	struct job_head head;
	size_t head_got;
	struct buf payload; /* its max bounds what may be announced */
	bool take_fd;       /* else descriptors sent along are dropped */
	int fd;             /* that came with this message, or -1; owned */
};

void job_in_init(struct job_in *in, size_t payload_max, bool take_fd);
void job_in_done(struct job_in *in);

/* 1: head and payload hold a message, until the next step; 0: go on when fd is readable; -1:
 * closed (ERR_SESSION), or a length that may not be (ERR_MESSAGE). Memory grows with what has
 * come, not with what was announced. */
int job_in_step(struct job_in *in, int fd, struct err *err);

/* What a worker is to scan. */
struct job_scan {
	char quarantine_id[JOB_ID_MAX + 1];
	struct allow allow; /* what the client says is no virus */
	struct span message;
};

/* The payload of JOB_SCAN: u32 length and text of the quarantine id, u32 length of what allow_pack
 * makes of the lists and that, then the message. Append the part before the message; an id over
 * JOB_ID_MAX: ERR_MESSAGE. */
int job_scan_start(const char *quarantine_id, const struct allow *allow, struct buf *out,
	struct err *err);

/* And its parts back; the message is borrowed. ERR_MESSAGE if it is malformed. */
int job_scan_parse(struct span payload, struct job_scan *job_r, struct err *err);
void job_scan_done(struct job_scan *job);

/* Make a connected pair of stream sockets, closed on exec. */
int job_socketpair(int fds_r[static 2], struct err *err);

#endif
