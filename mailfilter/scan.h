/* SPDX-License-Identifier: ISC
 *
 * The scanners as mailfilter sees them: who is there, what was sent to whom, and what came back.
 * A request stays here until its verdict; what a dead scanner held goes to another. No reply is
 * trusted: the edits of an infected message are applied here and must give the hash that was
 * scanned clean. One process, one struct. Opened after the fork (it owns ZeroMQ contexts). */
#ifndef MAILFILTER_SCAN_H
#define MAILFILTER_SCAN_H

#include <poll.h>

#include "common/link.h"
#include "common/wire.h"
#include "mailfilter/settings.h"

struct scan;

enum {
	SCAN_SCANNERS_MAX = 16
};

/* One request as its owner sees it: what it points to stays valid until the answer. */
struct scan_request {
	const struct body *message;
	const char *quarantine_id; /* printable ASCII, may be "" */
	const struct allow *allow; /* what is no virus; NULL: nothing is said of that */
	/* Called once from scan_step, and must not call scan functions: the verdict is valid during
	 * the call (take its members to keep them). RETRY with a detail where no scanner could
	 * answer, or not truthfully. */
	void (*answer)(void *arg, struct verdict *verdict);
	void *arg;
};

int scan_open(const struct settings *settings, struct scan **scan_r, struct err *err);
void scan_close(struct scan *scan);

/* Is any scanner ready for one more request? */
bool scan_ready(const struct scan *scan);

/* Is none there, or none loaded in time? Then why, a sentence for people in text; "" while there
 * is still hope (within scanner_wait_ms and scanner_start_ms of the first step). */
bool scan_hopeless(const struct scan *scan, char *text, size_t size);

/* Take a request; its id in *id_r. Not ready: ERR_AGAIN. */
int scan_send(struct scan *scan, const struct scan_request *request, uint64_t *id_r,
	struct err *err);

/* Forget a request: no answer will be called. */
void scan_cancel(struct scan *scan, uint64_t id);

size_t scan_outstanding(const struct scan *scan);

/* Do what is to be done now without waiting: receive, answer, time out, send on. Returns how
 * many answers were given. */
int scan_step(struct scan *scan);

/* Wait for scanners or fds (poll(2)), at most timeout_ms, then scan_step. */
int scan_wait(struct scan *scan, struct pollfd *fds, size_t count, int timeout_ms,
	struct err *err);

/* For status: what the i-th scanner last said; NULL if there is no i-th. Of one that never answered: not
 * alive, and nothing. */
const char *scan_scanner(
	const struct scan *scan, size_t i, bool *alive_r, struct wire_state *state_r);

/* And if that is not there: what is wrong with the connection and what to do, as far as it is known, a
 * sentence in text; else false and "". */
bool scan_trouble(const struct scan *scan, size_t i, char *text, size_t size);

#endif
