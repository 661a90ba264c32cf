/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/log.h"

#include "scanner/crew.h"
#include "scanner/hosts_inside.h"

enum {
	EVENTS_MAX = 64
};

static void hear_one(struct hosts *hosts, int fd)
{
	for (size_t i = 0; i < HOSTS_MAX; i++) {
		struct host *host = &hosts->list[i];

		if (host->control == fd) {
			hosts_hear_one(hosts, host);
			return;
		}
		for (size_t j = 0; j < host->pool.size; j++) {
			if (host->pool.workers[j].fd == fd) {
				crew_hear(host, &host->pool.workers[j]);
				return;
			}
		}
	}
}

void hosts_hear(struct hosts *hosts)
{
	struct epoll_event ready[EVENTS_MAX];
	int count = epoll_wait(hosts->events, ready, EVENTS_MAX, 0);

	for (int i = 0; i < count; i++)
		hear_one(hosts, ready[i].data.fd);
}

static void watch_one(struct hosts *hosts, int fd, uint32_t before, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (epoll_ctl(hosts->events, before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) <
		0)
		log_error("cannot wait for a worker: %s", strerror(errno));
}

void hosts_watch(struct hosts *hosts)
{
	for (size_t i = 0; i < HOSTS_MAX; i++) {
		struct host *host = &hosts->list[i];

		if (host->control >= 0 && !host->watched)
			watch_one(hosts, host->control, 0, EPOLLIN);
		host->watched = host->control >= 0;
		for (size_t j = 0; j < host->pool.size; j++) {
			struct worker *worker = &host->pool.workers[j];
			uint32_t events = worker->sending ? EPOLLIN | EPOLLOUT : EPOLLIN;

			if (worker->state == WORKER_NONE || worker->fd < 0 ||
				worker->watched == events)
				continue;
			watch_one(hosts, worker->fd, worker->watched, events);
			worker->watched = events;
		}
	}
}
