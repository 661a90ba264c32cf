/* SPDX-License-Identifier: ISC */
#include "scanner/trail.h"

#include <string.h>

#include "common/utf8.h"

#define BETWEEN " > "

static size_t append(char trail[static TRAIL_MAX], size_t len, struct span text)
{
	while (text.len > 0) {
		size_t step = utf8_printable(text), taken = step > 0 ? step : 1;

		if (len + taken >= TRAIL_MAX)
			break;
		if (step > 0)
			memcpy(trail + len, text.data, step);
		else
			trail[len] = '?';
		len += taken;
		text = span_part(text, taken, text.len);
	}
	trail[len] = '\0';
	return len;
}

void trail_add(char trail[static TRAIL_MAX], const char *name)
{
	size_t len = strlen(trail);

	if (!name || !name[0])
		return;
	if (len > 0)
		len = append(trail, len, span_str(BETWEEN));
	(void)append(trail, len, span_str(name));
}
