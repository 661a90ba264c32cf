/* SPDX-License-Identifier: ISC
 *
 * What a scanner says of itself, to bytes and back: the body of STATE. Pure; every byte unpacked is
 * untrusted. */
#ifndef COMMON_WIRE_STATE_H
#define COMMON_WIRE_STATE_H

#include "common/checks.h"
#include "common/hash.h"
#include "common/health.h"
#include "common/swept.h"

enum {
	WIRE_TEXT_MAX = 256, /* of any text, NUL included */
};

enum wire_scanner_state {
	WIRE_LOADING = 1,
	WIRE_READY,
	WIRE_STOPPING
};

struct wire_state {
	enum wire_scanner_state state;
	uint64_t session;     /* random, new at each start of the scanner */
	uint64_t generation;  /* of the signatures, 0 while none is loaded */
	uint64_t message_max; /* largest message it takes, bytes */
	uint64_t signatures;  /* how many are loaded */
	int64_t dated_s; /* of the newest file of these, seconds since 1970; 0: unknown */
	uint32_t jobs;   /* requests a client may have outstanding */
	uint32_t workers;           /* alive */
	uint32_t busy;              /* of these, with a message */
	uint32_t queued;            /* requests waiting */
	uint64_t lookups;           /* messages looked up in its cache of clean ones */
	uint64_t hits;              /* and found there */
	struct health health;       /* what it did, and how long that took */
	struct checks checks;       /* and what its checks of itself found */
	struct swept swept;         /* and what its sweep of directories did */
	struct hash digest;         /* of signature sets, engine and options */
	char engine[WIRE_TEXT_MAX]; /* "libclamav 1.4.6" */
	char unprotected[WIRE_TEXT_MAX]; /* "" or what is not protected, a sentence */
	char trouble[WIRE_TEXT_MAX];     /* "" or why it is not ready, and what to do */
};

void wire_state_pack(struct pack *pack, const struct wire_state *state);
void wire_state_unpack(struct unpack *unpack, struct wire_state *state);

#endif
