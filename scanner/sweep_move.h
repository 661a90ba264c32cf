/* SPDX-License-Identifier: ISC
 *
 * What the walker does with a find where sweep-quarantine is set: moves a file of its own, and leaves,
 * and says why, what holds mail, what was released, and what it may not move. A find stays a find
 * whatever comes of it. */
#ifndef SCANNER_SWEEP_MOVE_H
#define SCANNER_SWEEP_MOVE_H

#include "scanner/settings.h"
#include "scanner/sweep_book.h"

/* Once, at the start: end what the last walker was killed at. What is in the way is logged. */
void sweep_move_start(const struct settings *settings);

/* The folder that no sweep goes into; false: there is none. */
bool sweep_move_folder(const struct settings *settings, struct stat *stat_r);

/* Do it, and add to the answer's detail what became of it. Nothing unless the answer
 * is infected and the setting is there. file is open, as it was scanned. */
void sweep_move(const struct settings *settings, const struct sweep_walk *walk,
	const struct sweep_scanned *scanned, int file, struct sweep_answer *answer);

#endif
