/* SPDX-License-Identifier: ISC
 *
 * The sweep's walker: a process of its own at the lowest priority, exec'd by the parent. Goes through
 * the directories of the settings pass after pass, passes over what is as it was, opens what is not and
 * hands it to a worker, remembers and reports what came of it. The parent says when (sweeper.h). Reads no
 * file itself and changes none outside its state folder, but for what it moves to its quarantine
 * (sweep_move.h). A kill costs the scan that was under way: what was done is remembered, and the next
 * walker goes on there. */
#ifndef SCANNER_SWEEP_H
#define SCANNER_SWEEP_H

#include "scanner/settings.h"

/* The whole life of a walker. Returns its exit code. */
int sweep_main(const struct settings *settings);

/* scanner --sweep-report: what the last one wrote, on standard output. Returns the exit code: 0 nothing
 * is infected, 1 something is, 75 there is no report yet, 78 no sweep is set. */
int sweep_show(const struct settings *settings, bool as_json);

#endif
