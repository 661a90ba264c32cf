/* SPDX-License-Identifier: ISC */
#include "mailfilter/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/stop.h"

#include "mailfilter/check_machine.h"

/* One process: of an account, or, account NULL, of all scanners. */
struct job {
	const struct account_settings *account;
	pid_t pid; /* 0: not running */
	int fd;    /* what it finds; -1: none */
	bool begun;
	int64_t deadline_ms;
	struct remarks found;
	char doing[ERR_TEXT_MAX]; /* its last step */
};

struct connect {
	const struct settings *settings;
	const struct remarks *known;
	struct job *jobs;
	size_t count;
	int stop_fd;
};

static void job_subject(const struct job *job, char subject[static REMARK_SUBJECT_MAX])
{
	if (job->account)
		check_subject(job->account, subject);
	else
		(void)snprintf(subject, REMARK_SUBJECT_MAX, "scanners");
}

static _Noreturn void work(const struct connect *connect, const struct job *job, int fd)
{
	struct remarks found = REMARKS_NONE;

	found.fd = fd;
	if (job->account)
		connect_account(job->account, connect->known, &found);
	else
		connect_scanners(connect->settings, connect->known, &found);
	_exit(found.lost ? EX_IOERR : EX_OK);
}

static int start(const struct connect *connect, struct job *job, struct err *err)
{
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, ERR_AGAIN, "cannot start a process");
	job->begun = true;
	job->pid = fork();
	if (job->pid == 0) {
		(void)close(fds[0]);
		for (size_t i = 0; i < connect->count; i++)
			if (connect->jobs[i].fd >= 0)
				(void)close(connect->jobs[i].fd);
		/* Who interrupts us does not want to wait for a server. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(EX_OSERR);
		work(connect, job, fds[1]);
	}
	(void)close(fds[1]);
	if (job->pid < 0) {
		job->pid = 0;
		(void)close(fds[0]);
		return err_errno(err, ERR_AGAIN, "cannot start a process");
	}
	job->fd = fds[0];
	job->deadline_ms = clock_ms() + CONNECT_DEADLINE_MS;
	return 0;
}

static int start_some(struct connect *connect, struct err *err)
{
	size_t running = 0;

	for (size_t i = 0; i < connect->count; i++)
		running += connect->jobs[i].pid > 0;
	/* The scanners, which come first, are no account. */
	for (size_t i = 0; i < connect->count && running <= connect->settings->jobs;
		i++) {
		if (connect->jobs[i].begun)
			continue;
		if (start(connect, &connect->jobs[i], err) < 0)
			return -1;
		running++;
	}
	return 0;
}

static void end(struct job *job, bool late)
{
	char subject[REMARK_SUBJECT_MAX];
	int status = 0;

	if (late)
		(void)kill(job->pid, SIGKILL);
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)close(job->fd);
	job->fd = -1;
	job->pid = 0;
	job_subject(job, subject);
	if (late)
		remarks_add(&job->found, REMARK_UNREACHED, subject, "connect",
			"not done within %d s, the last thing being: %s; see whether that "
			"answers otherwise",
			CONNECT_DEADLINE_MS / 1000, job->doing);
	else if (WIFSIGNALED(status) || WEXITSTATUS(status) != EX_OK)
		remarks_add(&job->found, REMARK_UNREACHED, subject, "connect",
			"its process died (%s %d) at: %s; please report that",
			WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			job->doing);
}

static void hear(struct job *job)
{
	struct remark remark;
	ssize_t got = read(job->fd, &remark, sizeof(remark));

	if (got < 0 && errno == EINTR)
		return;
	if (got != (ssize_t)sizeof(remark)) {
		end(job, false);
		return;
	}
	if (remark.kind == REMARK_STEP)
		memcpy(job->doing, remark.text, sizeof(job->doing));
	remarks_take(&job->found, &remark);
}

static bool running(const struct connect *connect)
{
	for (size_t i = 0; i < connect->count; i++)
		if (connect->jobs[i].pid > 0 || !connect->jobs[i].begun)
			return true;
	return false;
}

static int next_ms(const struct connect *connect)
{
	int64_t next = clock_ms() + CONNECT_DEADLINE_MS;

	for (size_t i = 0; i < connect->count; i++)
		if (connect->jobs[i].pid > 0 && connect->jobs[i].deadline_ms < next)
			next = connect->jobs[i].deadline_ms;
	return clock_left(next);
}

static bool told_to_stop(const struct connect *connect)
{
	for (int signal;
		connect->stop_fd >= 0 && (signal = stop_next(connect->stop_fd)) != 0;)
		if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP)
			return true;
	return false;
}

/* 0: go on; 1: stop. Only those that run are waited for: poll takes no more than may be open. */
static int wait_some(struct connect *connect, struct pollfd *fds, struct err *err)
{
	nfds_t count = 0;

	fds[count++] = (struct pollfd){ .fd = connect->stop_fd, .events = POLLIN };
	for (size_t i = 0; i < connect->count; i++)
		if (connect->jobs[i].fd >= 0)
			fds[count++] = (struct pollfd){ .fd = connect->jobs[i].fd,
				.events = POLLIN };
	if (poll(fds, count, next_ms(connect)) < 0)
		return errno == EINTR ? 0 : err_errno(err, ERR_FATAL, "poll");
	if (told_to_stop(connect))
		return 1;
	for (size_t i = 0; i < connect->count; i++) {
		struct job *job = &connect->jobs[i];

		if (job->fd < 0)
			continue;
		if ((++fds)->revents)
			hear(job);
		else if (clock_left(job->deadline_ms) == 0)
			end(job, true);
	}
	return 0;
}

static int run(struct connect *connect, struct err *err)
{
	auto_free struct pollfd *fds = calloc(connect->count + 1, sizeof(*fds));
	int result = 0;

	if (!fds)
		return err_memory(err);
	while (result == 0 && running(connect)) {
		result = start_some(connect, err);
		if (result == 0)
			result = wait_some(connect, fds, err);
	}
	return result;
}

static void finish(struct connect *connect, struct remarks *remarks)
{
	for (size_t i = 0; i < connect->count; i++) {
		struct job *job = &connect->jobs[i];

		if (job->pid > 0) {
			(void)kill(job->pid, SIGKILL);
			end(job, false);
		}
		for (size_t j = 0; j < job->found.count; j++)
			remarks_take(remarks, &job->found.items[j]);
		remarks->lost |= job->found.lost;
		remarks_done(&job->found);
	}
}

int connect_all(const struct settings *settings, int stop_fd, struct remarks *remarks,
	struct err *err)
{
	struct connect connect = { .settings = settings,
		.known = remarks,
		.count = settings->accounts.count + 1,
		.stop_fd = stop_fd };
	auto_free struct job *jobs = calloc(connect.count, sizeof(*jobs));
	int result;

	if (!jobs)
		return err_memory(err);
	connect.jobs = jobs;
	for (size_t i = 0; i < connect.count; i++) {
		jobs[i] = (struct job){ .fd = -1, .found = REMARKS_NONE };
		if (i > 0)
			jobs[i].account = settings_account(settings, i - 1);
	}
	result = run(&connect, err);
	finish(&connect, remarks);
	return result;
}

void connect_account(const struct account_settings *account, const struct remarks *known,
	struct remarks *found)
{
	char subject[REMARK_SUBJECT_MAX];

	check_subject(account, subject);
	if (!remarks_wrong(known, subject, "password") &&
		!remarks_wrong(known, subject, "source") &&
		!remarks_wrong(known, subject, "tls-ca"))
		connect_source(account, found);
	if (!remarks_wrong(known, subject, "deliver"))
		connect_destination(account, found);
}
