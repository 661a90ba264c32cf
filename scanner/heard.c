/* SPDX-License-Identifier: ISC */
#include "scanner/heard.h"

#include <stdio.h>
#include <string.h>

#include "scanner/space.h"

static struct {
	const char *temp_dir;
	bool temp_full;
	unsigned count;
	enum verdict_reason reason; /* of the first */
	char first[VERDICT_DETAIL_MAX], last[VERDICT_DETAIL_MAX];
} heard;

void heard_start(const char *temp_dir)
{
	memset(&heard, 0, sizeof(heard));
	heard.temp_dir = temp_dir;
}

void heard_add(bool is_error, const char *text)
{
	enum verdict_reason reason = is_error ? REASON_ERROR : result_of_warning(text);

	if (reason == REASON_NONE)
		return;
	(void)snprintf(heard.last, sizeof(heard.last), "%s", text);
	heard.last[strcspn(heard.last, "\n")] = '\0';
	if (heard.count++ == 0) {
		memcpy(heard.first, heard.last, sizeof(heard.first));
		heard.reason = reason;
	}
	heard_look();
}

void heard_look(void)
{
	if (heard.temp_dir && space_is_out(heard.temp_dir))
		heard.temp_full = true;
}

void heard_add_result(struct result *sum)
{
	if (heard.temp_full)
		result_add_short(
			sum, heard.count > 0 ? heard.first : "the temp folder is full");
	else if (heard.count > 0)
		result_add_unscannable(sum, heard.reason, heard.first);
}

const char *heard_text(const char *otherwise, char text[static HEARD_TEXT_MAX])
{
	(void)snprintf(text, HEARD_TEXT_MAX, "%s%s%s",
		heard.count > 0 ? heard.first : otherwise, heard.count > 1 ? "; " : "",
		heard.count > 1 ? heard.last : "");
	return text;
}
