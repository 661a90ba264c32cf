/* SPDX-License-Identifier: ISC
 *
 * libclamav: the only user of clamav.h. It fails open (a full temp folder, a limit, a damaged
 * archive come back as "clean"), so here clean means: no finding, no error or warning logged, no
 * limit hit. Loaded once in the engine host, used in the workers it forks, one scan at a time in
 * one process. */
#ifndef SCANNER_ENGINE_H
#define SCANNER_ENGINE_H

#include "scanner/job.h"
#include "scanner/result.h"
#include "scanner/settings.h"

struct engine;

/* Load every directory of the settings, and the probe. The first without a signature file is
 * ERR_SETTINGS and says to run freshclam; or if it does not load, with libclamav's reason. Those
 * behind it are left out then. Files that change meanwhile, short memory or disk: ERR_AGAIN. *loaded_r says what is in. Takes
 * seconds to a minute with the official sets. */
int engine_load(const struct settings *settings, struct engine **engine_r,
	struct job_loaded *loaded_r, struct err *err);
void engine_free(struct engine *engine);
#define auto_engine DEFER(defer_engine)
static inline void defer_engine(struct engine **engine)
{
	engine_free(*engine);
}

/* Where this process may unpack: its own folder, made by the caller. */
int engine_use_temp(struct engine *engine, const char *dir, struct err *err);
const char *engine_temp(const struct engine *engine);

/* A new message: its time (scan_timeout_ms) starts now, all scans until the next call share it.
 * The limit is cooperative; who must be sure kills the process. */
void engine_begin(struct engine *engine);

/* One scan of bytes, a mail or any other file. A limit or an error that libclamav passes over is
 * UNSCANNABLE here, short temp space or memory is RETRY. */
void engine_scan(struct engine *engine, struct span bytes, struct result *result_r);

/* Find the probe signature in a zip in a base64 mail, and nothing in the same mail without it.
 * -1: this process must not serve. */
int engine_probe(struct engine *engine, struct err *err);

#endif
