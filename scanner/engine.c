/* SPDX-License-Identifier: ISC */
#include "scanner/engine.h"

#include <clamav.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"

#include "scanner/heard.h"
#include "scanner/probe.h"
#include "scanner/signatures.h"
#include "scanner/space.h"

enum {
	BYTECODE_TIMEOUT_MS = 10000,
	PROBE_MAIL_MAX = 4096,
	HEURISTICS_OFF = 0, /* the first word of the setting */
};

struct engine {
	struct cl_engine *clam;
	char *temp_dir;
	int64_t scan_timeout_ms;
	int64_t deadline_ms; /* of the message; 0: each scan has its own time */
};

static void on_message(
	enum cl_msg severity, const char *full, const char *text, void *context)
{
	(void)full;
	(void)context;
	if (severity >= CL_MSG_WARN)
		heard_add(severity >= CL_MSG_ERROR, text);
}

static void on_virus(int fd, const char *name, void *context)
{
	(void)fd;
	result_add_name(context, name);
}

/* For each file unpacked, before it is looked at. RAR is recognised at any depth, but the library
 * that opens it is not free and not there: without a word the scan goes on. Nor is there a word
 * where the last bytes of a part do not fit on the disk, so look while they still lie there. */
static cl_error_t on_file(int fd, const char *type, void *context)
{
	(void)fd;
	if (type && strcmp(type, "CL_TYPE_RAR") == 0)
		result_add_unscannable(context, REASON_UNSUPPORTED, "a RAR archive");
	heard_look();
	return CL_CLEAN;
}

static void add_status(struct result *sum, cl_error_t status, const char *name)
{
	switch ((int)status) {
	case CL_CLEAN:
		return;
	case CL_VIRUS:
		/* The callback has named it, unless it is the case without a name. */
		if (sum->kind == VERDICT_CLEAN && !sum->signature[0])
			result_add_name(sum, name);
		return;
	case CL_EMEM:
		result_add_retry(sum, "libclamav: out of memory");
		return;
	case CL_ETIMEOUT:
		result_add_unscannable(sum, REASON_TIMEOUT, cl_strerror(status));
		return;
	default:
		result_add_unscannable(sum, REASON_ERROR, cl_strerror(status));
	}
}

/* The time this scan may take into the engine; false if there is none left. */
static bool allot_time(struct engine *engine)
{
	int64_t left = engine->scan_timeout_ms;

	if (engine->deadline_ms)
		left = engine->deadline_ms - clock_ms();
	return left > 0 && cl_engine_set_num(engine->clam, CL_ENGINE_MAX_SCANTIME,
				   (long long)left) == CL_SUCCESS;
}

static void scan_map(struct engine *engine, cl_fmap_t *map, struct result *result)
{
	/* ALLMATCHES: else a find that only tags would hide one that matters, and of a limit
	 * and a virus libclamav would name one. Partial messages are not assembled: that needs
	 * a folder shared by all mail. */
	struct cl_scan_options options = {
		.general = CL_SCAN_GENERAL_ALLMATCHES | CL_SCAN_GENERAL_HEURISTICS,
		.parse = ~0U,
		.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX |
			     CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE |
			     CL_SCAN_HEURISTIC_ENCRYPTED_DOC,
	};
	unsigned long scanned = 0;
	const char *name = NULL;
	cl_error_t status;

	heard_start(engine->temp_dir);
	status = cl_scanmap_callback(
		map, NULL, &name, &scanned, engine->clam, &options, result);
	add_status(result, status, name);
	heard_add_result(result);
}

void engine_scan(struct engine *engine, struct span bytes, struct result *result_r)
{
	cl_fmap_t *map;

	result_init(result_r);
	if (!engine->temp_dir || !space_for(engine->temp_dir, bytes.len)) {
		result_add_retry(
			result_r, "the temp folder is missing, not writable or too full");
		return;
	}
	if (bytes.len == 0)
		return;
	if (!allot_time(engine)) {
		result_add_unscannable(
			result_r, REASON_TIMEOUT, "no time is left for this message");
		return;
	}
	map = cl_fmap_open_memory(bytes.data, bytes.len);
	if (!map) {
		add_status(result_r, CL_EMEM, NULL);
		return;
	}
	scan_map(engine, map, result_r);
	cl_fmap_close(map);
	if (result_r->kind == VERDICT_CLEAN && space_is_out(engine->temp_dir))
		result_add_retry(
			result_r, "the temp folder went or filled up during the scan");
}

void engine_begin(struct engine *engine)
{
	engine->deadline_ms = clock_ms() + engine->scan_timeout_ms;
}

int engine_use_temp(struct engine *engine, const char *dir, struct err *err)
{
	auto_free char *copy = NULL;
	struct stat file;

	if (stat(dir, &file) < 0)
		return err_errno(err, ERR_AGAIN, "temp folder %s", dir);
	if (!S_ISDIR(file.st_mode))
		return err_set(err, ERR_AGAIN, "temp folder %s is not a folder", dir);
	copy = strdup(dir);
	if (!copy || cl_engine_set_str(engine->clam, CL_ENGINE_TMPDIR, dir) != CL_SUCCESS)
		return err_memory(err);
	free(engine->temp_dir);
	engine->temp_dir = take_ptr(&copy);
	return 0;
}

const char *engine_temp(const struct engine *engine)
{
	return engine->temp_dir;
}

static int probe_scan(struct engine *engine, bool with_probe, struct err *err)
{
	struct result result;
	auto_buf struct buf mail;
	bool found;

	buf_init(&mail, PROBE_MAIL_MAX);
	if (probe_mail(with_probe, &mail, err) < 0)
		return -1;
	engine_begin(engine);
	engine_scan(engine, buf_span(&mail), &result);
	found = result.kind == VERDICT_INFECTED &&
		strncmp(result.signature, probe_name, strlen(probe_name)) == 0;
	if (with_probe ? found : result.kind == VERDICT_CLEAN)
		return 0;
	return err_set(err, ERR_FATAL, "self-test: %s%s%s%s",
		with_probe ? "the probe in a mail is not found, "
			   : "a clean mail is not clean, ",
		verdict_name(result.kind), result.detail[0] ? ": " : "",
		result.detail[0] ? result.detail : result.signature);
}

int engine_probe(struct engine *engine, struct err *err)
{
	if (probe_scan(engine, true, err) < 0)
		return -1;
	return probe_scan(engine, false, err);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	if (engine->clam)
		(void)cl_engine_free(engine->clam);
	free(engine->temp_dir);
	heard_start(NULL);
	free(engine);
}

static int load_failed(const char *what, cl_error_t status, struct err *err)
{
	char words[HEARD_TEXT_MAX];

	if (status == CL_EMEM)
		return err_set(err, ERR_AGAIN, "out of memory while %s loads", what);
	return err_set(err, ERR_SETTINGS, "%s does not load: %s", what,
		heard_text(cl_strerror(status), words));
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
	cl_engine_set_clcb_virus_found(engine->clam, on_virus);
	cl_engine_set_clcb_pre_scan(engine->clam, on_file);
	return 0;
}

static int load_all(struct engine *engine, const struct settings *settings,
	uint64_t *count, struct err *err)
{
	const struct schema_list *folders = &settings->signatures;
	uint64_t probes = 0;
	cl_error_t status;

	for (size_t i = 0; i < folders->count; i++) {
		bool test = signatures_is_test(folders->items[i]);

		if (test ? load_line(engine, settings, signatures_eicar, count, err) < 0
			 : load_path(engine, settings, folders->items[i], count, err) < 0)
			return -1;
	}
	if (load_line(engine, settings, probe_signature, &probes, err) < 0)
		return -1;
	heard_start(NULL);
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
		    "%s %s %u %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64
		    " %d %s",
		    hash_text(&signatures->digest, hex), cl_retver(), cl_retflevel(),
		    signatures->has_test, settings->scan_size_max,
		    settings->file_size_max, settings->files_max, settings->recursion_max,
		    settings->scan_timeout_ms, settings->heuristics,
		    probe_signature) < 0 ||
		hash_span(buf_span(&text), &loaded->digest, err) < 0)
		return -1;
	(void)snprintf(
		loaded->engine, sizeof(loaded->engine), "libclamav %s", cl_retver());
	(void)snprintf(loaded->unprotected, sizeof(loaded->unprotected), "%s",
		signatures_unprotected(signatures));
	return 0;
}

static int start_engine(
	struct engine *engine, const struct settings *settings, struct err *err)
{
	cl_set_clcb_msg(on_message);
	if (cl_init(CL_INIT_DEFAULT) != CL_SUCCESS)
		return err_set(err, ERR_FATAL, "libclamav does not start");
	engine->clam = cl_engine_new();
	if (!engine->clam)
		return err_memory(err);
	engine->scan_timeout_ms = settings->scan_timeout_ms;
	return set_limits(engine, settings, err);
}

int engine_load(const struct settings *settings, struct engine **engine_r,
	struct job_loaded *loaded_r, struct err *err)
{
	auto_signatures struct signatures signatures = { 0 };
	auto_engine struct engine *engine = calloc(1, sizeof(*engine));
	struct job_loaded loaded = { 0 };
	bool same;

	if (!engine)
		return err_memory(err);
	if (signatures_read(&settings->signatures, &signatures, err) < 0 ||
		start_engine(engine, settings, err) < 0 ||
		load_all(engine, settings, &loaded.signatures, err) < 0 ||
		signatures_same(&settings->signatures, &signatures, &same, err) < 0)
		return -1;
	if (!same)
		return err_set(
			err, ERR_AGAIN, "the signatures changed while they were loaded");
	if (loaded.signatures == 0)
		return err_set(err, ERR_SETTINGS,
			"the signature files hold no signatures: run freshclam (Debian "
			"package clamav-freshclam)");
	if (describe(settings, &signatures, &loaded, err) < 0)
		return -1;
	*loaded_r = loaded;
	*engine_r = take_ptr(&engine);
	return 0;
}
