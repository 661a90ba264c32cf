/* SPDX-License-Identifier: ISC */
#include "mailfilter/remarks.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/json.h"
#include "common/log.h"

#include "mailfilter/report.h"

_Static_assert(sizeof(struct remark) <= PIPE_BUF, "one goes through a pipe in one piece");

enum {
	ROOM_FIRST = 32
};

static const struct {
	const char *word; /* as JSON has it */
	const char *mark; /* in front of a line */
	int code;
} kinds[] = {
	[REMARK_OK] = { "ok", "ok   ", EX_OK },
	[REMARK_NOTE] = { "note", "note ", EX_OK },
	[REMARK_UNREACHED] = { "unreached", "WRONG", EX_TEMPFAIL },
	[REMARK_LOGIN] = { "login", "WRONG", EX_NOPERM },
	[REMARK_SETTINGS] = { "settings", "WRONG", EX_CONFIG },
	[REMARK_STEP] = { "step", "", EX_OK },
};

void remarks_done(struct remarks *remarks)
{
	free(remarks->items);
	*remarks = REMARKS_NONE;
}

static bool grow(struct remarks *remarks)
{
	size_t room = remarks->room ? remarks->room * 2 : ROOM_FIRST;
	struct remark *items;

	if (remarks->count < remarks->room)
		return true;
	items = remarks->count < REMARKS_MAX
			? reallocarray(remarks->items, room, sizeof(*items))
			: NULL;
	if (!items)
		return false;
	remarks->items = items;
	remarks->room = room;
	return true;
}

void remarks_take(struct remarks *remarks, const struct remark *remark)
{
	ssize_t sent;

	if (remarks->fd >= 0) {
		do
			sent = write(remarks->fd, remark, sizeof(*remark));
		while (sent < 0 && errno == EINTR);
		remarks->lost |= sent < 0;
		return;
	}
	if (remark->kind == REMARK_STEP)
		return;
	if (grow(remarks))
		remarks->items[remarks->count++] = *remark;
	else
		remarks->lost = true;
}

void remarks_add(struct remarks *remarks, enum remark_kind kind, const char *subject,
	const char *about, const char *format, ...)
{
	struct remark remark = { .kind = kind };
	va_list args;

	(void)snprintf(remark.subject, sizeof(remark.subject), "%s", subject);
	(void)snprintf(remark.about, sizeof(remark.about), "%s", about);
	va_start(args, format);
	(void)vsnprintf(remark.text, sizeof(remark.text), format, args);
	va_end(args);
	remarks_take(remarks, &remark);
}

static bool is_wrong(const struct remark *remark)
{
	return kinds[remark->kind].code != EX_OK;
}

bool remarks_wrong(const struct remarks *remarks, const char *subject, const char *about)
{
	for (size_t i = 0; i < remarks->count; i++) {
		const struct remark *remark = &remarks->items[i];

		if (is_wrong(remark) && strcmp(remark->subject, subject) == 0 &&
			(!about || strcmp(remark->about, about) == 0))
			return true;
	}
	return false;
}

size_t remarks_count_wrong(const struct remarks *remarks)
{
	size_t count = 0;

	for (size_t i = 0; i < remarks->count; i++)
		count += is_wrong(&remarks->items[i]);
	return count;
}

int remarks_exit_code(const struct remarks *remarks)
{
	int code = remarks->lost ? EX_TEMPFAIL : EX_OK;

	for (size_t i = 0; i < remarks->count; i++)
		code = report_worse(code, kinds[remarks->items[i].kind].code);
	return code;
}

void remarks_print(const struct remarks *remarks, bool wrong_only, FILE *out)
{
	char text[LOG_LINE_MAX];

	for (size_t i = 0; i < remarks->count; i++) {
		const struct remark *remark = &remarks->items[i];

		if (!wrong_only || is_wrong(remark))
			(void)fprintf(out, "%s  %s: %s\n", kinds[remark->kind].mark,
				remark->subject, log_sentence(remark->text, text));
	}
	if (remarks->lost)
		(void)fputs("WRONG  not all is said here: out of memory\n", out);
}

int remarks_print_json(const struct remarks *remarks, struct err *err)
{
	struct json json DEFER(json_done);

	json_init(&json);
	json_open(&json, NULL, '{');
	json_open(&json, "results", '[');
	for (size_t i = 0; i < remarks->count; i++) {
		const struct remark *remark = &remarks->items[i];

		json_open(&json, NULL, '{');
		json_text(&json, "subject", span_str(remark->subject));
		json_text(&json, "about", span_str(remark->about));
		json_text(&json, "result", span_str(kinds[remark->kind].word));
		json_text(&json, "text", span_str(remark->text));
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_number(&json, "exit", (uint64_t)remarks_exit_code(remarks));
	json_close(&json, '}');
	return json_print(&json, err);
}
