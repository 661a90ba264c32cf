/* SPDX-License-Identifier: ISC */
#include "mailfilter/check_config.h"

#include <sysexits.h>

#include "common/log.h"

#include "mailfilter/check_machine.h"
#include "mailfilter/connect.h"

static const char *path_of(const struct settings *settings)
{
	return settings->path ? settings->path : "settings";
}

/* As wrong settings are told: to stderr. */
static void log_them(const struct remarks *remarks)
{
	for (size_t i = 0; i < remarks->count; i++) {
		const struct remark *remark = &remarks->items[i];

		if (remark->kind == REMARK_NOTE)
			log_warning("%s: %s", remark->subject, remark->text);
		else if (remark->kind != REMARK_OK)
			log_error("%s: %s", remark->subject, remark->text);
	}
}

static int say(const struct settings *settings, const struct check_options *options,
	const struct remarks *remarks, struct err *err)
{
	const size_t wrong = remarks_count_wrong(remarks);

	if (options->json)
		return remarks_print_json(remarks, err);
	if (!options->connect)
		log_them(remarks);
	else
		remarks_print(remarks, false, stdout);
	if (wrong == 0 && !options->connect)
		(void)printf("%s: %zu account%s, no errors\n", path_of(settings),
			settings->accounts.count,
			settings->accounts.count == 1 ? "" : "s");
	else if (options->connect)
		(void)printf("%s: %zu account%s, %zu thing%s wrong\n", path_of(settings),
			settings->accounts.count,
			settings->accounts.count == 1 ? "" : "s", wrong,
			wrong == 1 ? "" : "s");
	return fflush(stdout) == 0 ? 0 : err_errno(err, ERR_AGAIN, "standard output");
}

int check_config(const struct settings *settings, const struct check_options *options)
{
	DEFER(remarks_done) struct remarks remarks = REMARKS_NONE;
	struct err err = { 0 };

	check_machine(settings, &remarks);
	if ((options->connect && connect_all(settings, -1, &remarks, &err) < 0) ||
		say(settings, options, &remarks, &err) < 0) {
		log_error("%s", err.text);
		return err_exit_code(err.kind);
	}
	return remarks_exit_code(&remarks);
}
