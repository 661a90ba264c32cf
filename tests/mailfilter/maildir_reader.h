/* SPDX-License-Identifier: ISC
 *
 * A Maildir of numbered messages as its reader sees it, and what a reader does with mail. */
#ifndef TESTS_MAILDIR_READER_H
#define TESTS_MAILDIR_READER_H

#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

enum {
	MESSAGES_MAX = 16
};

static char top[64];               /* the Maildir is the box below it */
static bool deleted[MESSAGES_MAX]; /* by a reader, who has seen it */

static inline void sub(char path[static 400], const char *folder, const char *name)
{
	(void)snprintf(path, 400, "%s/box/%s/%s", top, folder, name);
}

/* What is done with one file of a folder. */
typedef void (*file_act)(const char *folder, const char *name, void *arg);

/* For every file of a folder that there is. */
static inline void walk(const char *folder, file_act act, void *arg)
{
	auto_closedir DIR *list = NULL;
	struct dirent *entry;
	char path[400];

	sub(path, folder, "");
	list = opendir(path);
	while (list && (entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			act(folder, entry->d_name, arg);
}

/* Which message a file holds, by its text. */
static inline unsigned long which(const char *folder, const char *name)
{
	auto_fclose FILE *file = NULL;
	unsigned long number;
	char path[400], text[32];

	sub(path, folder, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_memory_equal(text, "message ", 8);
	number = strtoul(text + 8, NULL, 10);
	assert_true(number < MESSAGES_MAX);
	return number;
}

/* What a reader does with new mail. */
static inline void leave(const char *folder, const char *name, void *arg)
{
	(void)folder;
	(void)name;
	(void)arg;
}

static inline void read_it(const char *folder, const char *name, void *arg)
{
	char from[400], to[400];

	(void)arg;
	sub(from, folder, name);
	sub(to, "cur", name);
	(void)strncat(to, ":2,S", sizeof(to) - strlen(to) - 1);
	assert_int_equal(rename(from, to), 0);
}

static inline void archive_it(const char *folder, const char *name, void *arg)
{
	char from[400], to[400];

	(void)arg;
	sub(from, folder, name);
	sub(to, "archive", name);
	assert_int_equal(rename(from, to), 0);
}

static inline void delete_it(const char *folder, const char *name, void *arg)
{
	char path[400];

	(void)arg;
	deleted[which(folder, name)] = true;
	sub(path, folder, name);
	assert_int_equal(unlink(path), 0);
}

static inline void count_it(const char *folder, const char *name, void *arg)
{
	unsigned *copies = arg;

	copies[which(folder, name)]++;
}

static inline void fail_on(const char *folder, const char *name, void *arg)
{
	(void)arg;
	fail_msg("left in %s: %s", folder, name);
}

static inline void add_hash(const char *folder, const char *name, void *arg)
{
	uint64_t *sum = arg, hash = (unsigned char)folder[0];

	for (const char *p = name; *p; p++)
		hash = hash * 1099511628211U + (unsigned char)*p;
	*sum += hash * hash;
}

/* In all places where a reader may put mail. */
static inline void walk_all(file_act act, void *arg)
{
	walk("new", act, arg);
	walk("cur", act, arg);
	walk("archive", act, arg);
}

/* All names below the Maildir in one number that changes with any of them. */
static inline uint64_t fingerprint(void)
{
	uint64_t sum = 0;

	walk("tmp", add_hash, &sum);
	walk_all(add_hash, &sum);
	return sum;
}

#endif
