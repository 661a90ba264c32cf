/* SPDX-License-Identifier: ISC
 *
 * A worker process: takes the bytes of one message from its socket, scans it whole and each part
 * as decoded here, plans the cleaning, answers; then the next. Holds no descriptor but its own. */
#ifndef SCANNER_WORKER_H
#define SCANNER_WORKER_H

#include "scanner/engine.h"

/* Serve jobs from fd until it is closed; temp_dir is this worker's own. JOB_READY once the probe is
 * found, else JOB_FAILED. To be called after mime_start and sandbox_enter. Never returns. */
_Noreturn void worker_main(struct engine *engine, const struct settings *settings, int fd,
	const char *temp_dir);

/* Keep what the heap has between scans, for as long as it is not asked to rest. */
void worker_tune_heap(void);

/* One message, as worker_main does it for JOB_SCAN: quarantine_id as clean_plan's. Fills the verdict but
 * for the message's hash, generation and time. What is left of an infected one nobody has looked at:
 * who asks has that verified. One out of which nothing can be cut is UNSCANNABLE. Fails with ERR_FATAL
 * (memory) or ERR_AGAIN (disk) only. */
int worker_scan(struct engine *engine, struct span message, const char *quarantine_id,
	struct verdict *verdict_r, struct err *err);

/* The same for JOB_CLEAN, from this level of clean_plan's on: looks at what is left, and cuts more until
 * it is clean. One that cannot be made clean, not even without its body, is UNSCANNABLE. */
int worker_clean(struct engine *engine, struct span message, uint32_t level,
	const char *quarantine_id, struct verdict *verdict_r, struct err *err);

/* The same for JOB_VERIFY: only looks, a find has no edits. */
int worker_verify(struct engine *engine, struct span message, struct verdict *verdict_r,
	struct err *err);

#endif
