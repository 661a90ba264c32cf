/* SPDX-License-Identifier: ISC
 *
 * Files, made durable in the right order. A full disk, quota or descriptor table is ERR_AGAIN;
 * anything else that a person must mend is ERR_ACCOUNT; the text names the path. Paths come
 * from settings, never from a message. */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <dirent.h>
#include <sys/types.h>

#include "common/buf.h"

/* The kind of errno for a failed file operation. ERR_AGAIN is what passes without a change of
 * settings: no space, quota, file size limit, descriptors or locks (ENOSPC, EDQUOT, EFBIG, EMFILE,
 * ENFILE, ENOLCK, ENOBUFS), a disk or file server in trouble (EIO, ESTALE, ETIMEDOUT, E...UNREACH),
 * EAGAIN, EBUSY and EINTR. ENOMEM is ERR_FATAL. All others (EACCES, EROFS, ENOENT, ELOOP ...) a
 * person must mend: ERR_ACCOUNT. */
enum err_kind file_err_kind(int errnum);

/* All of a small file; longer than max is ERR_ACCOUNT. The content is added to buf, which is
 * unchanged on failure. */
int file_read(const char *path, size_t max, struct buf *buf, struct err *err);

/* Write it all, through short writes and EINTR. path is for the error text only. */
int file_write(int fd, struct span bytes, const char *path, struct err *err);

/* fsync; close with its result checked. The fd is closed either way. */
int file_sync_close(int *fd, const char *path, struct err *err);

/* Make the names in a directory durable. Fine where a file system knows no such thing. */
int file_sync_dir(int dirfd, const char *path, struct err *err);

/* Write path whole or not at all, durably: PATH.tmp beside it, fsync, rename, fsync the directory.
 * One writer at a time. The mode is exact, whatever the umask. */
int file_replace(const char *path, struct span bytes, mode_t mode, struct err *err);

/* Make a directory and its missing parents, durably; one that is there is fine whatever its mode. */
int file_mkdirs(const char *path, mode_t mode, struct err *err);

/* Open a directory for the *at calls; a symbolic link as its last part is refused. */
int file_open_dir(const char *path, int *fd_r, struct err *err);

/* The same, and refused where everybody may write: what is in there would be theirs to swap. */
int file_open_own_dir(const char *path, int *fd_r, struct err *err);

/* A stream of its own over an open directory, since readdir moves a descriptor's offset. NULL: errno
 * says why. */
DIR *file_list(int dirfd);

/* Take the lock file (made if missing) and write our pid in it. Held by another process:
 * ERR_AGAIN with its pid in the text, and errno is EWOULDBLOCK. Released when *fd_r is closed, here and in every child
 * forked meanwhile; the file stays. */
int file_lock(const char *path, int *fd_r, struct err *err);

/* Who took that lock last, as it wrote itself. False: nobody did, or it cannot be read. */
bool file_lock_pid(const char *path, pid_t *pid_r);

/* Remove what is below a directory (not following links), however deep; with itself too if told.
 * Nobody else may work in it. Goes on after a failure; -1 if anything is left. */
int file_remove_tree(const char *path, bool itself, struct err *err);

#endif
