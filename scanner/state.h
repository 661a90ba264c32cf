/* SPDX-License-Identifier: ISC
 *
 * What the scanner says of itself: to clients, to the service manager, in the log. */
#ifndef SCANNER_STATE_H
#define SCANNER_STATE_H

#include "common/wire.h"

#include "scanner/hosts.h"

/* All but the session, and how many wait. */
void state_fill(const struct hosts *hosts, bool stopping, struct wire_state *state_r);

/* Tell the service manager and the log, if it changed so that they want to know. */
void state_announce(const struct wire_state *before, const struct wire_state *now);

#endif
