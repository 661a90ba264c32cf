/* SPDX-License-Identifier: ISC */
#include "mailfilter/wake.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/defer.h"

/* Ready when the wall clock is set, and it is set when the machine wakes up. */
static int open_clock(void)
{
	const struct itimerspec never = { .it_value = { .tv_sec = INT32_MAX } };
	auto_close int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
			       &never, NULL) < 0)
		return -1;
	return take_fd(&fd);
}

static int open_network(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	auto_close int fd = socket(
		AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return take_fd(&fd);
}

static int64_t now_ms(clockid_t id)
{
	struct timespec now = { 0 };

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t asleep_ms(void)
{
	return now_ms(CLOCK_BOOTTIME) - now_ms(CLOCK_MONOTONIC);
}

void wake_open(struct wake *wake)
{
	*wake = (struct wake){ .fds = { open_clock(), open_network() },
		.asleep_ms = asleep_ms() };
}

void wake_close(struct wake *wake)
{
	for (size_t i = 0; i < WAKE_FDS; i++)
		defer_close(&wake->fds[i]);
}

bool wake_slept_by(struct wake *wake, int64_t asleep)
{
	bool slept = asleep - wake->asleep_ms >= WAKE_SLEPT_MS;

	wake->asleep_ms = asleep;
	return slept;
}

bool wake_slept(struct wake *wake)
{
	uint64_t ignored;

	/* Read, or it would be ready for ever: that it was set is what its error says. */
	if (wake->fds[0] >= 0 && read(wake->fds[0], &ignored, sizeof(ignored)) > 0)
		return false;
	return wake_slept_by(wake, asleep_ms());
}

bool wake_network(struct wake *wake)
{
	struct {
		struct nlmsghdr header;
		char rest[8192];
	} message;
	bool found = false;
	ssize_t len;

	while (wake->fds[1] >= 0 &&
		(len = recv(wake->fds[1], &message, sizeof(message), 0)) > 0)
		found = found || ((size_t)len >= sizeof(message.header) &&
					 message.header.nlmsg_type == RTM_NEWADDR);
	return found;
}
