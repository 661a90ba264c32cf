/* SPDX-License-Identifier: ISC */
#include "scanner/room.h"

#include <stdio.h>

#include "common/log.h"

#include "scanner/temp.h"

/* Temp space ran short during it, and is free of anything else now that all is quiet? Then it is scanned
 * again, some times; else it is not its fault. */
static bool may_be_tried_again(const char *dir, struct request *request)
{
	char why[VERDICT_DETAIL_MAX];

	if (!temp_is_free(dir, request_weight(request))) {
		request_hold(request, request->short_of);
		return false;
	}
	if (request->shorts <= REQUEST_SHORTS_MAX) {
		log_info("size=%ju: temp space ran short: it is scanned again, alone",
			(uintmax_t)request->size);
		return true;
	}
	(void)snprintf(why, sizeof(why),
		"it needs more temp space than there is (temp-dir): %.180s",
		request->short_of);
	request_give_up(request, why);
	return false;
}

/* libclamav calls a mail clean where it cannot unpack. */
bool room_has(const char *dir, bool serving, struct request *request)
{
	uint64_t bytes = temp_needed(request->size);
	struct err err = { 0 };

	if (request->shorts > 0 && !may_be_tried_again(dir, request))
		return false;
	if (temp_has_room(dir, bytes, &err) == 0)
		return true;
	if (temp_size(dir) < bytes && serving)
		request_give_up(request, err.text);
	else
		request_hold(request, err.text);
	return false;
}
