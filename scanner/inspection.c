/* SPDX-License-Identifier: ISC */
#include "scanner/inspection.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/log.h"

#include "scanner/role.h"

enum {
	END_MS = 1000 /* for it to end, as told, when the scanner does */
};

void inspection_init(struct inspection *inspection, const struct settings *settings)
{
	*inspection = (struct inspection){
		.settings = settings, .fd = -1, .deadline = -1, .died_at = -1
	};
}

static bool has_place(const struct inspection *inspection)
{
	for (size_t i = 0; i < INSPECTION_STUCK_MAX; i++)
		if (inspection->stuck[i] == 0)
			return true;
	return false;
}

bool inspection_is_free(const struct inspection *inspection)
{
	if (inspection->pid > 0)
		return !inspection->busy;
	return has_place(inspection) && clock_ms() >= inspection->start_after;
}

static int start(struct inspection *inspection, struct err *err)
{
	auto_close int near = -1, far = -1;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) <
		0)
		return err_errno(err, ERR_AGAIN, "socketpair");
	near = fds[0];
	far = fds[1];
	if (fcntl(far, F_SETFL, 0) < 0)
		return err_errno(err, ERR_AGAIN, "fcntl");
	if (role_start("--inspector", inspection->settings->path, far, &inspection->pid,
		    err) < 0) {
		inspection->pid = 0;
		return -1;
	}
	inspection->fd = take_fd(&near);
	return 0;
}

static int64_t again_ms(const struct inspection *inspection)
{
	int64_t ms = inspection->settings->check_interval_ms;

	return ms < INSPECTION_AGAIN_MS ? ms : INSPECTION_AGAIN_MS;
}

/* It is dead, or will be: somebody else is asked the next time. */
static void leave(struct inspection *inspection)
{
	for (size_t i = 0; inspection->pid > 0 && i < INSPECTION_STUCK_MAX; i++)
		if (inspection->stuck[i] == 0) {
			inspection->stuck[i] = inspection->pid;
			inspection->pid = 0;
		}
	(void)close(take_fd(&inspection->fd));
	inspection->busy = false;
	inspection->deadline = -1;
	inspection->start_after = clock_ms() + again_ms(inspection);
	if (!has_place(inspection))
		(void)snprintf(inspection->trouble, sizeof(inspection->trouble),
			"nothing outside is checked: %d inspectors hang, in a file system "
			"that does not answer?",
			INSPECTION_STUCK_MAX);
}

static int64_t allowed_ms(const struct inspection *inspection)
{
	int64_t ms = 10 * inspection->settings->check_interval_ms;

	if (ms < INSPECTION_LEAST_MS)
		ms = INSPECTION_LEAST_MS;
	return ms < INSPECTION_MOST_MS ? ms : INSPECTION_MOST_MS;
}

bool inspection_give(struct inspection *inspection, const struct inspector_order *order)
{
	struct err err = { 0 };

	if (inspection->pid == 0 && start(inspection, &err) < 0) {
		(void)snprintf(inspection->trouble, sizeof(inspection->trouble),
			"nothing outside is checked: %.200s", err.text);
		inspection->start_after = clock_ms() + again_ms(inspection);
		return false;
	}
	if (send(inspection->fd, order, sizeof(*order), MSG_NOSIGNAL) !=
		(ssize_t)sizeof(*order)) {
		(void)kill(inspection->pid, SIGKILL);
		leave(inspection);
		return false;
	}
	inspection->busy = true;
	inspection->deadline = clock_ms() + allowed_ms(inspection) +
			       (order->alert ? INSPECTOR_ALERT_S * 1000 : 0);
	return true;
}

enum inspection_event inspection_step(
	struct inspection *inspection, struct inspector_answer *answer_r)
{
	ssize_t got;

	if (inspection->pid == 0)
		return INSPECTION_NOTHING;
	got = recv(inspection->fd, answer_r, sizeof(*answer_r), MSG_DONTWAIT);
	if (got == (ssize_t)sizeof(*answer_r)) {
		if (answer_r->check != INSPECTOR_DONE)
			return INSPECTION_RESULT;
		inspection->busy = false;
		inspection->deadline = -1;
		inspection->trouble[0] = '\0';
		return INSPECTION_DONE;
	}
	if (got >= 0 || (errno != EAGAIN && errno != EINTR)) {
		log_warning("the inspector ended on its own");
		inspection->died_at = clock_ms();
		(void)kill(inspection->pid, SIGKILL);
		leave(inspection);
		return INSPECTION_LOST;
	}
	if (inspection->deadline < 0 || clock_ms() < inspection->deadline)
		return INSPECTION_NOTHING;
	log_warning("the inspector hangs: it is replaced");
	(void)kill(inspection->pid, SIGKILL);
	leave(inspection);
	return INSPECTION_LOST;
}

void inspection_reap(struct inspection *inspection)
{
	/* The one in use is left when its socket ends, which comes first. */
	for (size_t i = 0; i < INSPECTION_STUCK_MAX; i++)
		if (inspection->stuck[i] > 0 && waitpid(inspection->stuck[i], NULL,
							WNOHANG) == inspection->stuck[i])
			inspection->stuck[i] = 0;
}

void inspection_done(struct inspection *inspection)
{
	if (inspection->pid == 0)
		return;
	/* Its socket closed tells it to end, after a file that it may be writing. */
	(void)close(take_fd(&inspection->fd));
	role_end(inspection->pid, END_MS);
	inspection_reap(inspection);
	inspection->pid = 0;
}
