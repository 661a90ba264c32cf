/* SPDX-License-Identifier: ISC
 *
 * The lowest priorities there are. For this process and those that it starts from now on, for good; before
 * it is shut in. They need no privilege; what the system refuses is done without. */
#ifndef COMMON_IDLE_H
#define COMMON_IDLE_H

/* The processor and the disk when nobody else wants them. While others are busy that may be never: not for
 * who holds a lock that others wait for. */
void idle_enter(void);

/* After all others, but some of both always: for who shares locks with others, such as a database. */
void idle_nearly(void);

#endif
