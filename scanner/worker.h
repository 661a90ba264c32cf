/* SPDX-License-Identifier: ISC
 *
 * A worker process: takes the bytes of one message from its socket, scans it whole and each part
 * as decoded here, plans the cleaning, answers; then the next. Holds no descriptor but its own. */
#ifndef SCANNER_WORKER_H
#define SCANNER_WORKER_H

#include "scanner/engine.h"

/* Serve jobs from fd until it is closed; temp_dir is this worker's own. Never returns. */
_Noreturn void worker_main(struct engine *engine, const struct settings *settings, int fd,
	const char *temp_dir);

/* One message, as worker_main does it: level and quarantine_id as clean_plan's. Fills the
 * verdict but for hash and time. */
int worker_scan(struct engine *engine, struct span message, uint32_t level,
	const char *quarantine_id, struct verdict *verdict_r, struct err *err);

#endif
