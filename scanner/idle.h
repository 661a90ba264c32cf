/* SPDX-License-Identifier: ISC
 *
 * The lowest priority there is: the processor and the disk when nobody else wants them. */
#ifndef SCANNER_IDLE_H
#define SCANNER_IDLE_H

/* For this process, for good; before it is shut in. What the system refuses it does without. */
void idle_enter(void);

#endif
