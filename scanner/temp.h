/* SPDX-License-Identifier: ISC
 *
 * The scanner's temp folder, and who lives where in it:
 *     TEMP_DIR/lock           held by the parent: one scanner a folder
 *     TEMP_DIR/e.PID          one engine host
 *     TEMP_DIR/e.PID/w.PID    one of its workers: where libclamav unpacks
 * Message bodies lie beside them in files without a name. What a process leaves behind is
 * wiped by whoever reaps it, and what nobody reaped at the next start. */
#ifndef SCANNER_TEMP_H
#define SCANNER_TEMP_H

#include <limits.h>
#include <sys/types.h>

#include "common/buf.h"

enum {
	TEMP_PATH_MAX = PATH_MAX,
	TEMP_COPIES = 3, /* of a message, unpacked, before its scan begins ... */
	TEMP_SPARE = 16 * 1024 * 1024 /* ... and room for what is in it */
};

/* Can it be used? ERR_SETTINGS says what is wrong with it. Makes nothing: a folder that is missing
 * or that cannot be looked at is the service's to make. Root may ask for another user. */
int temp_check(const char *dir, struct err *err);

/* Make the folder if it is missing, see that it is ours alone (ERR_SETTINGS), and lock it: ERR_AGAIN
 * names the pid that holds it. Released when *lock_r is closed. */
int temp_open(const char *dir, int *lock_r, struct err *err);

const char *temp_host_path(
	const char *dir, pid_t host, char path_r[static TEMP_PATH_MAX]);
const char *temp_worker_path(
	const char *dir, pid_t host, pid_t worker, char path_r[static TEMP_PATH_MAX]);

/* An empty folder there, 0700, whatever was there before. */
int temp_make(const char *path, struct err *err);

/* Remove the folders of all engine hosts but those of keep, and what else has such a name; of links the
 * links themselves. -1 if anything is left. */
int temp_sweep(const char *dir, const pid_t *keep, size_t keep_count, struct err *err);

/* Is there room for so many bytes and some files? ERR_AGAIN says how short it is. */
int temp_has_room(const char *dir, uint64_t bytes, struct err *err);

/* Bytes that must be free before a message of this size is scanned. */
static inline uint64_t temp_needed(uint64_t message_size)
{
	return TEMP_COPIES * message_size + TEMP_SPARE;
}

/* Has the file system, empty, room for the largest message and for all that one may unpack to? ERR_SETTINGS
 * says what becomes of mail that does not fit. A folder that is not there yet passes. */
int temp_check_size(
	const char *dir, uint64_t message_max, uint64_t scan_size_max, struct err *err);

/* All that the file system has, in bytes, free or not; UINT64_MAX where it does not say. */
uint64_t temp_size(const char *dir);

/* Is it as good as empty, but for so many bytes of our own? Not where others' files take an eighth. */
bool temp_is_free(const char *dir, uint64_t own);

#endif
