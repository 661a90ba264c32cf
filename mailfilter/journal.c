/* SPDX-License-Identifier: ISC */
#include "mailfilter/journal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

int journal_load(
	const char *path, size_t max, journal_take take, void *arg, struct err *err)
{
	auto_buf struct buf content;
	char *line, *end;

	buf_init(&content, max);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (file_read(path, max, &content, err) < 0)
		return -1;
	line = (char *)content.data;
	for (size_t left = content.len; left > 0;
		left -= (size_t)(end - line), line = end) {
		end = memchr(line, '\n', left);
		if (!end)
			return 0;
		*end++ = '\0';
		if (take(arg, line, err) < 0)
			return -1;
	}
	return 0;
}
