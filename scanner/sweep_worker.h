/* SPDX-License-Identifier: ISC
 *
 * A worker of the sweep, forked by the engine host and shut in as others are: takes one open file at a
 * time from the walker, reads it whole into memory, so that nobody changes it during the scan, and says
 * what is in it. Opens nothing itself. */
#ifndef SCANNER_SWEEP_WORKER_H
#define SCANNER_SWEEP_WORKER_H

#include "scanner/engine.h"

/* What it says of a file; kind and reason as of a struct verdict. The sender is not trusted. */
struct sweep_answer {
	uint32_t kind, reason;
	uint64_t size;    /* bytes read */
	struct hash hash; /* of these, if they are infected */
	char signature[FINDING_SIGNATURE_MAX];
	char where[FINDING_NAME_MAX];
	char detail[VERDICT_DETAIL_MAX];
};

/* How the walker gets one. */
struct sweep_worker {
	int32_t pid;
	struct hash digest; /* of its signatures */
};

/* As worker_main. */
_Noreturn void sweep_worker_main(struct engine *engine, const struct settings *settings,
	int fd, const char *temp_dir);

/* One file, as it does for SWEEP_FILE. */
void sweep_worker_scan(struct engine *engine, const struct settings *settings, int file,
	bool is_mail, struct sweep_answer *answer_r);

#endif
