/* SPDX-License-Identifier: ISC
 *
 * The lowest priority there is: the processor and the disk when nobody else wants them. */
#ifndef COMMON_IDLE_H
#define COMMON_IDLE_H

/* For this process and those that it starts from now on, for good; before it is shut in. Needs no
 * privilege; what the system refuses it does without. */
void idle_enter(void);

#endif
