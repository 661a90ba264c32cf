/* SPDX-License-Identifier: ISC
 *
 * scanner --check: asks the scanner that runs how it is, as a client would. */
#ifndef SCANNER_CMD_CHECK_H
#define SCANNER_CMD_CHECK_H

#include "scanner/settings.h"

/* Print a table, or JSON. Returns the exit code: 0 all is well, 1 a warning, 2 something is critical,
 * or no scanner answers. */
int cmd_check(const struct settings *settings, bool as_json);

#endif
