/* SPDX-License-Identifier: ISC
 *
 * What all the engine hosts come to together. */
#include <string.h>

#include "common/clock.h"

#include "scanner/crew.h"
#include "scanner/hosts.h"

size_t hosts_busy(const struct hosts *hosts)
{
	size_t busy = 0;

	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (hosts->list[i].state != HOST_NONE)
			busy += crew_busy(&hosts->list[i]);
	return busy;
}

/* Killed, and not dead for so long: a disk holds it, and may do so for ever. */
static bool is_stuck(const struct host *host)
{
	return host->sweeper.killed && host_sweeper_due(host) >= 0 &&
	       host_sweeper_due(host) <= clock_ms();
}

bool hosts_are_quiet(const struct hosts *hosts)
{
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (hosts->list[i].state != HOST_NONE &&
			(pool_count(&hosts->list[i].pool, WORKER_ENDING) > 0 ||
				hosts->list[i].sweeper.asked ||
				(hosts->list[i].sweeper.pid > 0 &&
					!is_stuck(&hosts->list[i]))))
			return false;
	return hosts_busy(hosts) == 0;
}

int64_t hosts_wrong_at(const struct hosts *hosts)
{
	int64_t last = hosts->wrong_at;

	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (hosts->list[i].state != HOST_NONE &&
			hosts->list[i].test.wrong_at > last)
			last = hosts->list[i].test.wrong_at;
	return last;
}

void hosts_count(const struct hosts *hosts, uint64_t counts_r[static HEALTH_COUNTS])
{
	memcpy(counts_r, hosts->counts, sizeof(hosts->counts));
	for (size_t i = 0; i < HOSTS_MAX; i++)
		for (size_t j = 0; j < HEALTH_COUNTS; j++)
			counts_r[j] += hosts->list[i].counts[j];
}

uint64_t hosts_moved(const struct hosts *hosts)
{
	uint64_t counts[HEALTH_COUNTS];
	uint64_t moved = hosts->generation + hosts->deaths;

	hosts_count(hosts, counts);
	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		moved += i == HEALTH_SWEEP ? 0 : counts[i]; /* moves no mail */
	/* One that does not load is not counted anywhere. */
	for (size_t i = 0; i < HOSTS_MAX; i++)
		moved += (uint64_t)hosts->list[i].pid * (1 + hosts->list[i].state);
	return moved;
}
