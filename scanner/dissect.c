/* SPDX-License-Identifier: ISC */
#include "scanner/dissect_inside.h"

#include <stdio.h>
#include <string.h>

#include "scanner/changed.h"
#include "scanner/trail.h"

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

static void add_retry(struct dissection *di, ptrdiff_t met, const struct err *err)
{
	struct result result;

	result_init(&result);
	result_add_failure(&result, err);
	add_result(di, met, &result);
}

static ptrdiff_t find_met(
	const struct dissection *di, const struct hash *hash, enum sniff_kind kind)
{
	for (size_t i = 0; i < di->met_count; i++)
		if (di->met[i].kind == kind && hash_equal(&di->met[i].hash, hash))
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

/* Its bytes are libclamav's or a member's, and soon gone: keep a copy. */
static int keep(struct dissection *di, struct waiting *waiting, struct err *err)
{
	const uint8_t *start = waiting->bytes.data, *end = di->whole.data + di->whole.len;

	if (start >= di->whole.data && start < end)
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
	di->met[waiting.met] =
		(struct met){ *hash, found->kind, di->parent, depth, { 0 } };
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
		add_retry(di, met, err);
}

/* An archive: to be unpacked once, whatever is made of it then. */
static void meet(struct dissection *di, const struct engine_layer *layer,
	enum sniff_kind kind, struct span bytes, const struct hash *hash)
{
	struct waiting found = { .kind = kind, .bytes = bytes };
	ptrdiff_t known = find_met(di, hash, kind);
	struct err err = { 0 };

	if (known >= 0) {
		struct result result = di->met[known].result;

		add_result(di, di->parent, &result);
		return;
	}
	(void)snprintf(found.path, sizeof(found.path), "%s", di->path);
	for (uint32_t i = 1; i < layer->level; i++)
		trail_add(found.path, layer->ancestors[i]);
	if (layer->level > 0)
		trail_add(found.path, layer->name);
	if (add_waiting(di, hash, di->depth + layer->level, &found, &err) < 0)
		add_failure(di, di->parent, found.path, &err);
}

/* All archives that begin or end here, or stand behind other bytes. */
struct contents {
	struct sniffed list[SNIFFED_MAX];
	size_t count;
	bool is_passed_over; /* libclamav would not look at them as they are */
};

static void look_for_contents(
	const struct engine_layer *layer, struct contents *contents_r)
{
	const struct sniffed *first = contents_r->list;

	sniff(layer->bytes, contents_r->list, &contents_r->count);
	contents_r->is_passed_over =
		changed_must(layer->type, contents_r->count > 0 && first->start == 0 &&
						  first->kind != SNIFF_ZIP_END);
}

static int meet_all(struct dissection *di, const struct engine_layer *layer,
	const struct contents *contents, const struct hash *hash, struct err *err)
{
	for (size_t i = 0; i < contents->count; i++) {
		const struct sniffed *found = &contents->list[i];
		struct span part = span_part(layer->bytes, found->start, found->len);
		struct hash own = *hash;

		if (part.len != layer->bytes.len && hash_span(part, &own, err) < 0)
			return -1;
		meet(di, layer, found->kind, part, &own);
	}
	if (!contents->is_passed_over)
		return 0;
	if (!changed_already(layer->bytes))
		meet(di, layer, SNIFF_PASSED_OVER, layer->bytes, hash);
	else
		add_unscannable(di, di->parent, REASON_UNSUPPORTED, di->path,
			"libclamav does not look at files of this type");
	return 0;
}

/* The bytes that are dissected are asked for again by no one, unless something is unpacked from them
 * or a hash is allowed; what is in them may be. */
static bool needs_hash(const struct dissection *di, const struct engine_layer *layer,
	const struct contents *contents)
{
	return di->depth > 0 || layer->level > 0 || contents->count > 0 ||
	       contents->is_passed_over ||
	       allowance_has_hashes(engine_allowance(di->engine));
}

static bool on_layer(void *context, const struct engine_layer *layer)
{
	struct dissection *di = context;
	struct hash hash = { 0 };
	struct contents contents;
	bool is_allowed = false;
	struct err err;

	if (layer->bytes.len == 0)
		return false;
	look_for_contents(layer, &contents);
	if (needs_hash(di, layer, &contents)) {
		if (hash_span(layer->bytes, &hash, &err) < 0) {
			add_retry(di, di->parent, &err);
			return false;
		}
		seen_add(&di->seen, &hash);
		is_allowed = allowance_layer(
			engine_allowance(di->engine), layer->bytes, &hash);
	}
	/* What is passed over need not be opened. */
	alone_layer(&di->alone, is_allowed ? "" : layer->type, layer->level,
		layer->bytes.len);
	if (!is_allowed && (parts_meet(&di->parts, layer, di->depth, &hash, &err) < 0 ||
				   meet_all(di, layer, &contents, &hash, &err) < 0))
		add_retry(di, di->parent, &err);
	return is_allowed;
}

static void on_listed(void *context, const char *type, uint64_t size, bool is_encrypted)
{
	struct dissection *di = context;

	if (is_encrypted && alone_is(type))
		add_unscannable(di, di->parent, REASON_ENCRYPTED, di->path,
			"an encrypted file in an archive");
	alone_listed(&di->alone, type, is_encrypted ? 0 : size);
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
	di->alone = (struct alone){ 0 };
	engine_scan(di->engine, bytes, &watch, &result);
	if (parent >= 0)
		result.is_surface = false;
	if (result.signature[0])
		(void)snprintf(result.where, sizeof(result.where), "%s", path);
	add_result(di, parent, &result);
	if (alone_end(&di->alone) && !di->may_be_none)
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
	if (seen_has(&di->seen, &hash) ||
		allowance_hash(engine_allowance(di->engine), &hash))
		return 0;
	(void)snprintf(path, sizeof(path), "%s", inside->archive->path);
	trail_add(path, name);
	scan(di, bytes, (ptrdiff_t)met, path, di->met[met].depth + 1);
	return 0;
}

/* Once more, changed so that libclamav looks at it. */
static void scan_changed(struct dissection *di, const struct waiting *file)
{
	auto_buf struct buf copy;
	struct err err = { 0 };

	if (changed_make(file->kind, file->bytes, &copy, &err) < 0)
		add_retry(di, (ptrdiff_t)file->met, &err);
	else
		scan(di, buf_span(&copy), (ptrdiff_t)file->met, file->path,
			di->met[file->met].depth + 1);
}

/* Behind other bytes: as a file of its own. */
static void scan_as_file(struct inside *inside)
{
	struct dissection *di = inside->di;
	const struct waiting *file = inside->archive;
	struct err err = { 0 };

	di->may_be_none = file->kind == SNIFF_MAYBE_FILE;
	if (take_member(inside, "", file->bytes, &err) < 0)
		add_retry(di, (ptrdiff_t)file->met, &err);
	di->may_be_none = false;
}

static void unpack_one(struct inside *inside)
{
	struct dissection *di = inside->di;
	const struct waiting *archive = inside->archive;
	ptrdiff_t met = (ptrdiff_t)archive->met;
	struct result trouble;
	const struct unpack_to to = { take_member, inside, &trouble };
	struct err err = { 0 };

	result_init(&trouble);
	if (unpack(archive->kind, archive->bytes, &di->budget, &to, &err) < 0)
		add_retry(di, met, &err);
	if (trouble.kind != VERDICT_CLEAN)
		add_unscannable(di, met, trouble.reason, archive->path, trouble.detail);
}

static void open_one(struct dissection *di, const struct waiting *archive)
{
	struct inside inside = { di, archive };

	if (archive->kind == SNIFF_PASSED_OVER || archive->kind == SNIFF_PDF)
		scan_changed(di, archive);
	else if (archive->kind == SNIFF_AS_FILE || archive->kind == SNIFF_MAYBE_FILE)
		scan_as_file(&inside);
	else
		unpack_one(&inside);
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
