/* SPDX-License-Identifier: ISC */
#include "scanner/sweep_pair.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#include "scanner/role.h"

enum {
	ASK_AGAIN_MS = 1000
};

void sweep_pair_init(struct sweep_pair *pair, const struct settings *settings)
{
	*pair = (struct sweep_pair){ .settings = settings, .fd = -1, .deadline = -1 };
	job_in_init(&pair->control, JOB_HOST_MAX, true);
}

static void drop(struct sweep_pair *pair)
{
	if (pair->fd < 0)
		return;
	(void)close(take_fd(&pair->fd));
	job_in_done(&pair->in);
	pair->ready = false;
	pair->deadline = -1;
}

void sweep_pair_done(struct sweep_pair *pair)
{
	drop(pair);
	job_in_done(&pair->control);
}

size_t sweep_pair_poll(
	const struct sweep_pair *pair, struct pollfd fds_r[static SWEEP_PAIR_FDS])
{
	fds_r[0] = (struct pollfd){ .fd = ROLE_FD, .events = POLLIN };
	fds_r[1] = (struct pollfd){ .fd = pair->fd, .events = POLLIN };
	return pair->fd < 0 ? 1 : 2;
}

/* Its end is ordered; what it leaves open is decided when the parent says that it is dead. */
static int retire(struct sweep_pair *pair, struct err *err)
{
	drop(pair);
	return job_post(ROLE_FD, SWEEP_RETIRE, 0, (struct span){ NULL, 0 }, -1, err);
}

static int64_t due(const struct sweep_pair *pair)
{
	return clock_ms() + SWEEP_PATIENCE * pair->settings->scan_timeout_ms;
}

/* The file is to blame, as often as it may be. */
static enum sweep_event blame(
	struct sweep_pair *pair, enum verdict_reason reason, const char *detail)
{
	if (++pair->tries < SWEEP_TRIES_MAX)
		return SWEEP_AGAIN;
	pair->answer = (struct sweep_answer){ .kind = VERDICT_UNSCANNABLE,
		.reason = (uint32_t)reason };
	(void)snprintf(pair->answer.detail, sizeof(pair->answer.detail), "%s", detail);
	return SWEEP_ANSWERED;
}

/* The worker is dead, and was at work. */
static enum sweep_event judge(struct sweep_pair *pair, const struct job_worker *ended)
{
	bool known = ended->pid == pair->pid;
	int status = ended->status;

	if (pair->late || (known && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
		return blame(pair, REASON_TIMEOUT, "its scan takes too long");
	if (known && (WIFEXITED(status) || WTERMSIG(status) != SIGKILL))
		return blame(pair, REASON_CRASH, "its scan ended a worker");
	if (++pair->lost < SWEEP_LOST_MAX)
		return SWEEP_AGAIN;
	return blame(pair, REASON_CRASH, "its scan was killed again and again");
}

static void take_why(struct sweep_pair *pair, const struct job_in *in)
{
	(void)snprintf(pair->why, sizeof(pair->why), "%.*s", (int)in->payload.len,
		(const char *)in->payload.data);
}

static enum sweep_event ended(struct sweep_pair *pair)
{
	struct job_worker worker;
	enum sweep_event event = SWEEP_NOTHING;

	memcpy(&worker, pair->control.payload.data, sizeof(worker));
	/* Of one from before us, it says nothing. */
	if (pair->pid > 0 && worker.pid != 0 && worker.pid != pair->pid)
		return SWEEP_NOTHING;
	if (pair->busy)
		event = judge(pair, &worker);
	if (!pair->served)
		pair->ask_after = clock_ms() + ASK_AGAIN_MS;
	drop(pair);
	pair->pid = 0;
	pair->asked = pair->busy = pair->late = pair->served = false;
	return event;
}

static void joined(struct sweep_pair *pair)
{
	struct sweep_worker worker;

	memcpy(&worker, pair->control.payload.data, sizeof(worker));
	drop(pair);
	pair->pid = worker.pid;
	pair->its = worker.digest;
	pair->fd = take_fd(&pair->control.fd);
	pair->jobs = 0;
	job_in_init(&pair->in, JOB_HOST_MAX, false);
	pair->deadline = due(pair);
}

static int obey(struct sweep_pair *pair, enum sweep_event *event_r, struct err *err)
{
	const struct job_in *in = &pair->control;
	size_t len = in->payload.len;

	if (in->head.type == SWEEP_GO && len == sizeof(pair->digest)) {
		memcpy(&pair->digest, in->payload.data, len);
		pair->goes = pair->known = true;
		if (pair->deadline >= 0)
			pair->deadline = due(pair);
	} else if (in->head.type == SWEEP_PAUSE && len == 0) {
		pair->goes = false;
	} else if (in->head.type == SWEEP_WORKER && len == sizeof(struct sweep_worker) &&
		   in->fd >= 0) {
		joined(pair);
	} else if (in->head.type == SWEEP_ENDED && len == sizeof(struct job_worker)) {
		*event_r = ended(pair);
	} else if (in->head.type == SWEEP_NO_WORKER && len < JOB_TEXT_MAX) {
		take_why(pair, in);
		pair->asked = false;
		pair->ask_after = clock_ms() + ASK_AGAIN_MS;
	} else {
		return err_set(err, ERR_FATAL, "an order that is not known");
	}
	return 0;
}

static int answered(struct sweep_pair *pair, enum sweep_event *event_r, struct err *err)
{
	struct sweep_answer *answer = &pair->answer;

	memcpy(answer, pair->in.payload.data, sizeof(*answer));
	answer->signature[sizeof(answer->signature) - 1] = '\0';
	answer->where[sizeof(answer->where) - 1] = '\0';
	answer->detail[sizeof(answer->detail) - 1] = '\0';
	if (answer->kind > VERDICT_UNSCANNABLE || answer->reason > REASON_ERROR ||
		(answer->kind == VERDICT_INFECTED && !answer->signature[0]))
		return retire(pair, err);
	*event_r = SWEEP_ANSWERED;
	/* Short of memory, temp space or time: later there is more. */
	if (answer->kind == VERDICT_RETRY && ++pair->lost < SWEEP_LOST_MAX) {
		pair->ask_after = clock_ms() + ASK_AGAIN_MS;
		*event_r = SWEEP_AGAIN;
	}
	pair->busy = false;
	pair->deadline = -1;
	if (answer->kind != VERDICT_CLEAN || pair->jobs >= pair->settings->worker_jobs)
		return retire(pair, err);
	return 0;
}

static int hear_worker(
	struct sweep_pair *pair, enum sweep_event *event_r, struct err *err)
{
	struct err lost = { 0 };
	uint32_t type;
	size_t len;
	int got = job_in_step(&pair->in, pair->fd, &lost);

	if (got == 0)
		return 0;
	if (got < 0)
		return retire(pair, err);
	type = pair->in.head.type;
	len = pair->in.payload.len;
	if (type == JOB_READY && !pair->ready && len == 0) {
		pair->ready = pair->served = true;
		pair->why[0] = '\0';
		pair->deadline = -1;
		return 0;
	}
	if (type == SWEEP_ANSWER && pair->busy && len == sizeof(pair->answer))
		return answered(pair, event_r, err);
	if (type == JOB_FAILED && len < JOB_TEXT_MAX)
		take_why(pair, &pair->in);
	return retire(pair, err);
}

int sweep_pair_turn(
	struct sweep_pair *pair, bool wanted, enum sweep_event *event_r, struct err *err)
{
	int got = 0;

	*event_r = SWEEP_NOTHING;
	/* An answer that came before a death counts. */
	if (pair->fd >= 0 && hear_worker(pair, event_r, err) < 0)
		return -1;
	while (*event_r == SWEEP_NOTHING &&
		(got = job_in_step(&pair->control, ROLE_FD, err)) > 0)
		if (obey(pair, event_r, err) < 0)
			return -1;
	if (got < 0)
		return -1;
	if (pair->fd >= 0 && pair->goes && pair->deadline >= 0 &&
		pair->deadline <= clock_ms()) {
		pair->late = pair->busy;
		return retire(pair, err);
	}
	if (pair->fd >= 0 && !pair->busy && !hash_equal(&pair->its, &pair->digest))
		return retire(pair, err);
	if (!wanted || !pair->goes || pair->asked || clock_ms() < pair->ask_after)
		return 0;
	pair->asked = true;
	return job_post(ROLE_FD, SWEEP_WANT, 0, (struct span){ NULL, 0 }, -1, err);
}

bool sweep_pair_is_free(const struct sweep_pair *pair)
{
	return pair->goes && pair->fd >= 0 && pair->ready && !pair->busy &&
	       hash_equal(&pair->its, &pair->digest);
}

void sweep_pair_give(struct sweep_pair *pair, int fd, bool is_mail, bool again)
{
	struct err err = { 0 };

	if (!again)
		pair->tries = pair->lost = 0;
	pair->busy = true;
	pair->jobs++;
	pair->deadline = due(pair);
	/* What fails here shows as the worker's death. */
	(void)job_post(pair->fd, SWEEP_FILE, is_mail ? 1 : 0, (struct span){ NULL, 0 },
		fd, &err);
}
