/* SPDX-License-Identifier: ISC */
#include "mailfilter/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

const char *input_spool(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && dir[0] == '/' ? dir : "/tmp";
}

int input_read(const char *file, struct body *body, struct err *err)
{
	bool standard = strcmp(file, "-") == 0;
	auto_close int fd = standard ? dup(STDIN_FILENO)
				     : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	uint8_t chunk[64 * 1024];
	struct stat status;

	if (fd < 0)
		return err_errno(err, ERR_MESSAGE, "%s", file);
	if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
		return err_set(
			err, ERR_MESSAGE, "%s: a folder, not a message file", file);
	for (;;) {
		ssize_t got = read(fd, chunk, sizeof(chunk));

		if (got == 0)
			return 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, ERR_MESSAGE, "%s", file);
		if (body_add(body, (struct span){ chunk, (size_t)got }, err) < 0)
			return err_wrap(err, "%s", file);
	}
}
