/* SPDX-License-Identifier: ISC */
#include "scanner/dissect.h"

#include <stdio.h>
#include <string.h>

#include "scanner/parts.h"
#include "scanner/seen.h"
#include "scanner/trail.h"
#include "scanner/unpack.h"

enum {
	LOOKED_AT_LEAST = 6 /* bytes: libclamav passes over smaller files */
};

/* An archive that was met, and what came of it and of all in it. */
struct met {
	struct hash hash;
	ptrdiff_t parent; /* the one it was unpacked from here; -1: none */
	uint32_t depth;   /* archives and parts around it */
	struct result result;
};

/* One that is still to be unpacked. */
struct waiting {
	size_t met;
	enum sniff_kind kind;
	struct span bytes;
	uint8_t *own; /* its memory, unless it lies in the bytes that are dissected */
	char path[TRAIL_MAX];
};

struct dissection {
	struct engine *engine;
	struct unpack_budget budget;
	struct met *met;
	size_t met_count;
	struct waiting *waiting; /* the last is unpacked first */
	size_t waiting_count;
	uint64_t waiting_bytes;
	struct parts parts; /* of the whole message, as libclamav takes it apart */

	/* of one call: */
	struct span whole;
	struct seen seen;
	struct result *sum;
	bool is_as_is;

	/* of one scan: */
	ptrdiff_t parent;
	const char *path;
	uint32_t depth;
	bool is_listed; /* a file in an archive that libclamav alone opens, not looked at yet */
	bool is_missing; /* one never was */
};

int dissection_new(
	struct engine *engine, struct dissection **dissection_r, struct err *err)
{
	const struct engine_limits *limits = engine_limits(engine);
	struct dissection *dissection = calloc(1, sizeof(*dissection));

	if (!dissection)
		return err_memory(err);
	dissection->engine = engine;
	dissection->budget = (struct unpack_budget){ engine_temp(engine),
		limits->files_max, limits->scan_size_max, limits->file_size_max,
		engine_deadline(engine) };
	*dissection_r = dissection;
	return 0;
}

static void drop_last(struct dissection *di)
{
	struct waiting *last = &di->waiting[--di->waiting_count];

	if (last->own)
		di->waiting_bytes -= last->bytes.len;
	free(last->own);
}

void dissection_free(struct dissection *dissection)
{
	if (!dissection)
		return;
	while (dissection->waiting_count > 0)
		drop_last(dissection);
	free(dissection->waiting);
	free(dissection->met);
	seen_done(&dissection->seen);
	parts_done(&dissection->parts);
	free(dissection);
}

/* To the sum of the call, and to the archive it was found in and all around that. */
static void add_result(struct dissection *di, ptrdiff_t met, const struct result *result)
{
	result_add(di->sum, result);
	for (; met >= 0; met = di->met[met].parent)
		result_add(&di->met[met].result, result);
}

static void add_unscannable(struct dissection *di, ptrdiff_t met,
	enum verdict_reason reason, const char *path, const char *why)
{
	struct result result;
	char detail[VERDICT_DETAIL_MAX];

	result_init(&result);
	(void)snprintf(
		detail, sizeof(detail), "%.120s%s%.120s", path, path[0] ? ": " : "", why);
	result_add_unscannable(&result, reason, detail);
	add_result(di, met, &result);
}

static void add_retry(struct dissection *di, ptrdiff_t met, const char *why)
{
	struct result result;

	result_init(&result);
	result_add_retry(&result, why);
	add_result(di, met, &result);
}

static ptrdiff_t find_met(const struct dissection *di, const struct hash *hash)
{
	for (size_t i = 0; i < di->met_count; i++)
		if (hash_equal(&di->met[i].hash, hash))
			return (ptrdiff_t)i;
	return -1;
}

/* Room for one more; doubles when it is full. */
static int grow(void **list, size_t count, size_t size, struct err *err)
{
	void *more;

	/* 0, 1, 2, 4, 8 ... are full. */
	if (count & (count - 1))
		return 0;
	more = reallocarray(*list, count > 0 ? 2 * count : 1, size);
	if (!more)
		return err_memory(err);
	*list = more;
	return 0;
}

static bool is_within(struct span part, struct span whole)
{
	return part.data >= whole.data && part.data + part.len <= whole.data + whole.len;
}

/* Its bytes are libclamav's or a member's, and soon gone: keep a copy. */
static int keep(struct dissection *di, struct waiting *waiting, struct err *err)
{
	if (is_within(waiting->bytes, di->whole))
		return 0;
	if (di->waiting_bytes + waiting->bytes.len > UNPACK_WAITING_MAX)
		return err_set(err, ERR_MESSAGE, "too much in archives in archives");
	waiting->own = malloc(waiting->bytes.len);
	if (!waiting->own)
		return err_memory(err);
	memcpy(waiting->own, waiting->bytes.data, waiting->bytes.len);
	waiting->bytes.data = waiting->own;
	di->waiting_bytes += waiting->bytes.len;
	return 0;
}

static int add_waiting(struct dissection *di, const struct hash *hash, uint32_t depth,
	const struct waiting *found, struct err *err)
{
	struct waiting waiting = *found;

	if (di->met_count == UNPACK_ARCHIVES_MAX)
		return err_set(err, ERR_MESSAGE, "too many archives");
	if (depth > UNPACK_DEPTH_MAX || depth > engine_limits(di->engine)->recursion_max)
		return err_set(err, ERR_MESSAGE, "archives nested too deep");
	if (grow((void **)&di->met, di->met_count, sizeof(*di->met), err) < 0 ||
		grow((void **)&di->waiting, di->waiting_count, sizeof(*di->waiting),
			err) < 0 ||
		keep(di, &waiting, err) < 0)
		return -1;
	waiting.met = di->met_count++;
	di->met[waiting.met] = (struct met){ *hash, di->parent, depth, { 0 } };
	result_init(&di->met[waiting.met].result);
	di->waiting[di->waiting_count++] = waiting;
	return 0;
}

static void add_failure(
	struct dissection *di, ptrdiff_t met, const char *path, const struct err *err)
{
	if (err->kind == ERR_MESSAGE)
		add_unscannable(di, met, REASON_LIMIT, path, err->text);
	else
		add_retry(di, met, err->text);
}

/* An archive: to be unpacked once, whatever is made of it then. */
static void meet(
	struct dissection *di, const struct hash *hash, const struct engine_layer *layer)
{
	struct waiting found = { 0 };
	struct err err = { 0 };
	size_t start = 0;
	ptrdiff_t known;

	found.kind = sniff(layer->bytes, &start);
	if (found.kind == SNIFF_NONE)
		return;
	known = find_met(di, hash);
	if (known >= 0) {
		struct result result = di->met[known].result;

		add_result(di, di->parent, &result);
		return;
	}
	found.bytes = span_part(layer->bytes, start, layer->bytes.len);
	(void)snprintf(found.path, sizeof(found.path), "%s", di->path);
	for (uint32_t i = 1; i < layer->level; i++)
		trail_add(found.path, layer->ancestors[i]);
	if (layer->level > 0)
		trail_add(found.path, layer->name);
	if (add_waiting(di, hash, di->depth + layer->level, &found, &err) < 0)
		add_failure(di, di->parent, found.path, &err);
}

/* What only libclamav opens: there it must look at each file right after it lists it. */
static bool is_alone(const char *type)
{
	static const char *const types[] = { "CL_TYPE_ARJ", "CL_TYPE_EGG",
		"CL_TYPE_MSCAB", "CL_TYPE_CABSFX" };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strncmp(type, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

static void on_layer(void *context, const struct engine_layer *layer)
{
	struct dissection *di = context;
	struct hash hash;
	struct err err;

	if (layer->bytes.len == 0)
		return;
	di->is_listed = false;
	if (hash_span(layer->bytes, &hash, &err) < 0 ||
		parts_meet(&di->parts, layer, di->depth, &hash, &err) < 0) {
		add_retry(di, di->parent, err.text);
		return;
	}
	seen_add(&di->seen, &hash);
	meet(di, &hash, layer);
}

static void on_listed(void *context, const char *type, uint64_t size, bool is_encrypted)
{
	struct dissection *di = context;

	if (size < LOOKED_AT_LEAST || !is_alone(type))
		return;
	if (is_encrypted) {
		add_unscannable(di, di->parent, REASON_ENCRYPTED, di->path,
			"an encrypted file in an archive");
		return;
	}
	di->is_missing = di->is_missing || di->is_listed;
	di->is_listed = true;
}

static void scan(struct dissection *di, struct span bytes, ptrdiff_t parent,
	const char *path, uint32_t depth)
{
	const struct engine_watch watch = { on_layer, on_listed, di,
		di->is_as_is && depth == 0 };
	struct result result;

	di->parent = parent;
	di->path = path;
	di->depth = depth;
	di->is_listed = di->is_missing = false;
	engine_scan(di->engine, bytes, &watch, &result);
	if (result.signature[0])
		(void)snprintf(result.where, sizeof(result.where), "%s", path);
	add_result(di, parent, &result);
	if (di->is_listed || di->is_missing)
		add_unscannable(di, parent, REASON_UNSUPPORTED, path,
			"files in an archive that could not be opened");
}

/* What an archive is unpacked into. */
struct inside {
	struct dissection *di;
	const struct waiting *archive;
};

static int take_member(
	void *context, const char *name, struct span bytes, struct err *err)
{
	struct inside *inside = context;
	struct dissection *di = inside->di;
	size_t met = inside->archive->met;
	char path[TRAIL_MAX];
	struct hash hash;

	if (hash_span(bytes, &hash, err) < 0)
		return -1;
	if (seen_has(&di->seen, &hash))
		return 0;
	(void)snprintf(path, sizeof(path), "%s", inside->archive->path);
	trail_add(path, name);
	scan(di, bytes, (ptrdiff_t)met, path, di->met[met].depth + 1);
	return 0;
}

static void open_one(struct dissection *di, const struct waiting *archive)
{
	struct inside inside = { di, archive };
	ptrdiff_t met = (ptrdiff_t)archive->met;
	struct result trouble;
	const struct unpack_to to = { take_member, &inside, &trouble };
	struct err err = { 0 };

	result_init(&trouble);
	if (unpack(archive->kind, archive->bytes, &di->budget, &to, &err) < 0)
		add_retry(di, met, err.text);
	if (trouble.kind != VERDICT_CLEAN)
		add_unscannable(di, met, trouble.reason, archive->path, trouble.detail);
}

void dissect(struct dissection *dissection, struct span bytes, struct result *result_r)
{
	struct dissection *di = dissection;

	result_init(result_r);
	di->whole = bytes;
	di->sum = result_r;
	parts_start(&di->parts);
	seen_done(&di->seen);
	scan(di, bytes, -1, "", 0);
	while (di->waiting_count > 0) {
		struct waiting archive = di->waiting[di->waiting_count - 1];

		/* Members push behind it: it leaves first, and is released after them. */
		di->waiting_count--;
		open_one(di, &archive);
		if (archive.own)
			di->waiting_bytes -= archive.bytes.len;
		free(archive.own);
	}
	di->sum = NULL;
}

void dissect_mail(
	struct dissection *dissection, struct span message, struct result *result_r)
{
	struct dissection *di = dissection;

	parts_done(&di->parts);
	di->parts.is_open = true;
	dissect(di, message, result_r);
	di->parts.is_open = false;
	if (result_r->kind != VERDICT_CLEAN || result_r->signature[0])
		parts_done(&di->parts);
}

/* Text in its own bytes, for all that depends on its line ends or on where it starts and ends: hashes,
 * patterns at an offset or over more than one line, files in it. What is not done again is to look at
 * it in the normal forms of libclamav, where CR LF is what LF is: a blank (textnorm.c, htmlnorm.c;
 * a form may have a blank less at its end, or where HTML of over 8 KB is read on). If there is
 * anything in it, or it is not the text that it was taken for, this was not enough. */
static bool scan_as_is(
	struct dissection *di, struct span bytes, unsigned kinds, struct result *result_r)
{
	di->is_as_is = true;
	dissect(di, bytes, result_r);
	di->is_as_is = false;
	return result_r->kind == VERDICT_CLEAN && !result_r->signature[0] &&
	       parts_were_text(&di->parts, kinds);
}

int dissect_part(struct dissection *dissection, struct span part, struct result *result_r,
	struct err *err)
{
	struct dissection *di = dissection;
	unsigned kinds;
	bool found;

	result_init(result_r);
	if (parts_find(&di->parts, part, &found, err) < 0)
		return -1;
	if (found)
		return 0;
	if (parts_find_text(&di->parts, part, &kinds, err) < 0)
		return -1;
	if (kinds == 0 || !scan_as_is(di, part, kinds, result_r))
		dissect(di, part, result_r);
	return 0;
}
