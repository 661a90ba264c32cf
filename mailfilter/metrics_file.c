/* SPDX-License-Identifier: ISC */
#include "mailfilter/metrics_file.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"

void metrics_file_note(struct metrics_file *file, struct child *child, bool died)
{
	const struct report *report = &child->report;
	struct numbers before = child->last.numbers;

	child->last = (struct numbers_account){ .numbers = report->numbers,
		.last_s = clock_wall_s(),
		.failed = died || report->err.kind != ERR_NONE };
	/* One that did not come to its end leaves the record as it was, or nearly so. */
	if (!report->numbers.known)
		child->last.numbers = before;
	file->due = true;
}

static int write_all(const struct metrics_file *file, const struct child *children,
	size_t count, struct err *err)
{
	struct numbers_account *list DEFER(defer_free) = calloc(count + 1, sizeof(*list));
	struct metrics metrics DEFER(metrics_done);
	size_t used = 0;

	metrics_init(&metrics);
	if (!list)
		return err_memory(err);
	for (size_t i = 0; i < count; i++) {
		if (children[i].last.last_s == 0)
			continue;
		list[used] = children[i].last;
		list[used++].name = children[i].name;
	}
	numbers_add(&metrics, list, used);
	return metrics_write(&metrics, file->path, err);
}

void metrics_file_turn(
	struct metrics_file *file, const struct child *children, size_t count)
{
	struct err err = { 0 };
	bool failed;

	if (!file->path || !file->due)
		return;
	file->due = false;
	failed = write_all(file, children, count, &err) < 0;
	if (failed && !file->failed)
		log_warning("%s", err.text);
	file->failed = failed;
}
