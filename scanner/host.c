/* SPDX-License-Identifier: ISC */
#include "scanner/host.h"

#include <assert.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/log.h"

#include "scanner/enginehost.h"
#include "scanner/memory.h"

enum {
	PLACES = 2 /* for each worker: one that serves and one that is ending */
};

/* In the child: our end of the socket becomes ENGINEHOST_FD, every other descriptor is closed,
 * and signals are as a program expects them. */
static int spawn(struct host *host, int fd, char *const argv[], struct err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, pipe;
	int result;

	(void)sigemptyset(&none);
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	if (posix_spawn_file_actions_init(&files) != 0)
		return err_memory(err);
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return err_memory(err);
	}
	result = posix_spawnattr_setsigmask(&attributes, &none);
	if (result == 0)
		result = posix_spawnattr_setsigdefault(&attributes, &pipe);
	if (result == 0)
		result = posix_spawnattr_setflags(
			&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(&files, fd, ENGINEHOST_FD);
	if (result == 0)
		result = posix_spawn_file_actions_addclosefrom_np(
			&files, ENGINEHOST_FD + 1);
	if (result == 0)
		result = posix_spawn(
			&host->pid, "/proc/self/exe", &files, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	if (result != 0)
		return err_set(err, ERR_AGAIN, "cannot start an engine host: %s",
			strerror(result));
	return 0;
}

int host_start(struct host *host, const struct settings *settings, size_t workers,
	struct err *err)
{
	static char name[] = "scanner", role[] = "--engine-host", file[] = "-c",
		    quiet[] = "-q", verbose[] = "-v";
	char *argv[6] = { name, role };
	size_t count = 2;
	auto_close int near = -1, far = -1;
	int fds[2];

	assert(host->state == HOST_NONE);
	if (log_level() > LOG_LEVEL_INFO)
		argv[count++] = verbose;
	if (log_level() < LOG_LEVEL_INFO)
		argv[count++] = quiet;
	if (settings->path) {
		argv[count++] = file;
		argv[count++] = settings->path;
	}
	*host = (struct host){ .settings = settings, .control = -1 };
	if (job_socketpair(fds, err) < 0)
		return -1;
	near = fds[0];
	far = fds[1];
	if (pool_init(&host->pool, workers * PLACES, err) < 0)
		return -1;
	if (spawn(host, far, argv, err) < 0) {
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
	struct job_out out;

	if (host->control < 0)
		return;
	job_out_start(&out, type, 0, &payload, type == HOST_FORK ? 0 : 1);
	/* Orders are small: a socket without room for one belongs to a host that hangs. */
	if (job_out_step(&out, host->control, &err) != 1)
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
	*host = (struct host){ .control = -1 };
}
