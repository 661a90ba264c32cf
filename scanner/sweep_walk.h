/* SPDX-License-Identifier: ISC
 *
 * Through directories, a name a call, without recursion and without following a link. Names come from
 * whoever may write there: any bytes. A directory that is exchanged for a link meanwhile is not entered,
 * and what is opened is looked at again once it is open. Changes nothing, reads no file. */
#ifndef SCANNER_SWEEP_WALK_H
#define SCANNER_SWEEP_WALK_H

#include <sys/stat.h>

#include "common/schema.h"

enum {
	SWEEP_DEPTH_MAX = 64,
	SWEEP_PATH_MAX = 4096
};

enum sweep_step {
	SWEEP_FOUND, /* a file: to be scanned, or known */
	SWEEP_PASSED, /* a name that is no file, or nothing to scan: why says why, or SWEEP_WHY_NONE */
	SWEEP_END
};

enum sweep_why {
	SWEEP_WHY_NONE,       /* a directory, entered or left */
	SWEEP_WHY_LINK,       /* symbolic */
	SWEEP_WHY_SPECIAL,    /* FIFO, socket, device */
	SWEEP_WHY_EXCLUDED,   /* by a pattern */
	SWEEP_WHY_ELSEWHERE,  /* on another file system */
	SWEEP_WHY_DEEP,       /* past SWEEP_DEPTH_MAX or SWEEP_PATH_MAX */
	SWEEP_WHY_UNREADABLE, /* errnum says why */
	SWEEP_WHY_COUNT
};

struct sweep_entry {
	const char *path; /* whole; borrowed until the next call */
	enum sweep_why why;
	int errnum;
	struct stat stat; /* SWEEP_FOUND: by its name */
	bool is_mail;     /* by its name, in cur or new of a Maildir */
};

struct sweep_walk;

/* The lists are borrowed. cross: into other file systems. */
int sweep_walk_new(const struct schema_list *roots, const struct schema_list *excludes,
	bool cross, struct sweep_walk **walk_r, struct err *err);
void sweep_walk_free(struct sweep_walk *walk);
static inline void defer_sweep_walk(struct sweep_walk **walk)
{
	sweep_walk_free(*walk);
}
#define auto_sweep_walk DEFER(defer_sweep_walk)

/* Can each of them be entered? -1: err names the first that cannot. */
int sweep_walk_look(const struct schema_list *roots, struct err *err);

enum sweep_step sweep_walk_next(struct sweep_walk *walk, struct sweep_entry *entry_r);

/* The file just found, to read: only if it is still that regular file. -1 with errno; ESTALE: it is
 * another. *stat_r is of what was opened. */
int sweep_walk_open(const struct sweep_walk *walk, const struct sweep_entry *entry,
	int *fd_r, struct stat *stat_r);

#endif
