/* SPDX-License-Identifier: ISC
 *
 * The server of an address: a provider's, or the first of the usual names that the name service knows.
 * A process of its own asks that one: it may take long, and who waits in it hears no signal. */
#ifndef MAILFILTER_SETUP_GUESS_H
#define MAILFILTER_SETUP_GUESS_H

#include "mailfilter/setup.h"

enum {
	SETUP_GUESS_MS = 10 * 1000 /* then the first name is as good as any */
};

/* Does this machine's name service know it? */
bool setup_guess_is_known(const char *host);

/* Into setup->server, which stays as it is where there is no guess. is_known: asked of one name after
 * the other. ASK_STOP: told to stop meanwhile. */
enum ask_result setup_guess_server(
	struct setup *setup, bool (*is_known)(const char *host));

#endif
