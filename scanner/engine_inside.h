/* SPDX-License-Identifier: ISC
 *
 * What loading (engine_load.c) and scanning (engine.c) share. */
#ifndef SCANNER_ENGINE_INSIDE_H
#define SCANNER_ENGINE_INSIDE_H

#include <clamav.h>

#include "scanner/engine.h"

struct engine {
	struct cl_engine *clam;
	char *temp_dir;
	int64_t scan_timeout_ms;
	int64_t deadline_ms; /* of the message; 0: each scan has its own time */
	bool has_pictures;   /* as signatures.h */
	bool is_proved; /* it passed engine_probe, here or where this process was forked */
	struct engine_limits limits;
	struct allowance allowance;
};

/* What libclamav finds, meets and says comes to engine.c from now on. */
void engine_listen(struct engine *engine);

#endif
