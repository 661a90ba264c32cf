/* SPDX-License-Identifier: ISC */
#include "scanner/sweep_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/pack.h"

enum {
	VERSION = 2,
	PATH_SIZE = 4096
};

static void find_done(struct sweep_find *find)
{
	free(find->path);
	*find = (struct sweep_find){ 0 };
}

void sweep_report_done(struct sweep_report *report)
{
	for (size_t i = 0; i < report->find_count; i++)
		find_done(&report->finds[i]);
	free(report->finds);
	*report = (struct sweep_report){ 0 };
}

static int path_of(const char *dir, char path_r[static PATH_SIZE], struct err *err)
{
	if (snprintf(path_r, PATH_SIZE, "%s/report", dir) >= PATH_SIZE)
		return err_set(err, ERR_SETTINGS, "sweep-state: the path is too long");
	return 0;
}

static void pack_counts(struct pack *pack, const struct sweep_counts *counts)
{
	pack_u64(pack, counts->files);
	pack_u64(pack, counts->bytes);
	pack_u64(pack, counts->scanned);
	pack_u64(pack, counts->scanned_bytes);
	pack_u64(pack, counts->infected);
	pack_u64(pack, counts->unscannable);
	pack_u64(pack, counts->unreadable);
	pack_u64(pack, counts->changed);
	pack_u64(pack, counts->large);
	pack_u64(pack, counts->later);
	for (size_t i = 0; i < SWEEP_WHY_COUNT; i++)
		pack_u64(pack, counts->why[i]);
}

static void unpack_counts(struct unpack *unpack, struct sweep_counts *counts_r)
{
	counts_r->files = unpack_u64(unpack);
	counts_r->bytes = unpack_u64(unpack);
	counts_r->scanned = unpack_u64(unpack);
	counts_r->scanned_bytes = unpack_u64(unpack);
	counts_r->infected = unpack_u64(unpack);
	counts_r->unscannable = unpack_u64(unpack);
	counts_r->unreadable = unpack_u64(unpack);
	counts_r->changed = unpack_u64(unpack);
	counts_r->large = unpack_u64(unpack);
	counts_r->later = unpack_u64(unpack);
	for (size_t i = 0; i < SWEEP_WHY_COUNT; i++)
		counts_r->why[i] = unpack_u64(unpack);
}

static int64_t unpack_when(struct unpack *unpack)
{
	return unpack_time(unpack, SWEPT_TIME_MAX_S, "a time that is none");
}

static void pack_pass(struct pack *pack, const struct sweep_pass *pass)
{
	pack_u64(pack, (uint64_t)pass->began_s);
	pack_u64(pack, (uint64_t)pass->ended_s);
	pack_counts(pack, &pass->counts);
}

static void unpack_pass(struct unpack *unpack, struct sweep_pass *pass_r)
{
	pass_r->began_s = unpack_when(unpack);
	pass_r->ended_s = unpack_when(unpack);
	unpack_counts(unpack, &pass_r->counts);
}

static void pack_find(struct pack *pack, const struct sweep_find *find)
{
	pack_text(pack, find->path, SWEEP_PATH_MAX);
	pack_u32(pack, find->pass);
	pack_u8(pack, find->is_infected);
	pack_u8(pack, (uint8_t)find->reason);
	pack_text(pack, find->signature, sizeof(find->signature));
	pack_text(pack, find->where, sizeof(find->where));
	pack_text(pack, find->detail, sizeof(find->detail));
	pack_u64(pack, find->size);
	pack_u64(pack, (uint64_t)find->found_s);
}

static int unpack_find(
	struct unpack *unpack, struct sweep_report *report, struct err *err)
{
	struct sweep_find find = { 0 };
	char path[SWEEP_PATH_MAX];
	uint8_t reason;

	unpack_text(unpack, path, sizeof(path));
	find.path = path;
	find.pass = unpack_u32(unpack);
	find.is_infected = unpack_u8(unpack) != 0;
	reason = unpack_u8(unpack);
	unpack_expect(unpack, reason <= REASON_ERROR, "a reason that is none");
	find.reason = (enum verdict_reason)reason;
	unpack_text(unpack, find.signature, sizeof(find.signature));
	unpack_text(unpack, find.where, sizeof(find.where));
	unpack_text(unpack, find.detail, sizeof(find.detail));
	find.size = unpack_u64(unpack);
	find.found_s = unpack_when(unpack);
	return unpack->wrong ? 0 : sweep_report_add(report, &find, err);
}

static int parse(struct span bytes, struct sweep_report *report, struct err *err)
{
	struct unpack unpack = { .rest = bytes };
	uint32_t count;

	unpack_expect(&unpack, unpack_u32(&unpack) == VERSION, "another version");
	report->pass = unpack_u32(&unpack);
	unpack_pass(&unpack, &report->now);
	unpack_pass(&unpack, &report->last);
	unpack_bytes(&unpack, report->digest.bytes, HASH_SIZE);
	report->written_s = unpack_when(&unpack);
	unpack_text(&unpack, report->trouble, sizeof(report->trouble));
	count = unpack_u32(&unpack);
	unpack_expect(&unpack, count <= SWEEP_FINDS_MAX, "too many finds");
	for (uint32_t i = 0; i < count && !unpack.wrong; i++)
		if (unpack_find(&unpack, report, err) < 0)
			return -1;
	unpack_expect(&unpack, unpack.rest.len == 0, "bytes follow its end");
	return unpack.wrong ? err_set(err, ERR_MESSAGE, "%s", unpack.wrong) : 0;
}

int sweep_report_load(const char *dir, struct sweep_report *report_r, struct err *err)
{
	DEFER(sweep_report_done) struct sweep_report report = { 0 };
	char path[PATH_SIZE];
	auto_buf struct buf bytes;

	buf_init(&bytes, SWEEP_REPORT_MAX);
	if (path_of(dir, path, err) < 0)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (file_read(path, SWEEP_REPORT_MAX, &bytes, err) < 0)
		return -1;
	if (parse(buf_span(&bytes), &report, err) < 0)
		return err_wrap(err, "%s is damaged", path);
	*report_r = report;
	report = (struct sweep_report){ 0 };
	return 1;
}

int sweep_report_save(const char *dir, struct sweep_report *report, struct err *err)
{
	char path[PATH_SIZE];
	auto_buf struct buf bytes;
	struct pack pack;

	buf_init(&bytes, SWEEP_REPORT_MAX);
	report->written_s = clock_wall_s();
	pack_init(&pack, &bytes, err);
	pack_u32(&pack, VERSION);
	pack_u32(&pack, report->pass);
	pack_pass(&pack, &report->now);
	pack_pass(&pack, &report->last);
	pack_bytes(&pack, report->digest.bytes, HASH_SIZE);
	pack_u64(&pack, (uint64_t)report->written_s);
	pack_text(&pack, report->trouble, sizeof(report->trouble));
	pack_u32(&pack, (uint32_t)report->find_count);
	for (size_t i = 0; i < report->find_count; i++)
		pack_find(&pack, &report->finds[i]);
	if (pack_result(&pack) < 0 || path_of(dir, path, err) < 0)
		return -1;
	return file_replace(path, buf_span(&bytes), 0600, err);
}

struct sweep_find *sweep_report_find(const struct sweep_report *report, const char *path)
{
	for (size_t i = 0; i < report->find_count; i++)
		if (strcmp(report->finds[i].path, path) == 0)
			return &report->finds[i];
	return NULL;
}

int sweep_report_add(
	struct sweep_report *report, const struct sweep_find *find, struct err *err)
{
	struct sweep_find *place = sweep_report_find(report, find->path);
	char *path;

	/* What is infected comes first. */
	for (size_t i = 0; !place && find->is_infected && i < SWEEP_FINDS_MAX &&
			   report->find_count == SWEEP_FINDS_MAX;
		i++)
		if (!report->finds[i].is_infected)
			place = &report->finds[i];
	if (!place && report->find_count == SWEEP_FINDS_MAX)
		return 0;
	if (!report->finds)
		report->finds = calloc(SWEEP_FINDS_MAX, sizeof(*report->finds));
	path = strdup(find->path);
	if (!path || !report->finds) {
		free(path);
		return err_memory(err);
	}
	if (place)
		find_done(place);
	else
		place = &report->finds[report->find_count++];
	*place = *find;
	place->path = path;
	return 0;
}

static void sum_pass(const struct sweep_pass *pass, struct swept_pass *sum_r)
{
	const struct sweep_counts *counts = &pass->counts;

	*sum_r = (struct swept_pass){ .began_s = pass->began_s,
		.ended_s = pass->ended_s,
		.files = counts->files,
		.bytes = counts->bytes,
		.scanned = counts->scanned,
		.infected = counts->infected,
		.unscannable = counts->unscannable,
		.unreadable = counts->unreadable + counts->why[SWEEP_WHY_UNREADABLE],
		.large = counts->large };
}

void sweep_report_sum(const struct sweep_report *report, struct swept *swept_r)
{
	*swept_r = (struct swept){ .on = true, .pass = report->pass };
	sum_pass(&report->now, &swept_r->now);
	sum_pass(&report->last, &swept_r->last);
	(void)snprintf(swept_r->trouble, sizeof(swept_r->trouble), "%s", report->trouble);
}

void sweep_report_prune(struct sweep_report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->find_count; i++) {
		if (report->finds[i].pass == report->pass)
			report->finds[kept++] = report->finds[i];
		else
			find_done(&report->finds[i]);
	}
	report->find_count = kept;
}
