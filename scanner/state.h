/* SPDX-License-Identifier: ISC
 *
 * What the scanner says of itself: to clients, to the service manager, in the log. */
#ifndef SCANNER_STATE_H
#define SCANNER_STATE_H

#include "common/wire.h"

#include "scanner/hosts.h"

/* All but the session, and how many wait. */
void state_fill(const struct hosts *hosts, bool stopping, struct wire_state *state_r);

/* More that a person should mend, before what is there; "" is nothing. What does not fit is cut. */
void state_add_trouble(struct wire_state *state, const char *text);

/* Tell the service manager and the log, if it changed so that they want to know. */
void state_announce(const struct wire_state *before, const struct wire_state *now);

#endif
