/* SPDX-License-Identifier: ISC */
#include "scanner/metrics_file.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/state_metrics.h"

void metrics_file_init(struct metrics_file *file, const struct settings *settings)
{
	*file = (struct metrics_file){ .path = settings->metrics_file,
		.scanner = settings->listen.items[0] };
}

static bool is_news(const struct metrics_file *file, const struct wire_state *state)
{
	return file->state != state->state || file->generation != state->generation ||
	       file->trouble != (state->trouble[0] != '\0') ||
	       file->worst != checks_worst(&state->checks);
}

static int write_it(
	const struct metrics_file *file, const struct clients *clients, struct err *err)
{
	struct state_metrics one = { .scanner = file->scanner, .alive = true };
	struct metrics metrics DEFER(metrics_done);

	metrics_init(&metrics);
	clients_fill(clients, &one.state);
	state_metrics_add(&metrics, &one, 1);
	return metrics_write(&metrics, file->path, err);
}

int64_t metrics_file_turn(struct metrics_file *file, const struct clients *clients)
{
	const struct wire_state *state = &clients->state;
	struct err err = { 0 };
	bool failed;

	if (!file->path)
		return -1;
	if (file->at > clock_ms() && !is_news(file, state))
		return file->at;
	failed = write_it(file, clients, &err) < 0;
	if (failed && !file->failed)
		log_warning("%s", err.text);
	file->failed = failed;
	file->state = state->state;
	file->generation = state->generation;
	file->trouble = state->trouble[0] != '\0';
	file->worst = checks_worst(&state->checks);
	file->at = clock_ms() + METRICS_FILE_MS;
	return file->at;
}

void metrics_file_done(const struct metrics_file *file)
{
	if (file->path && file->at > 0)
		(void)unlink(file->path);
}
