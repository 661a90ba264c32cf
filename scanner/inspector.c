/* SPDX-License-Identifier: ISC */
#include "scanner/inspector.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "common/idle.h"
#include "common/log.h"

#include "scanner/alert.h"
#include "scanner/role.h"

struct inspector {
	struct settings settings; /* as of the start, but for what is of: */
	struct settings again;
	uint64_t reads; /* as of struct check_facts */
};

/* The parent alone says when to stop, by closing the socket, even where a terminal signals all. */
static int set_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			return -1;
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static bool answer(int32_t check, const struct check_result *result)
{
	struct inspector_answer answer = { .check = check };

	if (result)
		answer.result = *result;
	return send(ROLE_FD, &answer, sizeof(answer), 0) == (ssize_t)sizeof(answer);
}

/* What a reload takes up of them: the folders of signatures. */
static void read_again(struct inspector *inspector, uint64_t reads)
{
	struct settings settings;

	if (inspector->reads == reads || !inspector->settings.path ||
		settings_load(inspector->settings.path, &settings, NULL) < 0)
		return;
	inspector->reads = reads;
	settings_free(&inspector->again);
	inspector->again = settings;
	inspector->settings.signatures = settings.signatures;
}

static bool obey(struct inspector *inspector, struct inspector_order *order)
{
	const struct settings *settings = &inspector->settings;
	struct err err = { 0 };

	read_again(inspector, order->facts.reads);
	order->facts.settings = settings;
	for (int32_t i = 0; check_table[i].name; i++) {
		struct check_result result = { 0 };

		if ((order->checks & 1U << i) == 0)
			continue;
		check_table[i].run(&order->facts, &result);
		if (!answer(i, &result))
			return false;
	}
	if (order->alert && settings->on_alert.count > 0 &&
		alert_run(&settings->on_alert, &order->about, INSPECTOR_ALERT_S, ROLE_FD,
			&err) < 0)
		log_warning("on-alert: %s", err.text);
	return answer(INSPECTOR_DONE, NULL);
}

int inspector_main(const struct settings *settings)
{
	struct pollfd socket = { .fd = ROLE_FD, .events = POLLIN };
	struct inspector inspector = { .settings = *settings };
	struct inspector_order order;
	ssize_t got;

	if (set_signals() < 0)
		return EX_OSERR;
	/* It may have died before our death was asked for. */
	if (poll(&socket, 1, 0) < 0 || (socket.revents & (POLLHUP | POLLNVAL)) != 0)
		return EX_OSERR;
	/* Mail goes first. */
	idle_enter();
	for (;;) {
		got = recv(ROLE_FD, &order, sizeof(order), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got != (ssize_t)sizeof(order) || !obey(&inspector, &order))
			break;
	}
	settings_free(&inspector.again);
	return got == 0 || got == (ssize_t)sizeof(order) ? EX_OK : EX_PROTOCOL;
}
