/* SPDX-License-Identifier: ISC
 *
 * libclamav: the only user of clamav.h. It fails open (a full temp folder, a limit, a damaged
 * archive come back as "clean"), so here clean means: no finding, no error or warning logged, no
 * limit hit. Loaded once in the engine host, used in the workers it forks, one scan at a time in
 * one process. */
#ifndef SCANNER_ENGINE_H
#define SCANNER_ENGINE_H

#include "common/verdict.h"
#include "scanner/job.h"
#include "scanner/settings.h"

struct engine;

/* Load every directory of the settings, and the probe. A directory without a signature file is
 * ERR_SETTINGS and says to run freshclam; one that does not load, too, with libclamav's reason.
 * *loaded_r says what is in. Takes seconds to a minute with the official sets. */
int engine_load(const struct settings *settings, struct engine **engine_r,
	struct job_loaded *loaded_r, struct err *err);
void engine_free(struct engine *engine);

/* Where this process may unpack: its own folder, made by the caller. */
int engine_use_temp(struct engine *engine, const char *dir, struct err *err);

/* One scan of bytes: kind is CLEAN, INFECTED (signature says of what) or UNSCANNABLE with its
 * reason; RETRY if the temp space is short. is_mail only names it for libclamav's log. */
struct engine_result {
	enum verdict_kind kind;
	enum verdict_reason reason;
	char signature[FINDING_SIGNATURE_MAX];
	char detail[VERDICT_DETAIL_MAX];
};
void engine_scan(
	struct engine *engine, struct span bytes, struct engine_result *result_r);

/* Find the probe signature in a zip in a base64 mail, and nothing in the same mail without it.
 * -1: this process must not serve. */
int engine_probe(struct engine *engine, struct err *err);

#endif
