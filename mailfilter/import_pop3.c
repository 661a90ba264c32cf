/* SPDX-License-Identifier: ISC
 *
 * What mpop, fetchmail and fdm keep of POP3 mailboxes. */
#include <string.h>

#include "mailfilter/import.h"

/* " COUNT HOST USER" before so many UIDLs. */
static int read_list(struct import *import, struct span line, uint64_t *count_r,
	bool *wanted_r, struct err *err)
{
	struct span blank = import_until(&line, ' '), count = import_until(&line, ' '),
		    host = import_until(&line, ' ');

	if (blank.len > 0 || !import_number(count, IMPORT_UIDS_MAX, count_r) ||
		*count_r == 0 || host.len == 0 || line.len == 0)
		return import_refuse(import, "this is no head of a list of mpop", err);
	*wanted_r = import_is_wanted(import, line, host);
	return 0;
}

int import_mpop(struct import *import, struct err *err)
{
	bool wanted = false, began = false;
	uint64_t left = 0;
	struct span line;
	int got;

	while ((got = import_line(import, &line, err)) > 0) {
		/* Comments stand before all else: a UIDL may begin with '#', too. */
		if (!began && line.len > 0 && line.data[0] == '#')
			continue;
		began = true;
		if (left == 0) {
			if (read_list(import, line, &left, &wanted, err) < 0)
				return -1;
			continue;
		}
		left--;
		if (line.len == 0 || line.data[0] == ' ')
			return import_refuse(
				import, "the list has fewer UIDLs than it says", err);
		/* Newer ones add the time. */
		if (wanted && import_uidl(import, import_until(&line, ' '), err) < 0)
			return -1;
	}
	if (got == 0 && left > 0)
		return import_refuse(
			import, "the list has fewer UIDLs than it says", err);
	return got;
}

/* "USER@HOST UIDL". A user may hold blanks and '@', a UIDL may hold '@': the first blank behind the
 * first '@' is the one between them, as fetchmail reads it. */
static int read_fetched(struct import *import, struct span line, struct err *err)
{
	const uint8_t *at = line.len > 0 ? memchr(line.data, '@', line.len) : NULL;
	const uint8_t *blank =
		at ? memchr(at, ' ', line.len - (size_t)(at - line.data)) : NULL;
	struct span user, host, uidl;

	if (!blank)
		return import_refuse(import, "this is no USER@HOST and UIDL", err);
	uidl = span_part(line, (size_t)(blank - line.data), line.len);
	line.len = (size_t)(blank - line.data);
	at = memrchr(line.data, '@', line.len);
	user = span_part(line, 0, (size_t)(at - line.data));
	host = span_part(line, user.len + 1, line.len);
	return import_is_wanted(import, user, host) ? import_uidl(import, uidl, err) : 0;
}

int import_fetchmail(struct import *import, struct err *err)
{
	struct span line;
	int got;

	while ((got = import_line(import, &line, err)) > 0)
		if (read_fetched(import, line, err) < 0)
			return -1;
	return got;
}

/* Each line: the length of a UIDL, a blank, and the UIDL. */
int import_fdm(struct import *import, struct err *err)
{
	struct span line;
	int got;

	while ((got = import_line(import, &line, err)) > 0) {
		struct span number = import_until(&line, ' ');
		uint64_t len;

		if (!import_number(number, IMPORT_LINE_MAX, &len) || len != line.len)
			return import_refuse(
				import, "this is no length and UIDL of that length", err);
		if (import_uidl(import, line, err) < 0)
			return -1;
	}
	return got;
}
