/* SPDX-License-Identifier: ISC */
#include "common/health.h"

static const char *const names[HEALTH_COUNTS] = {
	[HEALTH_RETRY] = "retry",
	[HEALTH_CLEAN] = "clean",
	[HEALTH_INFECTED] = "infected",
	[HEALTH_UNSCANNABLE] = "unscannable",
	[HEALTH_ENCRYPTED] = "unscannable_encrypted",
	[HEALTH_UNSUPPORTED] = "unscannable_unsupported",
	[HEALTH_LIMIT] = "unscannable_limit",
	[HEALTH_TIMEOUT] = "unscannable_timeout",
	[HEALTH_CRASH] = "unscannable_crash",
	[HEALTH_MALFORMED] = "unscannable_malformed",
	[HEALTH_ERROR] = "unscannable_error",
	[HEALTH_WORKERS] = "workers_started",
	[HEALTH_CRASHES] = "workers_crashed",
	[HEALTH_LATE] = "workers_late",
	[HEALTH_KILLED] = "workers_killed",
	[HEALTH_HOSTS] = "hosts_lost",
	[HEALTH_AGAIN] = "scans_again",
	[HEALTH_FRAMES] = "frames_malformed",
	[HEALTH_CONNECTIONS] = "connections_refused",
	[HEALTH_SWEEP] = "sweep_lost",
};

static const uint64_t class_max[HEALTH_CLASSES - 1] = { 10 << 10, 100 << 10, 1 << 20,
	10 << 20 };

const char *health_count_name(enum health_count count)
{
	return names[count];
}

size_t health_class(uint64_t size)
{
	size_t at = 0;

	while (at < HEALTH_CLASSES - 1 && size > class_max[at])
		at++;
	return at;
}

uint64_t health_class_max(size_t index)
{
	return index < HEALTH_CLASSES - 1 ? class_max[index] : 0;
}

static void pack_quantiles(struct pack *pack, const struct health_quantiles *quantiles)
{
	pack_u32(pack, quantiles->p50);
	pack_u32(pack, quantiles->p95);
	pack_u32(pack, quantiles->p99);
}

void health_pack(struct pack *pack, const struct health *health)
{
	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		pack_u64(pack, health->counts[i]);
	for (size_t i = 0; i < HEALTH_CLASSES; i++) {
		pack_u32(pack, health->times[i].scans);
		pack_quantiles(pack, &health->times[i].all);
		pack_quantiles(pack, &health->times[i].work);
	}
}

static void unpack_quantiles(struct unpack *unpack, struct health_quantiles *quantiles)
{
	quantiles->p50 = unpack_u32(unpack);
	quantiles->p95 = unpack_u32(unpack);
	quantiles->p99 = unpack_u32(unpack);
}

void health_unpack(struct unpack *unpack, struct health *health)
{
	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		health->counts[i] = unpack_u64(unpack);
	for (size_t i = 0; i < HEALTH_CLASSES; i++) {
		health->times[i].scans = unpack_u32(unpack);
		unpack_quantiles(unpack, &health->times[i].all);
		unpack_quantiles(unpack, &health->times[i].work);
	}
}
