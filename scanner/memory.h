/* SPDX-License-Identifier: ISC
 *
 * Is there memory for a second set of signatures beside the one that is loaded? How much is left? And
 * did it run out, so that the kernel killed somebody? Asks the kernel. */
#ifndef SCANNER_MEMORY_H
#define SCANNER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	MEMORY_RESERVE_MB = 256 /* that loading and all else may need beyond */
};

/* As much as this process has, swapped or not, and the reserve, by what memory_left says. Where the kernel does not say: yes. */
bool memory_has_room_beside(pid_t pid);

/* Has the kernel killed a process for its memory since this was last asked with the same *seen, here
 * or anywhere on this machine? Where it does not say: yes. The first time, with *seen 0, only look. */
bool memory_ran_out(uint64_t *seen);

/* The value of a line "NAME 123" of such a file. False: no such line. */
bool memory_count(const char *text, const char *name, uint64_t *count_r);

/* The value of a line "NAME:   123 kB" of a file in /proc, in bytes. False: no such line. */
bool memory_field(const char *text, const char *name, uint64_t *bytes_r);

/* Is there such a line "NAME:   VALUE", VALUE to its end? */
bool memory_line_is(const char *text, const char *name, const char *value);

/* What may still be used, by this machine and by the limit of each control group (of version 2 or 1)
 * that this process is in; what the kernel would give back from its caches counts as left. *limited_r: a group
 * allows less than the machine has. root goes before each path: "", but for tests. False: unknown. */
bool memory_left(const char *root, uint64_t *left_r, bool *limited_r);

#endif
