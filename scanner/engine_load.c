/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "scanner/engine_inside.h"
#include "scanner/heard.h"
#include "scanner/probe.h"
#include "scanner/signatures.h"
#include "scanner/unpack.h"

enum {
	BYTECODE_TIMEOUT_MS = 10000,
	HEURISTICS_OFF = 0,    /* the first word of the setting */
	FEW_BYTES = 64 * 1024, /* of signatures: some hundreds */
};

static int load_failed(const char *what, cl_error_t status, struct err *err)
{
	char words[HEARD_TEXT_MAX];
	bool short_of = status == CL_EWRITE || status == CL_ECREAT ||
			status == CL_ETMPFILE || status == CL_ETMPDIR;

	if (status == CL_EMEM)
		return err_set(err, ERR_AGAIN, "out of memory while %s loads", what);
	return err_set(err, short_of ? ERR_AGAIN : ERR_SETTINGS, "%s does not load: %s",
		what, heard_text(cl_strerror(status), words));
}

static int load_path(struct engine *engine, const struct settings *settings,
	const char *path, uint64_t *count, struct err *err)
{
	unsigned options = CL_DB_STDOPT, loaded = 0;
	cl_error_t status;

	/* Not loaded, it costs nothing and finds nothing. */
	if (settings->heuristics == HEURISTICS_OFF)
		options &= ~(unsigned)CL_DB_PHISHING_URLS;
	heard_start(NULL);
	status = cl_load(path, engine->clam, &loaded, options);
	if (status != CL_SUCCESS)
		return load_failed(path, status, err);
	*count += loaded;
	return 0;
}

static int load_line(struct engine *engine, const struct settings *settings,
	const char *line, uint64_t *count, struct err *err)
{
	char path[SIGNATURES_PATH_MAX];
	int loaded;

	if (signatures_write(settings->temp_dir, line, path, err) < 0)
		return -1;
	loaded = load_path(engine, settings, path, count, err);
	(void)unlink(path);
	return loaded;
}

static int set_limits(
	struct engine *engine, const struct settings *settings, struct err *err)
{
	const struct {
		enum cl_engine_field field;
		uint64_t value;
	} limits[] = {
		{ CL_ENGINE_MAX_SCANSIZE, settings->scan_size_max },
		{ CL_ENGINE_MAX_FILESIZE, settings->file_size_max },
		{ CL_ENGINE_MAX_RECURSION, settings->recursion_max },
		{ CL_ENGINE_MAX_FILES, settings->files_max },
		{ CL_ENGINE_MAX_SCANTIME, (uint64_t)settings->scan_timeout_ms },
		{ CL_ENGINE_BYTECODE_TIMEOUT, BYTECODE_TIMEOUT_MS },
		/* Its key is MD5: a benign file lets a colliding one pass. */
		{ CL_ENGINE_DISABLE_CACHE, 1 },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (cl_engine_set_num(engine->clam, limits[i].field,
			    (long long)limits[i].value) != CL_SUCCESS)
			return err_set(err, ERR_SETTINGS,
				"libclamav refuses a limit of %" PRIu64, limits[i].value);
	engine->limits =
		(struct engine_limits){ settings->files_max, settings->file_size_max,
			settings->scan_size_max, settings->recursion_max };
	return 0;
}

/* Of the folders that are to be loaded the last. */
static size_t last_folder(
	const struct settings *settings, const struct signatures_without *without)
{
	size_t last = 0;

	for (size_t i = 0; i < settings->signatures.count; i++)
		if (!(without->folders & 1U << i))
			last = i;
	return last;
}

static int is_ignore_list(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && (strcasecmp(dot, ".ign") == 0 || strcasecmp(dot, ".ign2") == 0);
}

/* The names that a folder wants ignored. libclamav heeds them in what it loads later only. */
static int load_ignored(struct engine *engine, const struct settings *settings,
	const char *folder, struct err *err)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_ignore_list, alphasort), loaded = 0;
	char path[SIGNATURES_PATH_MAX];
	uint64_t names = 0;

	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		free(entries[i]);
		if (loaded == 0)
			loaded = load_path(engine, settings, path, &names, err);
	}
	free(entries);
	return loaded;
}

/* Of all folders, before any signature: else what a folder ignores would depend on the order. */
static int load_all_ignored(struct engine *engine, const struct settings *settings,
	const struct signatures_without *without, size_t *folder_r, struct err *err)
{
	for (size_t i = 0; i < settings->signatures.count; i++) {
		const char *folder = settings->signatures.items[i];

		*folder_r = i;
		if (!(without->folders & 1U << i) && !signatures_is_test(folder) &&
			load_ignored(engine, settings, folder, err) < 0)
			return -1;
	}
	return 0;
}

/* *folder_r: the one that is at work, to which a failure is put down. */
static int load_all(struct engine *engine, const struct settings *settings,
	const struct signatures_without *without, uint64_t *count, size_t *folder_r,
	struct err *err)
{
	const struct schema_list *folders = &settings->signatures;
	uint64_t probes = 0;
	cl_error_t status;

	if (load_all_ignored(engine, settings, without, folder_r, err) < 0)
		return -1;
	for (size_t i = 0; i < folders->count; i++) {
		bool test = signatures_is_test(folders->items[i]);

		if (without->folders & 1U << i)
			continue;
		*folder_r = i;
		if (test ? load_line(engine, settings, signatures_eicar, count, err) < 0
			 : load_path(engine, settings, folders->items[i], count, err) < 0)
			return -1;
	}
	if (load_line(engine, settings, probe_signature, &probes, err) < 0)
		return -1;
	heard_start(NULL);
	/* Which one it does not like is not said: they are tried without the last, one by one. */
	*folder_r = last_folder(settings, without);
	status = cl_engine_compile(engine->clam);
	return status == CL_SUCCESS ? 0 : load_failed("the signature set", status, err);
}

/* The digest stands for everything that a verdict depends on. */
static int describe(const struct settings *settings, const struct signatures *signatures,
	struct job_loaded *loaded, struct err *err)
{
	auto_buf struct buf text;
	char hex[HASH_TEXT_MAX];

	buf_init(&text, 4096);
	if (buf_printf(&text, err,
		    "%s %s %s %u %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		    " %" PRId64 " %d %s",
		    hash_text(&signatures->digest, hex), cl_retver(), unpack_version(),
		    cl_retflevel(), signatures->has_test, settings->scan_size_max,
		    settings->file_size_max, settings->files_max, settings->recursion_max,
		    settings->scan_timeout_ms, settings->heuristics,
		    probe_signature) < 0 ||
		hash_span(buf_span(&text), &loaded->digest, err) < 0)
		return -1;
	loaded->dated_s = signatures->dated_s;
	(void)snprintf(
		loaded->engine, sizeof(loaded->engine), "libclamav %s", cl_retver());
	(void)snprintf(loaded->unprotected, sizeof(loaded->unprotected), "%s",
		signatures_unprotected(signatures));
	return 0;
}

static int start_engine(
	struct engine *engine, const struct settings *settings, struct err *err)
{
	if (cl_init(CL_INIT_DEFAULT) != CL_SUCCESS)
		return err_set(err, ERR_FATAL, "libclamav does not start");
	engine->clam = cl_engine_new();
	if (!engine->clam)
		return err_memory(err);
	engine_listen(engine);
	engine->scan_timeout_ms = settings->scan_timeout_ms;
	return set_limits(engine, settings, err);
}

/* libclamav looks for plain patterns with one algorithm (Boyer-Moore) and for all others with another
 * (Aho-Corasick), which finds both. With few signatures the first is a third of a scan, and its work
 * little for the second. With many it is needed: those that start alike, such as "http://", make one
 * long list of the second. */
static int choose_matcher(
	struct engine *engine, const struct signatures *signatures, struct err *err)
{
	if (signatures->bytes > FEW_BYTES)
		return 0;
	if (cl_engine_set_num(engine->clam, CL_ENGINE_AC_ONLY, 1) != CL_SUCCESS)
		return err_set(err, ERR_FATAL, "libclamav refuses to match in one way");
	return 0;
}

static int load_once(const struct settings *settings, struct signatures_without *without,
	struct engine **engine_r, struct job_loaded *loaded_r, size_t *folder_r,
	struct err *err)
{
	auto_signatures struct signatures signatures = { 0 };
	auto_engine struct engine *engine = calloc(1, sizeof(*engine));
	struct job_loaded loaded = { 0 };
	bool same;

	*folder_r = 0;
	if (!engine)
		return err_memory(err);
	if (signatures_read(&settings->signatures, without, &signatures, err) < 0 ||
		start_engine(engine, settings, err) < 0 ||
		choose_matcher(engine, &signatures, err) < 0 ||
		load_all(engine, settings, without, &loaded.signatures, folder_r, err) <
			0 ||
		signatures_same(&settings->signatures, &signatures, &same, err) < 0)
		return -1;
	if (!same)
		return err_set(
			err, ERR_AGAIN, "the signatures changed while they were loaded");
	if (loaded.signatures == 0)
		return err_set(err, ERR_SETTINGS,
			"the signature files hold no signatures: run freshclam (\"apt "
			"install clamav-freshclam\" does so by itself)");
	if (describe(settings, &signatures, &loaded, err) < 0)
		return -1;
	engine->has_pictures = signatures.has_pictures;
	*loaded_r = loaded;
	*engine_r = take_ptr(&engine);
	return 0;
}

int engine_load(const struct settings *settings, struct engine **engine_r,
	struct job_loaded *loaded_r, struct err *err)
{
	struct signatures_without without = { 0 };
	struct err why = { 0 };
	size_t folder;

	/* A folder that fails leaves half of it behind: another engine loads without it. Each time
	 * there is one less. */
	while (load_once(settings, &without, engine_r, loaded_r, &folder, &why) < 0) {
		if (folder == 0 || why.kind != ERR_SETTINGS)
			return err_set(err, why.kind, "%s", why.text);
		signatures_leave_out(&without, &settings->signatures, folder, why.text);
	}
	(void)snprintf(loaded_r->left_out, sizeof(loaded_r->left_out), "%s", without.why);
	return 0;
}

unsigned engine_level(void)
{
	return cl_retflevel();
}
