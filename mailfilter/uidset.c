/* SPDX-License-Identifier: ISC */
#include "mailfilter/uidset.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

static int compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static int read_uid(const struct source_item *item, uint32_t *uid_r, struct err *err)
{
	uint64_t uid;

	if (parse_number(item->uid, 1, UINT32_MAX, &uid, NULL) < 0)
		return err_set(err, ERR_MESSAGE, "\"%s\" is no IMAP UID", item->uid);
	*uid_r = (uint32_t)uid;
	return 0;
}

int uidset_read(const struct source_item *items, size_t count, uint32_t **uids_r,
	size_t *count_r, struct err *err)
{
	auto_free uint32_t *uids = NULL;
	size_t kept = 0;
	uint32_t uid;

	for (size_t i = 0; i < count; i++) {
		if (read_uid(&items[i], &uid, err) < 0)
			return -1;
	}
	uids = calloc(count ? count : 1, sizeof(*uids));
	if (!uids)
		return err_memory(err);
	for (size_t i = 0; i < count; i++)
		(void)read_uid(&items[i], &uids[i], NULL);
	qsort(uids, count, sizeof(*uids), compare);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || uids[i] != uids[kept - 1])
			uids[kept++] = uids[i];
	}
	*uids_r = take_ptr(&uids);
	*count_r = kept;
	return 0;
}

size_t uidset_text(const uint32_t *uids, size_t count, char text[static UIDSET_TEXT_MAX])
{
	size_t len = 0, done = 0;

	text[0] = '\0';
	while (done < count) {
		char range[32];
		size_t end = done + 1, range_len;

		while (end < count && uids[end] == uids[end - 1] + 1)
			end++;
		if (end - done == 1)
			(void)snprintf(range, sizeof(range), "%s%" PRIu32, len ? "," : "",
				uids[done]);
		else
			(void)snprintf(range, sizeof(range), "%s%" PRIu32 ":%" PRIu32,
				len ? "," : "", uids[done], uids[end - 1]);
		range_len = strlen(range);
		if (len + range_len >= UIDSET_TEXT_MAX)
			break;
		memcpy(text + len, range, range_len + 1);
		len += range_len;
		done = end;
	}
	return done;
}
