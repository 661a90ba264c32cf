/* SPDX-License-Identifier: ISC
 *
 * Who may connect over tcp: the scanner's own secret key and the keys of its clients, from the
 * settings to what a link takes. Without curve-key there is no guard, and no tcp off loopback. */
#ifndef SCANNER_GUARD_H
#define SCANNER_GUARD_H

#include "common/link.h"

#include "scanner/settings.h"

/* An item of `clients`, "KEY NAME": ERR_SETTINGS says what was expected. */
int guard_check_client(const char *text, struct err *err);

/* Can the secret key be read, if there is to be one? ERR_SETTINGS names what a person must mend. */
int guard_check(const struct settings *settings, struct err *err);

/* Listen where the settings say, as link_bind and link_bind_keys. */
int guard_listen(const struct settings *settings, size_t frame_max, struct link **link_r,
	struct err *err);

/* Read `clients` again from the file of these settings, and let those connect, and no others, from now
 * on. Nothing changes where it cannot be read or is wrong (err says what), nor where there is no file or
 * no key. Other settings are read at the start alone. */
int guard_reload(const struct settings *settings, struct link *link, struct err *err);

#endif
