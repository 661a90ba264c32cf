/* SPDX-License-Identifier: ISC
 *
 * mailfilter rescan: delivered mail through the scanner again, account after account, each in a process
 * of its own at the lowest priority. 0: done, also where something was found; 75: not all could be
 * looked at, and the next run goes on there. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/parse.h"

#include "mailfilter/cmd.h"
#include "mailfilter/report.h"
#include "mailfilter/rescan_process.h"
#include "mailfilter/state_lock.h"
#include "mailfilter/supervisor.h"

static const char usage[] =
	"usage: mailfilter rescan [--since DAYS] [--account NAME]... [--dry-run] [--json]\n";

enum {
	ACCOUNTS_MAX = 300, /* named one by one */
	DAY_S = 24 * 3600,
};

struct wanted {
	const struct settings *settings;
	const char *only[ACCOUNTS_MAX];
	size_t only_count;
	uint64_t days;
	bool dry_run, as_json;
	bool quiet; /* only of what was found, or went wrong */
	/* In place something was found there. */
	const char **marked;
	size_t marked_count;
	int code;
};

/* A process of its own: it holds the secret of one account, and a server that crashes it harms no
 * other. */
static void run(const struct wanted *wanted, const struct account_settings *account,
	struct rescan_report *report)
{
	const struct rescan_job job = { .settings = wanted->settings,
		.account = account,
		.since_s = clock_wall_s() - (int64_t)wanted->days * DAY_S,
		.dry_run = wanted->dry_run,
		.stop_fd = -1 };
	struct rescan_process process;

	(void)fflush(stdout);
	if (rescan_process_start(&process, &job, &report->err) < 0)
		return;
	(void)rescan_process_reap(&process, true);
	*report = process.report;
}

static void part(uint64_t number, const char *what)
{
	if (number > 0)
		(void)printf(", %" PRIu64 " %s", number, what);
}

static void say(const struct wanted *wanted, const char *account,
	const struct rescan_report *report)
{
	(void)printf("%s: ", account);
	if (report->impossible) {
		(void)printf(
			"what was delivered is out of reach: only mail in a Maildir, or "
			"in place, can be scanned again\n");
		return;
	}
	if (report->known && report->replaced + report->marked == 0) {
		(void)printf("scanned again before with these signatures\n");
		return;
	}
	if (report->busy) {
		/* That process has what the answer is. */
		(void)printf("%s\n", report->err.text);
		return;
	}
	(void)printf("%" PRIu64 " scanned again", report->scanned);
	part(report->fresh, "scanned with these signatures when they came");
	part(report->infected, "infected");
	part(report->replaced, wanted->dry_run ? "to be replaced" : "replaced");
	part(report->marked, "to be replaced by the next visit");
	part(report->left, "left as they are");
	part(report->passed, "passed by a rule or released");
	part(report->gone, "no longer there");
	if (report->err.kind != ERR_NONE)
		(void)printf("; then: %s", report->err.text);
	(void)putchar('\n');
}

static void say_json(const struct wanted *wanted, const char *account,
	const struct rescan_report *report)
{
	auto_json struct json json;
	struct err err = { 0 };

	(void)wanted;
	json_init(&json);
	json_open(&json, NULL, '{');
	json_text(&json, "account", span_str(account));
	json_bool(&json, "possible", !report->impossible);
	json_bool(&json, "known", report->known);
	json_number(&json, "scanned", report->scanned);
	json_number(&json, "infected", report->infected);
	json_number(&json, "replaced", report->replaced);
	json_number(&json, "marked", report->marked);
	json_number(&json, "left", report->left);
	json_number(&json, "passed", report->passed);
	json_number(&json, "gone", report->gone);
	json_number(&json, "fresh", report->fresh);
	json_bool(&json, "busy", report->busy);
	json_text(&json, "reason", span_str(report->err.text));
	json_close(&json, '}');
	if (json_print(&json, &err) < 0)
		log_error("%s", err.text);
}

static void serve(struct wanted *wanted, const struct account_settings *account)
{
	struct rescan_report report = { 0 };

	run(wanted, account, &report);
	if (wanted->quiet && !wanted->as_json &&
		(report.err.kind == ERR_NONE || report.busy) &&
		report.infected + report.marked == 0)
		return;
	if (wanted->as_json)
		say_json(wanted, account->name, &report);
	else
		say(wanted, account->name, &report);
	if (report.marked > 0 && !wanted->dry_run)
		wanted->marked[wanted->marked_count++] = account->name;
	/* What another one is at needs no second: that one goes on, or the next. */
	if (report.err.kind != ERR_NONE && !report.busy)
		wanted->code = report_worse(wanted->code, err_exit_code(report.err.kind));
}

/* Mail that stays on the server is replaced by an ordinary visit, with settings of its own: it may read
 * them anew. Where another mailfilter serves the state, that one does it, now. */
static int visit(const struct wanted *wanted)
{
	const struct supervisor_options options = { .once = true,
		.quiet = wanted->as_json || wanted->quiet,
		.only = wanted->marked,
		.only_count = wanted->marked_count };
	struct settings own = { 0 };
	struct err err = { 0 };
	pid_t holder;
	int code;

	if (wanted->marked_count == 0)
		return EX_OK;
	if (state_lock_call(wanted->settings, &holder)) {
		if (!wanted->as_json)
			(void)printf("process %ld serves these accounts: it was told to "
				     "visit them now\n",
				(long)holder);
		return EX_OK;
	}
	if (settings_load(wanted->settings->path, &own, &err) < 0) {
		log_error("%s", err.text);
		return err_exit_code(err.kind);
	}
	code = supervisor_run(&own, &options);
	settings_free(&own);
	return code;
}

static bool is_wanted(const struct wanted *wanted, const char *name)
{
	bool found = wanted->only_count == 0;

	for (size_t i = 0; i < wanted->only_count; i++)
		found = found || strcmp(wanted->only[i], name) == 0;
	return found;
}

static int serve_all(struct wanted *wanted)
{
	const size_t count = wanted->settings->accounts.count;
	auto_free const char **marked = calloc(count + 1, sizeof(*marked));
	struct err err = { 0 };

	if (!marked) {
		(void)err_memory(&err);
		log_error("%s", err.text);
		return err_exit_code(err.kind);
	}
	wanted->marked = marked;
	for (size_t i = 0; i < count; i++)
		if (is_wanted(wanted, settings_account(wanted->settings, i)->name))
			serve(wanted, settings_account(wanted->settings, i));
	return report_worse(wanted->code, visit(wanted));
}

static int read_option(struct wanted *wanted, int option)
{
	struct err err = { 0 };

	switch (option) {
	case 's':
		if (parse_number(optarg, 1, RESCAN_DAYS_MOST, &wanted->days, &err) < 0)
			return cmd_usage(usage, "--since: %s", err.text);
		return EX_OK;
	case 'a':
		if (wanted->only_count == ACCOUNTS_MAX)
			return cmd_usage(usage, "too many --account");
		if (!settings_find_account(wanted->settings, optarg))
			return cmd_no_account(wanted->settings, optarg);
		wanted->only[wanted->only_count++] = optarg;
		return EX_OK;
	case 'n':
		wanted->dry_run = true;
		return EX_OK;
	case 'j':
		wanted->as_json = true;
		return EX_OK;
	default:
		return EX_USAGE;
	}
}

int cmd_rescan(const struct settings *settings, int argc, char **argv)
{
	static const struct option longs[] = { { "since", required_argument, NULL, 's' },
		{ "account", required_argument, NULL, 'a' },
		{ "dry-run", no_argument, NULL, 'n' }, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	struct wanted wanted = { .settings = settings,
		.days = settings->rescan_days,
		.quiet = log_level() == LOG_LEVEL_WARNING };
	struct err err = { 0 };
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "+:", longs, NULL)) != -1) {
		int code = EX_OK;

		if (option == '?' || option == ':')
			return cmd_usage(usage, "rescan: %s: unknown, or needs a value",
				argv[optind - 1]);
		code = read_option(&wanted, option);
		if (code != EX_OK)
			return code;
	}
	if (optind < argc)
		return cmd_usage(usage, "rescan: name accounts with --account");
	if (wanted.days == 0)
		return cmd_usage(usage, "rescan: rescan-days is 0: say how many with "
					"--since");
	if (settings_check_accounts(settings, &err) < 0) {
		log_error("%s", err.text);
		return err_exit_code(err.kind);
	}
	return serve_all(&wanted);
}
