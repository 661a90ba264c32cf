/* SPDX-License-Identifier: ISC
 *
 * Is there memory for a second set of signatures beside the one that is loaded? Asks the kernel. */
#ifndef SCANNER_MEMORY_H
#define SCANNER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	MEMORY_RESERVE_MB = 256 /* that loading and all else may need beyond */
};

/* As much as this process has, swapped or not, and the reserve. Where the kernel does not say: yes. */
bool memory_has_room_beside(pid_t pid);

/* The value of a line "NAME:   123 kB" of a file in /proc, in bytes. False: no such line. */
bool memory_field(const char *text, const char *name, uint64_t *bytes_r);

#endif
