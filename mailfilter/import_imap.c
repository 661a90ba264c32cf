/* SPDX-License-Identifier: ISC
 *
 * What mbsync keeps of a folder, and getmail of a folder or a POP3 mailbox. */
#include <string.h>

#include "mailfilter/import.h"

/* Names of the header up to 1.3 stand beside those since 1.4. */
static const char *const fars[] = { "FarUidValidity", "MasterUidValidity" };
static const char *const others[] = { "NearUidValidity", "SlaveUidValidity",
	"MaxPulledUid", "MaxPushedUid", "MaxExpiredFarUid", "MaxExpiredMasterUid",
	"MaxExpiredSlaveUid" };

static bool is_among(struct span key, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(key, span_str(names[i])))
			return true;
	return false;
}

/* One line of the header. */
static int read_header(
	struct import *import, struct span line, uint32_t *far_r, struct err *err)
{
	struct span key = import_until(&line, ' ');
	uint64_t number;

	if (key.len > 0 && key.data[0] >= '0' && key.data[0] <= '9')
		return import_refuse(import,
			"this is of mbsync before 1.1, or not its file: let a newer mbsync "
			"run once",
			err);
	if (!import_number(line, UINT32_MAX, &number))
		return import_refuse(import, "this is no line of mbsync's header", err);
	if (is_among(key, fars, sizeof(fars) / sizeof(fars[0])))
		*far_r = (uint32_t)number;
	else if (!is_among(key, others, sizeof(others) / sizeof(others[0])))
		return import_refuse(import, "this is no line of mbsync's header", err);
	return 0;
}

/* "FAR NEAR [FLAGS]". A far UID of 0 was pushed from here and is gone there. Not fetched: what has but
 * a placeholder here (">"), and what was too large ("^", or a near UID of -1, of older ones). */
static int read_pair(struct import *import, struct span line, struct err *err)
{
	struct span far_text = import_until(&line, ' ');
	struct span near_text = import_until(&line, ' ');
	uint64_t far_uid, near_uid;

	if (!import_number(far_text, UINT32_MAX, &far_uid) ||
		!import_number(near_text, UINT32_MAX, &near_uid))
		return import_refuse(import, "this is no pair of UIDs", err);
	if (far_uid == 0 || far_uid == UINT32_MAX || near_uid == UINT32_MAX ||
		(line.len > 0 && (memchr(line.data, '>', line.len) ||
					 memchr(line.data, '^', line.len))))
		return 0;
	return import_uid(import, (uint32_t)far_uid, err);
}

int import_mbsync(struct import *import, struct err *err)
{
	uint32_t uidvalidity = 0;
	struct span line;
	int got;

	while ((got = import_line(import, &line, err)) > 0 && line.len > 0)
		if (read_header(import, line, &uidvalidity, err) < 0)
			return -1;
	if (got < 0)
		return -1;
	if (got == 0 || uidvalidity == 0)
		return import_refuse(import,
			"mbsync's header has no end, or no UIDVALIDITY of the far side",
			err);
	if (import->uidvalidity != 0 && import->uidvalidity != uidvalidity)
		return import_refuse(
			import, "its UIDVALIDITY is not that of the file before", err);
	import->uidvalidity = uidvalidity;
	while ((got = import_line(import, &line, err)) > 0)
		if (read_pair(import, line, err) < 0)
			return -1;
	return got;
}

/* "UIDVALIDITY/UID". What the server numbered anew stays in the file for a month; a later UIDVALIDITY is
 * the greater one (RFC 3501). */
static int read_id(struct import *import, struct span id, struct err *err)
{
	struct span first = import_until(&id, '/');
	uint64_t uidvalidity, uid;

	if (!import_number(first, UINT32_MAX, &uidvalidity) || uidvalidity == 0 ||
		!import_number(id, UINT32_MAX, &uid) || uid == 0)
		return import_refuse(import, "this is no UIDVALIDITY/UID", err);
	if (uidvalidity < import->uidvalidity) {
		import->older++;
		return 0;
	}
	if (uidvalidity > import->uidvalidity) {
		import->older += import->uids.len / MESSAGE_UID_MAX;
		buf_clear(&import->uids);
		import->uidvalidity = (uint32_t)uidvalidity;
	}
	return import_uid(import, (uint32_t)uid, err);
}

/* Each line: an id, a NUL, and the time in seconds. */
int import_getmail(struct import *import, struct err *err)
{
	struct span line;
	int got;

	while ((got = import_line(import, &line, err)) > 0) {
		struct span id = import_until(&line, '\0');
		uint64_t time_s;

		if (!import_number(line, INT64_MAX, &time_s))
			return import_refuse(
				import, "this is no line of an oldmail file", err);
		if (import->imap ? read_id(import, id, err) < 0
				 : import_uidl(import, id, err) < 0)
			return -1;
	}
	return got;
}
