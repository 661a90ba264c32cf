/* SPDX-License-Identifier: ISC */
#include "mailfilter/cmd_status_held.h"

static void take_reason(const struct record_reason *reason, void *arg)
{
	struct status_held *held = arg;

	if (held->count < RECORD_REASONS_MAX)
		held->reasons[held->count++] = *reason;
}

static int take_parked(const struct record_row *row, void *arg)
{
	struct status_held *held = arg;

	held->parked[held->parked_count++] = *row;
	return held->parked_count < STATUS_PARKED_MAX ? 0 : -1;
}

int status_held_look(struct record *record, struct status_held *held_r, struct err *err)
{
	held_r->count = held_r->parked_count = 0;
	if (record_each_reason(record, take_reason, held_r, err) < 0)
		return -1;
	return record_each(
		record, NULL, 0, 1U << RECORD_PARKED, take_parked, held_r, err);
}

void status_held_json(const struct status_held *held, struct json *json)
{
	json_open(json, "held_for", '[');
	for (size_t i = 0; i < held->count; i++) {
		if (held->reasons[i].state != RECORD_HELD)
			continue;
		json_open(json, NULL, '{');
		json_text(json, "reason", span_str(held->reasons[i].reason));
		json_number(json, "count", held->reasons[i].count);
		json_number(json, "oldest", (uint64_t)held->reasons[i].since_s);
		json_bool(json, "scanner", held->reasons[i].waits == WAITS_SCANNER);
		json_bool(
			json, "destination", held->reasons[i].waits == WAITS_DESTINATION);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_open(json, "parked_for", '[');
	for (size_t i = 0; i < held->parked_count; i++) {
		json_open(json, NULL, '{');
		json_text(json, "folder", span_str(held->parked[i].key.folder));
		json_text(json, "uid", span_str(held->parked[i].key.uid));
		json_text(json, "reason", span_str(held->parked[i].reason));
		json_number(json, "since", (uint64_t)held->parked[i].since_s);
		json_close(json, '}');
	}
	json_close(json, ']');
}
