/* SPDX-License-Identifier: ISC
 *
 * yEnc 1.3: each byte plus 42, "=" escapes the few that cannot stand in a line. */
#include "common/embedded_inside.h"

enum {
	CHUNK = 4096
};

int yenc_decode(struct span data, struct buf *out, struct err *err)
{
	bool escaped = false;

	for (size_t at = 0; at < data.len; at += CHUNK) {
		struct span part = span_part(data, at, CHUNK);
		uint8_t bytes[CHUNK];
		size_t len = 0;

		for (size_t i = 0; i < part.len; i++) {
			uint8_t c = part.data[i];
			size_t start = at + i;

			/* A "." at the start of a line is doubled on the way by NNTP. */
			if (c == '\r' || c == '\n' ||
				(c == '.' && start > 0 && data.data[start - 1] == '.' &&
					(start == 1 || data.data[start - 2] == '\n')))
				continue;
			if (!escaped && c == '=') {
				escaped = true;
				continue;
			}
			bytes[len++] = (uint8_t)(c - (escaped ? 64 + 42 : 42));
			escaped = false;
		}
		if (buf_add(out, bytes, len, err) < 0)
			return -1;
	}
	return 0;
}
