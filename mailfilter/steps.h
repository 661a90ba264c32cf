/* SPDX-License-Identifier: ISC
 *
 * The steps of the pipeline's table. Each gets all messages that stand at its row's `before`,
 * moves each that is done on to the next stage, leaves each that must wait, and sets err in each
 * that failed; it never touches another row's messages. */
#ifndef MAILFILTER_STEPS_H
#define MAILFILTER_STEPS_H

#include "mailfilter/pipeline.h"

/* FETCHED: suspicious or inert, or what a rule says; what one quarantines or files goes straight to
 * SCANNED. Cannot fail: what cannot be judged is suspicious. */
void step_judge(struct pipeline *pipeline, struct message **list, size_t count);

/* JUDGED: to a scanner; inert ones go straight to SCANNED. The verdict arrives at SENT. */
void step_scan(struct pipeline *pipeline, struct message **list, size_t count);

/* SCANNED: decide, and make the originals of what will be changed or kept back durable. Then
 * the quarantine's files are there; their index comes with the intents. */
void step_quarantine(struct pipeline *pipeline, struct message **list, size_t count);

/* QUARANTINED: bytes durable, intents recorded, then shown. */
void step_deliver(struct pipeline *pipeline, struct message **list, size_t count);

/* DELIVERED: recorded as done, parked or held, counted and logged. Nothing is left to settle of
 * what stays on the server as it is. A dry run comes here straight from SCANNED: counted and
 * logged, no more. */
void step_record(struct pipeline *pipeline, struct message **list, size_t count);

#endif
