/* SPDX-License-Identifier: ISC */
#include "scanner/engine.h"

#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"

#include "scanner/crowd.h"
#include "scanner/engine_inside.h"
#include "scanner/heard.h"
#include "scanner/space.h"

/* What libclamav's callbacks are given. */
struct scanning {
	struct result *result;
	const struct engine_watch *watch;
	struct allowance *allowance;
	int64_t level; /* of what it looks at now; -1: none, it sums up */
	bool is_named; /* it has said what it found */
	uint64_t files_max;
};

static void on_message(
	enum cl_msg severity, const char *full, const char *text, void *context)
{
	(void)full;
	(void)context;
	if (severity >= CL_MSG_WARN)
		heard_add(severity >= CL_MSG_ERROR, text);
}

/* A limit or an encrypted file has a name, too, but is no find: nobody can allow it. */
static void add_name(struct scanning *scanning, const char *name)
{
	struct result found;

	scanning->is_named = true;
	result_init(&found);
	result_add_name(&found, name);
	if (found.signature[0] && allowance_name(scanning->allowance, found.signature))
		return;
	found.is_surface = scanning->level == 0;
	result_add(scanning->result, &found);
}

static void on_virus(int fd, const char *name, void *context)
{
	(void)fd;
	add_name(context, name);
}

/* libclamav has done with a file, and goes on with the one around it. */
static cl_error_t on_end(int fd, int status, const char *name, void *context)
{
	struct scanning *scanning = context;

	(void)fd;
	(void)status;
	(void)name;
	scanning->level--;
	return CL_CLEAN;
}

/* For each file unpacked, before it is looked at. Where the last bytes of a part do not fit on the
 * disk there is no word of it, so look while they still lie there. */
/* NOLINTNEXTLINE(readability-function-size): libclamav's callback */
static cl_error_t on_file(int fd, const char *type, const char **ancestors,
	size_t parent_size, const char *name, size_t size, const char *bytes,
	uint32_t level, uint32_t attributes, void *context)
{
	struct scanning *scanning = context;
	const struct engine_layer layer = { { (const uint8_t *)bytes, size },
		type ? type : "", name, ancestors, level, fd >= 0 };

	(void)parent_size;
	(void)attributes;
	heard_look();
	scanning->level = level;
	if (!bytes && size > 0)
		result_add_unscannable(scanning->result, REASON_ERROR,
			"libclamav could not read what it unpacked");
	/* It scans HTML in its normal forms alone (HTMLSKIPRAW): as it is, not at all. */
	else if (scanning->watch &&
		 (scanning->watch->on_layer(scanning->watch->context, &layer) ||
			 (scanning->watch->is_as_is && level == 0 &&
				 strcmp(layer.type, "CL_TYPE_HTML") == 0)))
		return CL_BREAK;
	if (!bytes || !crowd_is_over(layer.bytes, scanning->files_max))
		return CL_CLEAN;
	result_add_unscannable(
		scanning->result, REASON_LIMIT, "more uuencoded files than files-max");
	return CL_BREAK; /* not looked at */
}

/* NOLINTNEXTLINE(readability-function-size): libclamav's callback */
static cl_error_t on_listed(const char *type, unsigned long size_packed, const char *name,
	unsigned long size, int is_encrypted, unsigned position, void *context)
{
	struct scanning *scanning = context;

	(void)name;
	(void)size_packed;
	(void)position;
	if (scanning->watch)
		scanning->watch->on_listed(scanning->watch->context, type ? type : "",
			size, is_encrypted != 0);
	return CL_CLEAN;
}

static void add_status(struct scanning *scanning, cl_error_t status, const char *name)
{
	struct result *sum = scanning->result;

	switch ((int)status) {
	case CL_CLEAN:
		return;
	case CL_VIRUS:
		/* The callback has named it, unless it is the case without a name. */
		if (!scanning->is_named)
			add_name(scanning, name);
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

static void scan_map(struct engine *engine, cl_fmap_t *map, struct scanning *scanning)
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

	if (scanning->watch && scanning->watch->is_as_is)
		options.parse &= ~(uint32_t)CL_SCAN_PARSE_HTML;
	/* Each picture is decoded and made small for it. */
	if (!engine->has_pictures)
		options.parse &= ~(uint32_t)CL_SCAN_PARSE_IMAGE_FUZZY_HASH;
	heard_start(engine->temp_dir);
	status = cl_scanmap_callback(
		map, NULL, &name, &scanned, engine->clam, &options, scanning);
	add_status(scanning, status, name);
	heard_add_result(scanning->result);
}

void engine_scan(struct engine *engine, struct span bytes,
	const struct engine_watch *watch, struct result *result_r)
{
	struct scanning scanning = { result_r, watch, &engine->allowance, -1, false,
		engine->limits.files_max };
	cl_fmap_t *map;

	result_init(result_r);
	if (!engine->temp_dir || !space_for(engine->temp_dir, bytes.len)) {
		result_add_short(
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
		add_status(&scanning, CL_EMEM, NULL);
		return;
	}
	scan_map(engine, map, &scanning);
	cl_fmap_close(map);
	if (result_r->kind == VERDICT_CLEAN && space_is_out(engine->temp_dir))
		result_add_short(
			result_r, "the temp folder went or filled up during the scan");
}

void engine_allow(struct engine *engine, const struct allow *allow)
{
	allowance_start(&engine->allowance, allow);
}

struct allowance *engine_allowance(struct engine *engine)
{
	return &engine->allowance;
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

const struct engine_limits *engine_limits(const struct engine *engine)
{
	return &engine->limits;
}

int64_t engine_deadline(const struct engine *engine)
{
	return engine->deadline_ms ? engine->deadline_ms
				   : clock_ms() + engine->scan_timeout_ms;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	if (engine->clam)
		(void)cl_engine_free(engine->clam);
	free(engine->temp_dir);
	allowance_done(&engine->allowance);
	heard_start(NULL);
	free(engine);
}

void engine_listen(struct engine *engine)
{
	cl_set_clcb_msg(on_message);
	cl_engine_set_clcb_virus_found(engine->clam, on_virus);
	cl_engine_set_clcb_file_inspection(engine->clam, on_file);
	cl_engine_set_clcb_post_scan(engine->clam, on_end);
	cl_engine_set_clcb_meta(engine->clam, on_listed);
}
