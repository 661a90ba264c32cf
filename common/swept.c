/* SPDX-License-Identifier: ISC */
#include "common/swept.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

enum {
	SIZE_CELL_MAX = 32,
	UNIT = 1024
};

static bool is_time(int64_t time_s)
{
	return time_s >= 0 && time_s <= SWEPT_TIME_MAX_S;
}

static void pack_pass(struct pack *pack, const struct swept_pass *pass)
{
	pack_u64(pack, (uint64_t)pass->began_s);
	pack_u64(pack, (uint64_t)pass->ended_s);
	pack_u64(pack, pass->files);
	pack_u64(pack, pass->bytes);
	pack_u64(pack, pass->scanned);
	pack_u64(pack, pass->infected);
	pack_u64(pack, pass->unscannable);
	pack_u64(pack, pass->unreadable);
	pack_u64(pack, pass->large);
}

void swept_pack(struct pack *pack, const struct swept *swept)
{
	pack_u8(pack, swept->on);
	pack_u32(pack, swept->pass);
	pack_pass(pack, &swept->now);
	pack_pass(pack, &swept->last);
	pack_text(pack, swept->trouble, sizeof(swept->trouble));
}

static void unpack_pass(struct unpack *unpack, struct swept_pass *pass)
{
	static const char wrong[] = "the time of a sweep is wrong";

	pass->began_s = unpack_time(unpack, SWEPT_TIME_MAX_S, wrong);
	pass->ended_s = unpack_time(unpack, SWEPT_TIME_MAX_S, wrong);
	pass->files = unpack_u64(unpack);
	pass->bytes = unpack_u64(unpack);
	pass->scanned = unpack_u64(unpack);
	pass->infected = unpack_u64(unpack);
	pass->unscannable = unpack_u64(unpack);
	pass->unreadable = unpack_u64(unpack);
	pass->large = unpack_u64(unpack);
}

void swept_unpack(struct unpack *unpack, struct swept *swept)
{
	unsigned on = unpack_u8(unpack);

	unpack_expect(unpack, on <= 1, "its sweep is neither on nor off");
	swept->on = on == 1;
	swept->pass = unpack_u32(unpack);
	unpack_pass(unpack, &swept->now);
	unpack_pass(unpack, &swept->last);
	unpack_text(unpack, swept->trouble, sizeof(swept->trouble));
}

bool swept_is_sound(const struct swept *swept)
{
	return is_time(swept->now.began_s) && is_time(swept->now.ended_s) &&
	       is_time(swept->last.began_s) && is_time(swept->last.ended_s) &&
	       memchr(swept->trouble, '\0', sizeof(swept->trouble)) != NULL;
}

bool swept_rests(const struct swept *swept)
{
	return swept->pass > 0 && swept->now.ended_s != 0;
}

/* "12 bytes", "118 MB". */
static const char *size_cell(uint64_t bytes, char cell[static SIZE_CELL_MAX])
{
	static const char *const units[] = { "bytes", "KB", "MB", "GB", "TB" };
	size_t unit = 0;

	while (unit + 1 < sizeof(units) / sizeof(*units) &&
		bytes >= 10 * (uint64_t)UNIT) {
		bytes /= UNIT;
		unit++;
	}
	(void)snprintf(cell, SIZE_CELL_MAX, "%" PRIu64 " %s", bytes, units[unit]);
	return cell;
}

static int show_pass(const char *which, int64_t time_s, const struct swept_pass *pass,
	struct buf *out, struct err *err)
{
	char time[CLOCK_TEXT_MAX], size[SIZE_CELL_MAX];

	return buf_printf(out, err,
		"  %s %s: %" PRIu64 " files, %s,\n    %" PRIu64 " infected, %" PRIu64
		" unscannable, %" PRIu64 " unreadable, %" PRIu64 " too large\n",
		which, clock_iso(time_s, time), pass->files, size_cell(pass->bytes, size),
		pass->infected, pass->unscannable, pass->unreadable, pass->large);
}

int swept_show_text(const struct swept *swept, struct buf *out, struct err *err)
{
	if (!swept->on)
		return 0;
	if (swept->pass == 0)
		return buf_add_str(out, "  sweep: no pass has begun yet\n", err);
	if (swept->last.ended_s != 0 &&
		show_pass("sweep, full pass of", swept->last.ended_s, &swept->last, out,
			err) < 0)
		return -1;
	if (swept_rests(swept))
		return 0;
	return show_pass(
		"sweep, at work since", swept->now.began_s, &swept->now, out, err);
}

static void pass_json(struct json *json, const char *key, const struct swept_pass *pass)
{
	json_open(json, key, '{');
	json_number(json, "began", (uint64_t)pass->began_s);
	json_number(json, "ended", (uint64_t)pass->ended_s);
	json_number(json, "files", pass->files);
	json_number(json, "bytes", pass->bytes);
	json_number(json, "scanned", pass->scanned);
	json_number(json, "infected", pass->infected);
	json_number(json, "unscannable", pass->unscannable);
	json_number(json, "unreadable", pass->unreadable);
	json_number(json, "large", pass->large);
	json_close(json, '}');
}

void swept_show_json(const struct swept *swept, struct json *json)
{
	json_open(json, "sweep", '{');
	json_bool(json, "on", swept->on);
	json_number(json, "pass", swept->pass);
	pass_json(json, "now", &swept->now);
	pass_json(json, "last", &swept->last);
	json_text(json, "trouble", span_str(swept->trouble));
	json_close(json, '}');
}
