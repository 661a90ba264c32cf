/* SPDX-License-Identifier: ISC
 *
 * What the scanner's own processes say to each other, over socketpairs: length, type, payload.
 * Parent and engine host: control. Parent and worker: one job at a time. The parent trusts
 * neither: every length is checked, a process that sends anything else is killed. */
#ifndef SCANNER_JOB_H
#define SCANNER_JOB_H

#include "common/verdict.h"

enum job_type {
	/* parent to worker */
	JOB_SCAN = 1, /* scan and plan the cleaning */
	JOB_VERIFY,   /* scan only: these bytes were cleaned by another worker */
	/* worker to parent */
	JOB_VERDICT,
	JOB_READY,  /* probe found: at start */
	JOB_FAILED, /* the worker cannot serve: a sentence */
	/* engine host to parent */
	HOST_LOADED, /* signatures are in: a struct job_loaded */
	HOST_FAILED, /* they are not: a sentence */
	HOST_WORKER, /* a worker was forked: pid; its socket comes with the message */
	HOST_REAPED, /* a worker ended: pid and wait status */
	/* parent to engine host */
	HOST_FORK,
	HOST_KILL, /* pid */
};

/* The fixed start of every message on a socketpair; native byte order, same machine. */
struct job_head {
	uint32_t type; /* enum job_type */
	uint32_t
		level; /* JOB_SCAN: how much to cut, 0: infected leaves, 1: their parents ... */
	uint64_t length;
};

enum {
	JOB_TEXT_MAX = 512,
	JOB_REPLY_MAX = EDITS_BYTES_MAX + 2 * 1024 * 1024,
	JOB_LEVEL_ALL = 200
};

struct job_loaded {
	uint64_t signatures;
	struct hash digest;
	char engine[128];
	char unprotected[256]; /* "" or what is not protected */
};

#endif
