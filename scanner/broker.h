/* SPDX-License-Identifier: ISC
 *
 * The scanner's parent process: ZeroMQ in front, workers behind, a queue between; bytes only, no
 * parsing, no libclamav. Every request ends in one verdict: a worker that dies or passes its
 * deadline costs its message a try; after two it is unscannable (crash or timeout), never clean.
 * Cleaned bytes are verified by another worker before they are offered. */
#ifndef SCANNER_BROKER_H
#define SCANNER_BROKER_H

#include "scanner/settings.h"

/* Serve until SIGTERM or SIGINT. Returns the exit code. */
int broker_run(const struct settings *settings);

#endif
