/* SPDX-License-Identifier: ISC
 *
 * --check-config: what is wrong with settings that could be read, and with what they name. */
#ifndef MAILFILTER_CHECK_CONFIG_H
#define MAILFILTER_CHECK_CONFIG_H

#include <stdbool.h>

#include "mailfilter/settings.h"

struct check_options {
	bool connect; /* to servers, scanners and destinations, too */
	bool json;
};

/* Says all that is wrong, not only the first. The exit code: 0, or of 78, 77 and 75 the first. */
int check_config(const struct settings *settings, const struct check_options *options);

#endif
