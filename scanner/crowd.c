/* SPDX-License-Identifier: ISC */
#include "scanner/crowd.h"

#include <string.h>
#include <strings.h>

static const char begin[] = "begin ";

enum {
	BEGIN_LEN = sizeof(begin) - 1,
	LINE_MIN = BEGIN_LEN + 4 /* "644 " */
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "begin 644 ", of which only the first letter must be a small one. */
static bool is_start(const uint8_t *line)
{
	return line[0] == 'b' && strncasecmp((const char *)line, begin, BEGIN_LEN) == 0 &&
	       is_digit(line[BEGIN_LEN]) && is_digit(line[BEGIN_LEN + 1]) &&
	       is_digit(line[BEGIN_LEN + 2]) && line[BEGIN_LEN + 3] == ' ';
}

static bool is_line_start(struct span bytes, size_t at)
{
	return at == 0 || bytes.data[at - 1] == '\n' || bytes.data[at - 1] == '\r';
}

bool crowd_is_over(struct span bytes, uint64_t max)
{
	uint64_t count = 0;
	size_t at = 0;

	if (bytes.len / LINE_MIN <= max)
		return false; /* most mail: not even looked at */
	while (at + LINE_MIN <= bytes.len) {
		const uint8_t *next = memchr(bytes.data + at, 'b', bytes.len - at);

		if (!next)
			break;
		at = (size_t)(next - bytes.data);
		if (at + LINE_MIN <= bytes.len && is_line_start(bytes, at) &&
			is_start(next) && ++count > max)
			return true;
		at++;
	}
	return false;
}
