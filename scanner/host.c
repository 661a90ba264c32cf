/* SPDX-License-Identifier: ISC */
#include "scanner/host.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"

#include "scanner/memory.h"
#include "scanner/role.h"

enum {
	PLACES = 2 /* for each worker: one that serves and one that is ending */
};

int host_start(struct host *host, const struct settings *settings, size_t workers,
	struct err *err)
{
	auto_close int near = -1, far = -1;
	int fds[2];

	assert(host->state == HOST_NONE);
	*host = (struct host){ .settings = settings,
		.control = -1,
		.test = { .passed_at = -1, .failed_at = -1, .wrong_at = -1 },
		.sweeper.fd = -1 };
	if (job_socketpair(fds, err) < 0)
		return -1;
	near = fds[0];
	far = fds[1];
	if (pool_init(&host->pool, workers * PLACES, err) < 0)
		return -1;
	if (role_start("--engine-host", settings->path, far, &host->pid, err) < 0) {
		pool_done(&host->pool);
		return -1;
	}
	job_in_init(&host->in, JOB_HOST_MAX, true);
	host->control = take_fd(&near);
	host->state = HOST_LOADING;
	(void)memory_ran_out(&host->oom_kills);
	host->deadline = clock_ms() + HOST_LOAD_MS;
	return 0;
}

void host_order(struct host *host, enum job_type type, pid_t pid)
{
	struct job_worker worker = { .pid = pid };
	struct span payload = { (uint8_t *)&worker, sizeof(worker) };
	struct err err = { 0 };

	if (host->control < 0)
		return;
	if (type != HOST_KILL)
		payload.len = 0;
	/* Orders are small: a socket without room for one belongs to a host that hangs. */
	if (job_post(host->control, type, 0, payload, -1, &err) < 0)
		host_kill(host);
}

/* Has the message the length of its type, and is it one of a host? */
static bool well_formed(const struct host *host)
{
	size_t len = host->in.payload.len;

	switch (host->in.head.type) {
	case HOST_LOADED:
		return host->state == HOST_LOADING && len == sizeof(struct job_loaded);
	case HOST_FAILED:
	case HOST_NO_SWEEP:
		return len < JOB_TEXT_MAX;
	case HOST_WORKER:
		return len == sizeof(struct job_worker) && host->in.fd >= 0;
	case HOST_REAPED:
		return len == sizeof(struct job_worker);
	default:
		return false;
	}
}

int host_receive(struct host *host, struct err *err)
{
	int got = host->control < 0 ? 0 : job_in_step(&host->in, host->control, err);

	if (got > 0 && !well_formed(host))
		return err_set(err, ERR_MESSAGE,
			"the engine host sent what may not be now (type %u)",
			host->in.head.type);
	return got;
}

void host_take_loaded(struct host *host)
{
	struct job_loaded *loaded = &host->loaded;

	memcpy(loaded, host->in.payload.data, sizeof(*loaded));
	loaded->engine[sizeof(loaded->engine) - 1] = '\0';
	loaded->unprotected[sizeof(loaded->unprotected) - 1] = '\0';
	loaded->left_out[sizeof(loaded->left_out) - 1] = '\0';
}

void host_sweeper_ask(struct host *host)
{
	host->sweeper.asked = true;
	host->sweeper.since = clock_ms();
	host_order(host, HOST_FORK_SWEEP, 0);
}

void host_sweeper_kill(struct host *host)
{
	if (host->sweeper.pid <= 0 || host->sweeper.killed)
		return;
	host->sweeper.killed = true;
	host->sweeper.since = clock_ms();
	host_order(host, HOST_KILL, host->sweeper.pid);
}

int64_t host_sweeper_due(const struct host *host)
{
	const struct host_sweeper *sweeper = &host->sweeper;

	return sweeper->asked || (sweeper->killed && !sweeper->ended)
		       ? sweeper->since + HOST_SWEEPER_MS
		       : -1;
}

void host_sweeper_done(struct host *host)
{
	if (host->sweeper.fd >= 0)
		(void)close(host->sweeper.fd);
	host->sweeper = (struct host_sweeper){ .fd = -1 };
}

void host_sweeper_ended(struct host *host, int status)
{
	bool by_us = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;

	host->sweeper.ended = true;
	host->sweeper.status = status;
	/* It ends in order where the walker has closed its socket. Where it crashed, the walker may see that
	 * first, and have had its end ordered. */
	host->counts[HEALTH_SWEEP] += status != 0 && (!host->sweeper.killed || !by_us);
}

void host_no_sweeper(struct host *host)
{
	host_sweeper_done(host);
	(void)snprintf(host->sweeper.why, sizeof(host->sweeper.why), "%.*s",
		(int)host->in.payload.len, (const char *)host->in.payload.data);
}

const char *host_status_text(int status, char text[static JOB_TEXT_MAX])
{
	if (WIFSIGNALED(status))
		(void)snprintf(text, JOB_TEXT_MAX, "signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		(void)snprintf(text, JOB_TEXT_MAX, "exit code %d", WEXITSTATUS(status));
	return text;
}

bool host_reap(struct host *host, int *status_r, char how_r[static JOB_TEXT_MAX])
{
	if (host->state == HOST_NONE ||
		waitpid(host->pid, status_r, WNOHANG) != host->pid)
		return false;
	(void)host_status_text(*status_r, how_r);
	return true;
}

void host_lost(struct host *host)
{
	if (host->control >= 0)
		(void)close(take_fd(&host->control));
	host->state = HOST_ENDING;
	host->deadline = clock_ms() + HOST_END_MS;
}

void host_end(struct host *host)
{
	host->told = host->told || host->state != HOST_ENDING;
	host_lost(host);
}

void host_kill(struct host *host)
{
	assert(host->pid > 0);
	(void)kill(host->pid, SIGKILL);
	host_lost(host);
}

void host_done(struct host *host)
{
	if (host->control >= 0)
		(void)close(take_fd(&host->control));
	job_in_done(&host->in);
	pool_done(&host->pool);
	host_sweeper_done(host);
	*host = (struct host){ .control = -1, .sweeper.fd = -1 };
}
