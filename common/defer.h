/* SPDX-License-Identifier: ISC
 *
 * Release on scope exit. Declare with an initial value:
 *
 *     auto_free char *name = NULL;
 *     auto_close int fd = -1;
 *
 * and hand over with take_ptr(&name) or take_fd(&fd), which leave nothing to release.
 * Types with their own x_done or x_free name them with DEFER(type, x_done). */
#ifndef COMMON_DEFER_H
#define COMMON_DEFER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFER(function) __attribute__((cleanup(function)))

static inline void defer_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void defer_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void defer_fclose(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

static inline void defer_closedir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

#define auto_free     DEFER(defer_free)
#define auto_close    DEFER(defer_close)
#define auto_fclose   DEFER(defer_fclose)
#define auto_closedir DEFER(defer_closedir)

static inline void *take_ptr(void *pointer)
{
	void *taken = *(void **)pointer;
	*(void **)pointer = NULL;
	return taken;
}

static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

#endif
