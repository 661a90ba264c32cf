/* SPDX-License-Identifier: ISC */
#include "scanner/enginehost.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/idle.h"
#include "common/log.h"
#include "common/mime.h"
#include "common/stop.h"

#include "scanner/charsets.h"
#include "scanner/engine.h"
#include "scanner/job.h"
#include "scanner/pages.h"
#include "scanner/role.h"
#include "scanner/sandbox.h"
#include "scanner/signatures.h"
#include "scanner/sweep_worker.h"
#include "scanner/temp.h"
#include "scanner/worker.h"

enum {
	START_MS = 2000,   /* from the parent's look at the signatures to ours, at most */
	WORKERS_MAX = 1024 /* alive at once; the parent asks for far fewer */
};

struct enginehost {
	const struct settings *settings;
	struct engine *engine;
	struct charsets charsets;
	int signals;
	struct job_in in;
	pid_t workers[WORKERS_MAX];
	size_t worker_count;
};

static int tell(enum job_type type, const void *payload, size_t len, struct err *err)
{
	struct span span = { payload, len };

	return job_send(ROLE_FD, type, 0, &span, 1, err);
}

static int tell_failure(enum job_type type, const struct err *failure, struct err *err)
{
	return tell(type, failure->text, strnlen(failure->text, JOB_TEXT_MAX - 1), err);
}

/* In the child. Whatever fails here is said on the worker's own socket. */
static _Noreturn void worker_life(
	const struct enginehost *host, pid_t parent, int fd, bool is_sweep)
{
	struct settings settings = *host->settings;
	char path[TEMP_PATH_MAX];
	struct err err = { 0 };
	struct span text;

	(void)temp_worker_path(host->settings->temp_dir, parent, getpid(), path);
	if (is_sweep) {
		idle_enter();
		/* Its limits are those of what it reads. */
		if (settings.message_max < settings.sweep_file_max)
			settings.message_max = settings.sweep_file_max;
	}
	if (temp_make(path, &err) == 0 && sandbox_enter(&settings, fd, path, &err) == 0 &&
		sandbox_confirm(&err) == 0) {
		/* It may have died before its death was asked for. */
		if (getppid() != parent)
			_exit(EX_TEMPFAIL);
		if (is_sweep)
			sweep_worker_main(host->engine, host->settings, fd, path);
		worker_main(host->engine, host->settings, fd, path);
	}
	text = span_str(err.text);
	(void)job_send(fd, JOB_FAILED, 0, &text, 1, NULL);
	_exit(EX_OSERR);
}

static int fork_worker(struct enginehost *host, bool is_sweep, struct err *err)
{
	auto_close int near = -1, far = -1;
	struct job_worker worker = { .status = is_sweep };
	struct span payload = { (uint8_t *)&worker, sizeof(worker) };
	pid_t self = getpid();
	int fds[2];

	if (host->worker_count == WORKERS_MAX)
		return err_set(err, ERR_AGAIN, "more than %d workers", WORKERS_MAX);
	if (job_socketpair(fds, err) < 0)
		return -1;
	near = fds[0];
	far = fds[1];
	worker.pid = fork();
	if (worker.pid < 0)
		return err_errno(err, ERR_AGAIN, "cannot start a worker: fork");
	if (worker.pid == 0)
		worker_life(host, self, far, is_sweep);
	host->workers[host->worker_count++] = worker.pid;
	return job_send_fd(ROLE_FD, HOST_WORKER, payload, near, err);
}

static void wipe(const struct enginehost *host, pid_t pid)
{
	char path[TEMP_PATH_MAX];
	struct err err = { 0 };

	(void)temp_worker_path(host->settings->temp_dir, getpid(), pid, path);
	if (access(path, F_OK) == 0 && file_remove_tree(path, true, &err) < 0)
		log_warning("%s", err.text);
}

/* All workers that have ended. */
static int reap(struct enginehost *host, struct err *err)
{
	struct job_worker worker = { 0 };

	while ((worker.pid = waitpid(-1, &worker.status, WNOHANG)) > 0) {
		for (size_t i = 0; i < host->worker_count; i++)
			if (host->workers[i] == worker.pid)
				host->workers[i] = host->workers[--host->worker_count];
		wipe(host, worker.pid);
		if (tell(HOST_REAPED, &worker, sizeof(worker), err) < 0)
			return -1;
	}
	return 0;
}

/* Only a child of ours, and one not yet reaped, so that its pid is not another's. */
static void kill_worker(const struct enginehost *host)
{
	struct job_worker worker;

	memcpy(&worker, host->in.payload.data, sizeof(worker));
	for (size_t i = 0; i < host->worker_count; i++)
		if (host->workers[i] == worker.pid)
			(void)kill(worker.pid, SIGKILL);
}

static int obey(struct enginehost *host, struct err *err)
{
	struct err failure = { 0 };

	if (host->in.head.type == HOST_FORK)
		return fork_worker(host, false, &failure) < 0
			       ? tell_failure(HOST_FAILED, &failure, err)
			       : 0;
	if (host->in.head.type == HOST_FORK_SWEEP)
		return fork_worker(host, true, &failure) < 0
			       ? tell_failure(HOST_NO_SWEEP, &failure, err)
			       : 0;
	if (host->in.head.type == HOST_KILL &&
		host->in.payload.len == sizeof(struct job_worker)) {
		kill_worker(host);
		return 0;
	}
	return err_set(err, ERR_FATAL, "an order that is not known");
}

/* Until the parent closes the socket or ends. */
static int serve(struct enginehost *host, struct err *err)
{
	struct pollfd fds[] = { { .fd = ROLE_FD, .events = POLLIN },
		{ .fd = host->signals, .events = POLLIN } };
	int got;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return err_errno(err, ERR_FATAL, "poll");
		/* Other signals go to the whole group; the parent says what they mean. */
		while (stop_next(host->signals) > 0)
			;
		if (reap(host, err) < 0)
			return -1;
		while ((got = job_in_step(&host->in, ROLE_FD, err)) > 0)
			if (obey(host, err) < 0)
				return -1;
		if (got < 0)
			return -1;
	}
}

/* What libraries would load in the middle of a scan, where nothing can be loaded any more. The
 * probe has OpenSSL, for one, read its settings; whether it is found each worker sees for itself, and
 * all of it if it failed here. */
static void load_ahead(struct enginehost *host, const char *dir)
{
	tzset();
	mime_start();
	charsets_open(&host->charsets);
	if (engine_use_temp(host->engine, dir, NULL) == 0)
		(void)engine_probe(host->engine, NULL);
}

/* Nothing was being written when the parent looked; since then somebody may have begun, and we may
 * have read the first half. */
static int check_written(const struct settings *settings, int64_t from, struct err *err)
{
	if (signatures_unsettled_ms(&settings->signatures, clock_ms() - from + START_MS) >
		0)
		return err_set(err, ERR_AGAIN,
			"a signature file is being written while it is loaded");
	return 0;
}

static int load(struct enginehost *host, struct err *err)
{
	int64_t from = clock_ms();
	char path[TEMP_PATH_MAX];
	struct settings here = *host->settings;
	struct job_loaded loaded = { 0 };
	struct err failure = { 0 };

	/* What loading writes goes with our folder, however we end. */
	here.temp_dir = path;
	(void)temp_host_path(host->settings->temp_dir, getpid(), path);
	if (sandbox_enter_host(&failure) < 0 || temp_make(path, &failure) < 0 ||
		engine_load(&here, &host->engine, &loaded, &failure) < 0 ||
		check_written(&here, from, &failure) < 0) {
		(void)tell_failure(HOST_FAILED, &failure, NULL);
		return err_set(err, failure.kind, "%s", failure.text);
	}
	load_ahead(host, path);
	/* Before there are workers: they would hold on to the small pages. */
	pages_collapse();
	return tell(HOST_LOADED, &loaded, sizeof(loaded), err);
}

static void end_workers(struct enginehost *host)
{
	char path[TEMP_PATH_MAX];

	for (size_t i = 0; i < host->worker_count; i++)
		(void)kill(host->workers[i], SIGKILL);
	for (size_t i = 0; i < host->worker_count; i++)
		(void)waitpid(host->workers[i], NULL, 0);
	(void)temp_host_path(host->settings->temp_dir, getpid(), path);
	if (access(path, F_OK) == 0)
		(void)file_remove_tree(path, true, NULL);
}

int enginehost_main(const struct settings *settings)
{
	struct enginehost host = { .settings = settings, .signals = -1 };
	struct err err = { 0 };
	int result;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
		stop_start(&host.signals, &err) < 0 || role_is_orphan())
		return EX_OSERR;
	job_in_init(&host.in, JOB_HOST_MAX, false);
	result = load(&host, &err);
	if (result == 0)
		(void)serve(&host, &err);
	end_workers(&host);
	job_in_done(&host.in);
	(void)close(host.signals);
	engine_free(host.engine);
	charsets_close(&host.charsets);
	/* The parent closing the socket is how an engine host is told to end. */
	return result == 0 ? EX_OK : err_exit_code(err.kind);
}
