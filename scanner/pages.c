/* SPDX-License-Identifier: ISC */
#include "scanner/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/defer.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* newer than the headers of Debian 12 */
#endif

enum {
	LINE_MAX_LEN = 512, /* a longer one has a name, and is no anonymous memory */
	PAGE_LARGE = 2 * 1024 * 1024
};

/* More than that in one piece is only set aside (by a sanitizer). */
#define PIECE_MAX (256ULL << 30)

static uintptr_t hex(const char **at)
{
	static const char digits[] = "0123456789abcdef";
	uintptr_t value = 0;
	const char *digit;

	while (**at && (digit = strchr(digits, **at))) {
		value = value << 4 | (uintptr_t)(digit - digits);
		(*at)++;
	}
	return value;
}

/* A line "START-END RIGHTS OFFSET DEVICE INODE NAME": private memory of no file that may be written,
 * but for the stack? */
static bool is_data(const char *line, uintptr_t *start_r, uintptr_t *end_r)
{
	static const char rights[] = " rw-p 00000000 00:00 0 ";
	const char *at = line;

	*start_r = hex(&at);
	at += *at == '-';
	*end_r = hex(&at);
	if (strncmp(at, rights, strlen(rights)) != 0)
		return false;
	at += strlen(rights);
	at += strspn(at, " ");
	return at[0] == '\n' || strcmp(at, "[heap]\n") == 0;
}

static void close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

void pages_collapse(void)
{
	DEFER(close_file) FILE *maps = fopen("/proc/self/maps", "re");
	char line[LINE_MAX_LEN];
	uintptr_t start, end;

	if (!maps)
		return;
	while (fgets(line, sizeof(line), maps)) {
		if (!is_data(line, &start, &end) || end - start > PIECE_MAX)
			continue;
		start = (start + PAGE_LARGE - 1) / PAGE_LARGE * PAGE_LARGE;
		/* All at once it gives up at the first page that it cannot do. */
		for (; start + PAGE_LARGE <= end; start += PAGE_LARGE)
			/* NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel says so */
			(void)madvise((void *)start, PAGE_LARGE, MADV_COLLAPSE);
	}
}
