/* SPDX-License-Identifier: ISC
 *
 * Options and settings, and on to the broker, or to the engine host that it starts. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#include "scanner/broker.h"
#include "scanner/cmd_check.h"
#include "scanner/cmd_quarantine.h"
#include "scanner/enginehost.h"
#include "scanner/guard.h"
#include "scanner/inspector.h"
#include "scanner/sandbox.h"
#include "scanner/signatures.h"
#include "scanner/sweep.h"
#include "scanner/sweep_book.h"
#include "scanner/temp.h"

static const char usage[] = "usage: scanner [-c FILE] [-v|-q]\n"
			    "       scanner [-c FILE] --check-config\n"
			    "       scanner [-c FILE] --check [--json]\n"
			    "       scanner [-c FILE] --sweep-report [--json]\n"
			    "       scanner [-c FILE] --sweep-quarantine list [--json]\n"
			    "       scanner [-c FILE] --sweep-quarantine release ID... "
			    "[--to PATH] [--json]\n"
			    "       scanner [-c FILE] --sweep-quarantine delete ID... "
			    "[--json]\n";

static const char help[] =
	"\n"
	"Takes messages from mailfilter, scans them with libclamav, and gives back what\n"
	"is wrong with them and how to take it out. Runs in the foreground until SIGTERM;\n"
	"SIGHUP loads the signatures anew, beside the scans that run, and reads again\n"
	"which clients may connect.\n"
	"\n"
	"  -c, --config FILE   settings, instead of /etc/mailfilter/scanner.conf\n"
	"      --check-config  read the settings, look at the folders, say what is wrong\n"
	"      --check         ask the scanner that runs how it and its system are\n"
	"      --sweep-report  what the sweep of directories did and found\n"
	"      --sweep-quarantine  list, release or delete what the sweep moved\n"
	"      --to PATH       release it to another place than where it was\n"
	"      --json          with one of these three: for scripts\n"
	"  -v, --verbose       say more; -q, --quiet: warnings and errors only\n"
	"  -h, --help          this text;  -V, --version\n"
	"\n"
	"Exit codes: 0 stopped, 64 usage, 70 it cannot go on, 75 another scanner runs\n"
	"here, 78 settings or no signatures. Of --check: 0 all is well, 1 a warning,\n"
	"2 critical, or no scanner answers. Of --sweep-report: 1 something is infected,\n"
	"75 there is no report yet. Of --sweep-quarantine: 66 nothing of this ID.\n"
	"More: mailfilter-scanner(8), mailfilter-scanner.conf(5).\n";

enum role {
	ROLE_SERVE,
	ROLE_CHECK_CONFIG,
	ROLE_CHECK,
	ROLE_SWEEP_REPORT,
	ROLE_SWEEP_QUARANTINE,
	ROLE_ENGINE_HOST, /* these are started by ourselves only */
	ROLE_INSPECTOR,
	ROLE_SWEEP_WALKER
};

enum {
	WORDS_MAX = 256
};

struct options {
	const char *config, *to;
	enum role role;
	bool json;
	int verbose;            /* -1 quiet */
	char *words[WORDS_MAX]; /* of --sweep-quarantine */
	int count;
};

static int wrong_usage(const char *what, const char *option)
{
	(void)fprintf(
		stderr, "scanner: %s%s%s\n%s", what, option[0] ? " " : "", option, usage);
	return EX_USAGE;
}

static bool role_of(int option, enum role *role_r)
{
	static const struct {
		int option;
		enum role role;
	} roles[] = { { 'C', ROLE_CHECK_CONFIG }, { 'K', ROLE_CHECK },
		{ 'R', ROLE_SWEEP_REPORT }, { 'Q', ROLE_SWEEP_QUARANTINE },
		{ 'E', ROLE_ENGINE_HOST }, { 'I', ROLE_INSPECTOR },
		{ 'S', ROLE_SWEEP_WALKER } };

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (roles[i].option == option) {
			*role_r = roles[i].role;
			return true;
		}
	return false;
}

/* Behind --sweep-quarantine words and options stand in any order. */
static int next_option(
	int argc, char **argv, const struct option *longs, struct options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "+:c:vqhV", longs, NULL)) == -1 &&
		optind < argc && options->role == ROLE_SWEEP_QUARANTINE &&
		options->count < WORDS_MAX)
		options->words[options->count++] = argv[optind++];
	return option;
}

/* What fits together. */
static int check_options(struct options *options)
{
	bool is_quarantine = options->role == ROLE_SWEEP_QUARANTINE;
	const struct cmd_quarantine command = {
		.words = options->words, .count = options->count, .to = options->to
	};
	const char *wrong = is_quarantine ? cmd_quarantine_wrong(&command) : NULL;

	if (wrong)
		return wrong_usage(wrong, "");
	if (options->json && !is_quarantine && options->role != ROLE_CHECK &&
		options->role != ROLE_SWEEP_REPORT)
		return wrong_usage(
			"only --check, --sweep-report and --sweep-quarantine take",
			"--json");
	if (options->to && !is_quarantine)
		return wrong_usage("only --sweep-quarantine takes", "--to");
	return -1;
}

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = { { "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'C' },
		{ "check", no_argument, NULL, 'K' }, { "json", no_argument, NULL, 'J' },
		{ "engine-host", no_argument, NULL, 'E' },
		{ "inspector", no_argument, NULL, 'I' },
		{ "sweep-walker", no_argument, NULL, 'S' },
		{ "sweep-report", no_argument, NULL, 'R' },
		{ "sweep-quarantine", no_argument, NULL, 'Q' },
		{ "to", required_argument, NULL, 'T' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while ((option = next_option(argc, argv, longs, options)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'J':
			options->json = true;
			break;
		case 'T':
			options->to = optarg;
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
			(void)puts("scanner " MAILFILTER_VERSION);
			return EX_OK;
		case ':':
			return wrong_usage("a value is missing for", argv[optind - 1]);
		default:
			if (!role_of(option, &options->role))
				return wrong_usage("unknown option", argv[optind - 1]);
			break;
		}
	}
	if (optind < argc)
		return wrong_usage("unexpected argument", argv[optind]);
	return check_options(options);
}

static int refuse(const struct settings *settings, int line, struct err *err)
{
	(void)settings_blame(settings, line, err);
	log_error("%s", err->text);
	return err_exit_code(err->kind);
}

/* Mail goes on without it. */
static void look_at_sweep(const struct settings *settings)
{
	struct err err = { 0 };

	for (size_t i = 0; i < settings->sweep.count; i++)
		if (access(settings->sweep.items[i], R_OK | X_OK) < 0)
			log_warning("sweep: %s: %s: nothing in it is scanned",
				settings->sweep.items[i], strerror(errno));
	if (settings->sweep.count > 0 &&
		sweep_book_check(settings->sweep_state, &err) < 0)
		log_warning("sweep: %s: nothing is scanned", err.text);
}

/* What settings alone cannot tell: are the folders there, and is something in them? */
static int check_config(const struct settings *settings)
{
	auto_signatures struct signatures signatures = { 0 };
	struct signatures_without without = { 0 };
	struct err err = { 0 };

	if (temp_check(settings->temp_dir, &err) < 0)
		return refuse(settings, settings->temp_dir_line, &err);
	if (cmd_quarantine_check(settings, &err) < 0)
		return refuse(settings, settings->sweep_quarantine_line, &err);
	if (guard_check(settings, &err) < 0)
		return refuse(settings, 0, &err);
	if (signatures_read(&settings->signatures, &without, &signatures, &err) < 0)
		return refuse(settings, settings->signatures_line, &err);
	if (without.why[0] != '\0')
		log_warning("%s", without.why);
	if (signatures_unprotected(&signatures)[0] != '\0')
		log_warning("unprotected: %s", signatures_unprotected(&signatures));
	if (temp_check_size(settings->temp_dir, settings->message_max,
		    settings->scan_size_max, &err) < 0)
		log_warning("%s", err.text);
	look_at_sweep(settings);
	(void)printf("%s: %zu signature files, no errors\n",
		settings->path ? settings->path : "settings", signatures.files);
	return EX_OK;
}

static int quarantine(const struct settings *settings, struct options *options)
{
	const struct cmd_quarantine command = { settings, options->words, options->count,
		options->json, options->to };

	return cmd_quarantine(&command);
}

static int serve(const struct settings *settings)
{
	const char *missing = sandbox_missing();
	char wrong[CLOCK_WRONG_MAX];

	if (clock_is_wrong(clock_wall_s(), wrong))
		log_warning("%s", wrong);

	if (missing[0] != '\0')
		log_warning("less isolation: %s", missing);
	return broker_run(settings);
}

/* A descriptor of ours must not get the number of a standard one that was closed. */
static int fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -1 : close(fd);
}

int main(int argc, char **argv)
{
	static const enum log_level levels[] = { LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
		LOG_LEVEL_DEBUG };
	struct options options = { 0 };
	struct settings settings = { 0 };
	struct err err = { 0 };
	int code;

	if (fill_standard_descriptors() < 0)
		return EX_OSERR;
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	code = read_options(argc, argv, &options);
	if (code >= 0)
		return code;
	log_start("scanner", levels[options.verbose + 1]);
	if (settings_load(options.config, &settings, &err) < 0) {
		log_error("%s", err.text);
		return err_exit_code(err.kind);
	}
	switch (options.role) {
	case ROLE_SERVE:
		code = serve(&settings);
		break;
	case ROLE_CHECK_CONFIG:
		code = check_config(&settings);
		break;
	case ROLE_CHECK:
		code = cmd_check(&settings, options.json);
		break;
	case ROLE_INSPECTOR:
		code = inspector_main(&settings);
		break;
	case ROLE_SWEEP_REPORT:
		code = sweep_show(&settings, options.json);
		break;
	case ROLE_SWEEP_QUARANTINE:
		code = quarantine(&settings, &options);
		break;
	case ROLE_SWEEP_WALKER:
		code = sweep_main(&settings);
		break;
	case ROLE_ENGINE_HOST:
		code = enginehost_main(&settings);
		break;
	}
	settings_free(&settings);
	return code;
}
