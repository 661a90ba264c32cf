/* SPDX-License-Identifier: ISC
 *
 * Options, settings, and on to the supervisor or a subcommand. */
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mime.h"

#include "mailfilter/check_config.h"
#include "mailfilter/cmd.h"
#include "mailfilter/confine.h"
#include "mailfilter/supervisor.h"

enum {
	MAIN_ACCOUNTS_MAX = 300,
	MAIN_NAMES_MAX =
		400 /* bytes of accounts' names in a sentence, some more at its end */
};

static const char usage[] =
	"usage: mailfilter [-c FILE] [-v|-q] [--once] [--account NAME]... [--dry-run]\n"
	"       mailfilter [-c FILE] --check-config [--connect] [--json]\n"
	"       mailfilter setup [FILE]\n"
	"       mailfilter [-c FILE] scan [--json] [--output DIR] FILE|-...\n"
	"       mailfilter [-c FILE] judge [--account NAME] [--json] FILE|-...\n"
	"       mailfilter [-c FILE] status [--json|--metrics]\n"
	"       mailfilter [-c FILE] quarantine list|show|release|delete|expire ...\n"
	"       mailfilter [-c FILE] why [--json] ACCOUNT UID|FOLDER/UID\n"
	"       mailfilter [-c FILE] unpark [--json] ACCOUNT [UID|FOLDER/UID]\n"
	"       mailfilter [-c FILE] import [--folder NAME] [--login USER@HOST] [--json]\n"
	"                  ACCOUNT mbsync|getmail|mpop|fetchmail|fdm FILE...\n"
	"       mailfilter [-c FILE] rescan [--since DAYS] [--account NAME]...\n"
	"                  [--dry-run] [--json]\n"
	"       mailfilter [-c FILE] self-test\n"
	"       mailfilter keygen FILE\n";

static const char help[] =
	"\n"
	"Fetches mail from the accounts in the settings, has what is suspicious scanned,\n"
	"and delivers all: clean mail as it is, infected mail without its bad parts.\n"
	"\n"
	"  -c, --config FILE   settings, instead of /etc/mailfilter/mailfilter.conf\n"
	"      --once          serve each account once and end: 0 done, 75 something was\n"
	"                      held, newly parked, or an account not reached, 77 login\n"
	"                      refused, 78 settings\n"
	"      --account NAME  only this account; may be given again\n"
	"      --dry-run       fetch and scan, deliver nothing, say what would be done\n"
	"      --check-config  say all that is wrong with the settings and what they name\n"
	"      --connect       and log in everywhere, reach each scanner and destination\n"
	"      --json          and say it for programs\n"
	"  -v, --verbose       say more; -q, --quiet: warnings and errors only\n"
	"  -h, --help          this text;  -V, --version\n"
	"\n"
	"  setup       ask for an account, try it, add it to the settings\n"
	"  scan        message files to the scanner: 0 clean, 1 infected, else 2\n"
	"  judge       message files: suspicious or inert, and why\n"
	"  status      accounts, scanners, last run\n"
	"  quarantine  originals that were kept back\n"
	"  why         all that is known of a message\n"
	"  unpark      try parked messages again\n"
	"  import      what another program has fetched already is passed over\n"
	"  rescan      delivered mail again, with signatures that came after it\n"
	"  self-test   EICAR in several wrappings through the scanner: all must be caught\n"
	"  keygen      keys for scanners on other hosts\n"
	"\n"
	"More: mailfilter(8), mailfilter.conf(5).\n";

struct options {
	const char *config;
	struct supervisor_options supervisor;
	const char *accounts[MAIN_ACCOUNTS_MAX];
	bool check_config;
	struct check_options check;
	int verbose; /* -1 quiet */
};

struct command {
	const char *name;
	cmd_function *run;
	enum {
		SETTINGS_NONE,
		SETTINGS_WANTED, /* only those named by -c must be readable */
		SETTINGS_NEEDED
	} settings;
};

static const struct command commands[] = {
	{ "scan", cmd_scan, SETTINGS_NEEDED },
	{ "judge", cmd_judge, SETTINGS_WANTED },
	{ "self-test", cmd_self_test, SETTINGS_NEEDED },
	{ "status", cmd_status, SETTINGS_NEEDED },
	{ "quarantine", cmd_quarantine, SETTINGS_NEEDED },
	{ "why", cmd_why, SETTINGS_NEEDED },
	{ "unpark", cmd_unpark, SETTINGS_NEEDED },
	{ "import", cmd_import, SETTINGS_NEEDED },
	{ "rescan", cmd_rescan, SETTINGS_NEEDED },
	{ "keygen", cmd_keygen, SETTINGS_NONE },
	{ "setup", cmd_setup, SETTINGS_NONE },
};

int cmd_usage(const char *command_usage, const char *format, ...)
{
	va_list args;

	(void)fputs("mailfilter: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fprintf(stderr, "\n%s", command_usage);
	return EX_USAGE;
}

int cmd_no_account(const struct settings *settings, const char *name)
{
	char names[MAIN_NAMES_MAX] = "";
	const size_t count = settings ? settings->accounts.count : 0;
	size_t used = 0;

	for (size_t i = 0; i < count && used < sizeof(names) / 2; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
			i > 0 ? ", " : "", settings_account(settings, i)->name);
	log_error("no account %.80s in %s: expected %s", name,
		settings && settings->path ? settings->path : "the settings",
		count > 0 ? names : "settings with an account");
	return EX_USAGE;
}

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = { { "config", required_argument, NULL, 'c' },
		{ "once", no_argument, NULL, 'o' },
		{ "account", required_argument, NULL, 'a' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "check-config", no_argument, NULL, 'C' },
		{ "connect", no_argument, NULL, 'N' }, { "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:c:vqhV", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'o':
			options->supervisor.once = true;
			break;
		case 'a':
			if (options->supervisor.only_count == MAIN_ACCOUNTS_MAX)
				return cmd_usage(usage, "too many --account");
			options->accounts[options->supervisor.only_count++] = optarg;
			break;
		case 'n':
			options->supervisor.dry_run = options->supervisor.once = true;
			break;
		case 'C':
			options->check_config = true;
			break;
		case 'N':
			options->check.connect = true;
			break;
		case 'j':
			options->check.json = true;
			break;
		case 'v':
			options->verbose = 1;
			break;
		case 'q':
			options->verbose = -1;
			break;
		case 'h':
			(void)printf("%s%s", usage, help);
			return EX_OK;
		case 'V':
			(void)puts("mailfilter " MAILFILTER_VERSION);
			return EX_OK;
		case ':':
			return cmd_usage(usage, "%s needs a value", argv[optind - 1]);
		default:
			return cmd_usage(usage, "unknown option %s", argv[optind - 1]);
		}
	}
	return -1;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int serve(struct settings *settings, struct options *options)
{
	char wrong[CLOCK_WRONG_MAX];

	options->supervisor.only = options->accounts;
	options->supervisor.quiet = options->verbose < 0;
	for (size_t i = 0; i < options->supervisor.only_count; i++)
		if (!settings_find_account(settings, options->accounts[i]))
			return cmd_no_account(settings, options->accounts[i]);
	if (clock_is_wrong(clock_wall_s(), wrong))
		log_warning("%s", wrong);
	return supervisor_run(settings, &options->supervisor);
}

static int with_settings(
	struct options *options, const struct command *command, int argc, char **argv)
{
	struct settings settings = { 0 };
	struct err err = { 0 };
	int code;

	/* Accounts must be complete to be served or checked; status and the like do without. */
	code = settings_load(options->config, &settings, &err);
	if (code < 0 && command && command->settings == SETTINGS_WANTED &&
		!options->config) {
		log_warning("no rules are known: %s", err.text);
		return command->run(NULL, argc, argv);
	}
	if (code < 0 || (!command && !options->check_config &&
				(settings_check_accounts(&settings, &err) < 0 ||
					settings_check_scanners(&settings, &err) < 0))) {
		log_error("%s", err.text);
		settings_free(&settings);
		return err_exit_code(err.kind);
	}
	if (options->check_config) {
		code = check_config(&settings, &options->check);
	} else if (command) {
		code = command->run(&settings, argc, argv);
	} else {
		code = serve(&settings, options);
	}
	settings_free(&settings);
	return code;
}

static bool is_for_a_visit(const struct options *options)
{
	return options->supervisor.once || options->supervisor.only_count > 0 ||
	       options->check_config || options->check.connect || options->check.json;
}

int main(int argc, char **argv)
{
	static const enum log_level levels[] = { LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
		LOG_LEVEL_DEBUG };
	const struct command *command = NULL;
	struct options options = { 0 };
	struct err err = { 0 };
	int code;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	code = read_options(argc, argv, &options);
	if (code >= 0)
		return code;
	log_start("mailfilter", levels[options.verbose + 1]);
	if (confine_process(&err) < 0) {
		log_error("cannot start: %s", err.text);
		return err_exit_code(err.kind);
	}
	mime_start();
	argc -= optind;
	argv += optind;
	if (argc > 0 && !(command = find_command(argv[0])))
		return cmd_usage(usage, "unknown command %s", argv[0]);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		(void)printf("%s%s", usage, help);
		return EX_OK;
	}
	/* Passed over in silence, --dry-run before a command that removes would be a trap. */
	if (command && is_for_a_visit(&options))
		return cmd_usage(usage,
			"%s: --once and --check-config are not for commands; "
			"--account, --dry-run and --json stand behind the command",
			argv[0]);
	if (!options.check_config && (options.check.connect || options.check.json))
		return cmd_usage(usage, "--connect and --json go with --check-config");
	if (command && command->settings == SETTINGS_NONE)
		return command->run(NULL, argc, argv);
	return with_settings(&options, command, argc, argv);
}
