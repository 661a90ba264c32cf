/* SPDX-License-Identifier: ISC
 *
 * libclamav: the only user of clamav.h. It fails open (a full temp folder, a limit, a damaged
 * archive come back as "clean"), so here clean means: no finding, no error or warning logged, no
 * limit hit. Loaded once in the engine host, used in the workers it forks, one scan at a time in
 * one process. */
#ifndef SCANNER_ENGINE_H
#define SCANNER_ENGINE_H

#include "scanner/allowance.h"
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

/* What the client of the message that comes next says is no virus; borrowed until the next call. NULL,
 * and at first: nothing. */
void engine_allow(struct engine *engine, const struct allow *allow);
struct allowance *engine_allowance(struct engine *engine);

/* A new message: its time (scan_timeout_ms) starts now, all scans until the next call share it.
 * The limit is cooperative; who must be sure kills the process. */
void engine_begin(struct engine *engine);

/* One file that libclamav looks at in a scan: the bytes themselves (level 0) or what it unpacked of
 * them. Names come from outside and may be NULL. All is borrowed until the call returns. */
struct engine_layer {
	struct span bytes;
	const char *type; /* as libclamav calls it: "CL_TYPE_ZIP" */
	const char *name;
	const char *const *ancestors; /* names, one for each level above */
	uint32_t level;
	bool is_file; /* taken out into a file of its own; else a stretch of what is around it */
};

/* Who wants to know what libclamav looks at, and which files an archive of that type lists. on_layer
 * says whether to pass it over, with all that is in it, as if it were clean. */
struct engine_watch {
	bool (*on_layer)(void *context, const struct engine_layer *layer);
	void (*on_listed)(
		void *context, const char *type, uint64_t size, bool is_encrypted);
	void *context;
	bool is_as_is; /* scan text and HTML as they stand only, not in a normal form as well */
};

/* One scan of bytes, a mail or any other file, by libclamav alone: what it cannot open is CLEAN
 * (dissect.h opens it). A limit or an error that it passes over is UNSCANNABLE here, short temp
 * space or memory is RETRY. watch may be NULL. */
void engine_scan(struct engine *engine, struct span bytes,
	const struct engine_watch *watch, struct result *result_r);

/* The settings' limits on what is unpacked, for who unpacks beside libclamav. */
struct engine_limits {
	uint64_t files_max, file_size_max, scan_size_max, recursion_max;
};
const struct engine_limits *engine_limits(const struct engine *engine);

/* When this message's time is over: of clock_ms(). */
int64_t engine_deadline(const struct engine *engine);

/* Find the probe signature in a zip in a base64 mail, and nothing in the same mail without it.
 * -1: this process must not serve; ERR_AGAIN: it could not scan, ERR_FATAL: it found the wrong thing. */
int engine_probe(struct engine *engine, struct err *err);

/* The same at the start of a process. In one that was forked from one that passed it, the probe must be
 * found; that a harmless mail is clean need not be seen again: nothing that it depends on changed. */
int engine_probe_start(struct engine *engine, struct err *err);

/* What signature sets call their functionality level: they may ask for one that this engine lacks. */
unsigned engine_level(void);

#endif
