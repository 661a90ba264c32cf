/* SPDX-License-Identifier: ISC
 *
 * When an engine host is started, and when not yet. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "scanner/hosts_inside.h"
#include "scanner/signatures.h"
#include "scanner/temp.h"
#include "scanner/watch.h"

enum {
	RESTART_MS = 1000, /* after one that did no work; doubled with each in a row */
	SPACE_MS = 500,    /* between two looks whether there is temp space */
	LOAD_BYTES = 4 * 1024 * 1024 /* of it, for what loading writes */
};

struct host *hosts_in_state(struct hosts *hosts, enum host_state state)
{
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (hosts->list[i].state == state && &hosts->list[i] != hosts->serving)
			return &hosts->list[i];
	return NULL;
}

void hosts_set_trouble(struct hosts *hosts, const char *text)
{
	if (text[0] != '\0' && (hosts->log_again || strcmp(hosts->trouble, text) != 0))
		log_error("%s", text);
	hosts->log_again = false;
	(void)snprintf(hosts->trouble, sizeof(hosts->trouble), "%s", text);
}

void hosts_delay_start(struct hosts *hosts)
{
	int64_t wait = RESTART_MS;

	for (unsigned i = 0; i < hosts->deaths && wait < HOSTS_RETRY_MS; i++)
		wait *= 2;
	hosts->deaths++;
	hosts->start_after = clock_ms() + (wait < HOSTS_RETRY_MS ? wait : HOSTS_RETRY_MS);
}

/* Half a file is a smaller set that may load well, and finds less: what is being written is waited
 * for, but not for ever. */
static bool are_being_written(struct hosts *hosts)
{
	int64_t now = clock_ms();
	int64_t wait = signatures_unsettled_ms(hosts->signatures, WATCH_SETTLE_MS);

	if (wait == 0) {
		hosts->unsettled_since = -1;
	} else if (hosts->unsettled_since < 0) {
		hosts->unsettled_since = now;
		log_info("a signature file is being written: loading waits for it");
	}
	if (wait == 0 || now - hosts->unsettled_since >= WATCH_UNSETTLED_MS)
		return false;
	hosts->start_after = now + wait;
	return true;
}

/* It would load for a minute, and find no place for its own files then. */
static bool has_space(struct hosts *hosts)
{
	struct err err = { 0 };

	if (temp_has_room(hosts->settings->temp_dir, LOAD_BYTES, &err) == 0)
		return true;
	hosts->start_after = clock_ms() + SPACE_MS;
	if (!hosts->serving)
		hosts_set_trouble(hosts, err.text);
	return false;
}

void hosts_start(struct hosts *hosts)
{
	struct host *host = hosts_in_state(hosts, HOST_NONE);
	struct err err = { 0 };

	if (!host)
		return; /* until one that is ending has ended */
	if (are_being_written(hosts) || !has_space(hosts))
		return;
	hosts->reload_at = -1;
	hosts->serial = false;
	if (host_start(host, hosts->settings, hosts->workers, &err) < 0) {
		hosts_set_trouble(hosts, err.text);
		hosts_delay_start(hosts);
		hosts->reload_at = hosts->start_after;
		return;
	}
	log_debug("engine host %d loads the signatures", (int)host->pid);
}
