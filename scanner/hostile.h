/* SPDX-License-Identifier: ISC
 *
 * What comes in over the socket and cannot be used: messages that are malformed, connections that
 * are refused. Each is counted, and told in one line a minute however many come. */
#ifndef SCANNER_HOSTILE_H
#define SCANNER_HOSTILE_H

#include <stdint.h>

enum {
	HOSTILE_LOG_MS = 60 * 1000
};

struct hostile {
	uint64_t malformed, refused; /* since the start */
	struct hostile_told {
		int64_t at;     /* clock_ms() of the last line; 0: none yet */
		uint64_t count; /* how many it was by then */
	} malformed_told, refused_told;
};

/* One more message; why is of ours. */
void hostile_message(struct hostile *hostile, const char *why);

/* So many connections in all by now; why the last one. */
void hostile_connections(struct hostile *hostile, uint64_t count, const char *why);

#endif
