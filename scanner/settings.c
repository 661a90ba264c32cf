/* SPDX-License-Identifier: ISC */
#include "scanner/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/glob.h"
#include "common/home.h"
#include "common/link.h"

#include "scanner/cache.h"
#include "scanner/check_limits.h"
#include "scanner/guard.h"

enum {
	LISTEN_MAX = 16,
	CLIENT_KEYS_MAX = 1024,
	SIGNATURES_MAX = 16,
	CHECK_LEAST_MS = 1000,
	CHECK_MOST_MS = 24 * 3600 * 1000,
	WORKERS_MAX = 256,
	MESSAGE_MAX_LEAST = 1024,
	MESSAGE_MAX_MOST = 1024 * 1024 * 1024,
	TIMEOUT_LEAST_MS = 100,
	TIMEOUT_MOST_MS = 3600 * 1000,
	WORKER_JOBS_MAX = 1000 * 1000,
	QUEUE_MAX = 10000,
	FILES_MAX = 1000 * 1000,
	ALERT_WORDS_MAX = 32,
	CHECK_LIMITS_MAX = 64,
	SWEEP_MAX = 64,
	SWEEP_EXCLUDE_MAX = 256,
	SWEEP_INTERVAL_LEAST_MS = 1000,
	RECURSION_MAX = 100, /* libclamav: CLI_MAX_MAXRECLEVEL */
};

#define FILE_SIZE_MAX                                                                    \
	(2047ULL << 20) /* libclamav cuts larger ones to that, without a word */
#define SCAN_SIZE_MAX         (64ULL << 30)
#define SWEEP_RATE_MAX        (1ULL << 40)
#define SWEEP_INTERVAL_MAX_MS (366LL * 24 * 3600 * 1000)

static const char *const yes_words[] = { "no", "yes", NULL };

/* As enum reload. */
static const char *const reload_words[] = { "auto", "concurrent", "serial", NULL };
static const char *const heuristics_words[] = { "off", "tag", NULL };

static int check_listen(const char *value, struct err *err)
{
	return link_check_listen(value, NULL, err);
}

static int check_signatures(const char *value, struct err *err)
{
	if (strcmp(value, "test") == 0 || value[0] == '/')
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected the whole path of a directory, or the word test",
		value);
}

static int check_temp_dir(const char *value, struct err *err)
{
	if (value[0] == '/' && value[1] != '\0')
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected the whole path of a directory of its own", value);
}

static int check_path(const char *value, struct err *err)
{
	if (value[0] == '/')
		return 0;
	return err_set(
		err, ERR_SETTINGS, "\"%.80s\": expected the whole path of a file", value);
}

/* It is run as it is, without a shell and without a search. */
static int check_alert(const struct settings *settings, struct err *err)
{
	if (settings->on_alert.count == 0 || settings->on_alert.items[0][0] == '/')
		return 0;
	return schema_error(err, settings->path, 0,
		"on-alert: \"%.80s\": expected the whole path of a program first",
		settings->on_alert.items[0]);
}

static int check_sweep(const char *value, struct err *err)
{
	if (value[0] == '/')
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected the whole path of a directory", value);
}

#define AT(member) .offset = offsetof(struct settings, member)

/* clang-format off */
const struct schema_option settings_options[] = {
	{ .name = "listen", .type = SCHEMA_LIST, AT(listen),
	  .preset = "ipc:///run/mailfilter-scanner/scanner.sock", .min = 1, .max = LISTEN_MAX,
	  .check = check_listen, .line_offset = offsetof(struct settings, listen_line) },
	{ .name = "curve-key", .type = SCHEMA_TEXT, AT(curve_key), .check = home_check_path,
	  .line_offset = offsetof(struct settings, curve_key_line) },
	{ .name = "clients", .type = SCHEMA_LIST, AT(clients), .max = CLIENT_KEYS_MAX,
	  .check = guard_check_client,
	  .line_offset = offsetof(struct settings, clients_line) },
	{ .name = "signatures", .type = SCHEMA_LIST, AT(signatures),
	  .preset = "/var/lib/clamav", .min = 1, .max = SIGNATURES_MAX,
	  .check = check_signatures,
	  .line_offset = offsetof(struct settings, signatures_line) },
	{ .name = "signatures-check", .type = SCHEMA_DURATION, AT(signatures_check_ms),
	  .preset = "60s", .min = CHECK_LEAST_MS, .max = CHECK_MOST_MS },
	{ .name = "reload", .type = SCHEMA_WORD, AT(reload), .preset = "auto",
	  .words = reload_words },
	{ .name = "cache", .type = SCHEMA_NUMBER, AT(cache), .preset = "65536",
	  .max = CACHE_MAX },
	{ .name = "workers", .type = SCHEMA_NUMBER, AT(workers), .preset = "0",
	  .max = WORKERS_MAX },
	{ .name = "temp-dir", .type = SCHEMA_TEXT, AT(temp_dir),
	  .preset = "/run/mailfilter-scanner/tmp", .check = check_temp_dir,
	  .line_offset = offsetof(struct settings, temp_dir_line) },
	{ .name = "message-max", .type = SCHEMA_SIZE, AT(message_max), .preset = "50M",
	  .min = MESSAGE_MAX_LEAST, .max = MESSAGE_MAX_MOST },
	{ .name = "scan-timeout", .type = SCHEMA_DURATION, AT(scan_timeout_ms),
	  .preset = "60s", .min = TIMEOUT_LEAST_MS, .max = TIMEOUT_MOST_MS },
	{ .name = "worker-jobs", .type = SCHEMA_NUMBER, AT(worker_jobs), .preset = "500",
	  .min = 1, .max = WORKER_JOBS_MAX },
	{ .name = "queue", .type = SCHEMA_NUMBER, AT(queue), .preset = "64", .min = 1,
	  .max = QUEUE_MAX },
	{ .name = "scan-size-max", .type = SCHEMA_SIZE, AT(scan_size_max), .preset = "400M",
	  .min = MESSAGE_MAX_LEAST, .max = SCAN_SIZE_MAX },
	{ .name = "file-size-max", .type = SCHEMA_SIZE, AT(file_size_max), .preset = "100M",
	  .min = MESSAGE_MAX_LEAST, .max = FILE_SIZE_MAX },
	{ .name = "files-max", .type = SCHEMA_NUMBER, AT(files_max), .preset = "10000",
	  .min = 1, .max = FILES_MAX },
	{ .name = "recursion-max", .type = SCHEMA_NUMBER, AT(recursion_max), .preset = "17",
	  .min = 1, .max = RECURSION_MAX },
	{ .name = "check-interval", .type = SCHEMA_DURATION, AT(check_interval_ms),
	  .preset = "10m", .min = CHECK_LEAST_MS, .max = CHECK_MOST_MS },
	{ .name = "check-limits", .type = SCHEMA_LIST, AT(check_limits),
	  .max = CHECK_LIMITS_MAX, .check = check_limits_check },
	{ .name = "freshclam-log", .type = SCHEMA_TEXT, AT(freshclam_log),
	  .preset = "/var/log/clamav/freshclam.log", .check = check_path },
	{ .name = "on-alert", .type = SCHEMA_LIST, AT(on_alert), .max = ALERT_WORDS_MAX },
	{ .name = "metrics-file", .type = SCHEMA_TEXT, AT(metrics_file),
	  .check = home_check_path },
	{ .name = "heuristics", .type = SCHEMA_WORD, AT(heuristics), .preset = "off",
	  .words = heuristics_words },
	{ .name = "sweep", .type = SCHEMA_LIST, AT(sweep), .max = SWEEP_MAX,
	  .check = check_sweep, .line_offset = offsetof(struct settings, sweep_line) },
	{ .name = "sweep-exclude", .type = SCHEMA_LIST, AT(sweep_exclude),
	  .max = SWEEP_EXCLUDE_MAX, .check = glob_check },
	{ .name = "sweep-cross", .type = SCHEMA_WORD, AT(sweep_cross), .preset = "no",
	  .words = yes_words },
	{ .name = "sweep-rate", .type = SCHEMA_SIZE, AT(sweep_rate), .preset = "0",
	  .max = SWEEP_RATE_MAX },
	{ .name = "sweep-file-max", .type = SCHEMA_SIZE, AT(sweep_file_max),
	  .preset = "100M", .min = MESSAGE_MAX_LEAST, .max = MESSAGE_MAX_MOST },
	{ .name = "sweep-interval", .type = SCHEMA_DURATION, AT(sweep_interval_ms),
	  .preset = "1d", .min = SWEEP_INTERVAL_LEAST_MS, .max = SWEEP_INTERVAL_MAX_MS },
	{ .name = "sweep-rest", .type = SCHEMA_DURATION, AT(sweep_rest_ms),
	  .preset = "1h", .max = SWEEP_INTERVAL_MAX_MS },
	{ .name = "sweep-state", .type = SCHEMA_TEXT, AT(sweep_state),
	  .preset = "/var/lib/mailfilter-scanner/sweep", .check = home_check_path,
	  .line_offset = offsetof(struct settings, sweep_state_line) },
	{ .name = "sweep-quarantine", .type = SCHEMA_TEXT, AT(sweep_quarantine),
	  .check = home_check_path,
	  .line_offset = offsetof(struct settings, sweep_quarantine_line) },
	{ 0 },
};
/* clang-format on */

static int refuse_repeats(const struct settings *settings, struct err *err)
{
	const struct {
		const char *name;
		const struct schema_list *list;
		int line;
	} lists[] = { { "listen", &settings->listen, settings->listen_line },
		{ "signatures", &settings->signatures, settings->signatures_line },
		{ "clients", &settings->clients, settings->clients_line },
		{ "sweep", &settings->sweep, settings->sweep_line } };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		const char *twice = schema_list_repeat(lists[i].list);

		if (twice)
			return schema_error(err, settings->path, lists[i].line,
				"%s: \"%.80s\" stands there twice: expected it once",
				lists[i].name, twice);
	}
	return 0;
}

/* Over tcp only those come in who are let in: with keys, or from this machine. */
static int check_guard(const struct settings *settings, struct err *err)
{
	bool any = false, tcp;

	for (size_t i = 0; i < settings->listen.count; i++) {
		const char *endpoint = settings->listen.items[i];

		if (!settings->curve_key && link_check_endpoint(endpoint, err) < 0)
			return schema_error(err, settings->path, settings->listen_line,
				"listen: \"%.80s\": expected an address of this machine "
				"alone, or curve-key and clients as well",
				endpoint);
		if (link_check_listen(endpoint, &tcp, err) < 0)
			return -1;
		any = any || tcp;
	}
	if (settings->curve_key && any && settings->clients.count == 0)
		return schema_error(err, settings->path, settings->listen_line,
			"listen: nobody may connect over tcp: expected the public keys of "
			"those who may in clients");
	if (!settings->curve_key && settings->clients.count > 0)
		return schema_error(err, settings->path, settings->clients_line,
			"clients: expected curve-key as well; make one with \"mailfilter "
			"keygen FILE\"");
	return 0;
}

/* The path that stands for *text, if there is one, becomes it. */
static int expand(char **text, struct err *err)
{
	char *path = NULL;

	if (!*text)
		return 0;
	if (home_expand(*text, &path, err) < 0)
		return -1;
	free(*text);
	*text = path;
	return 0;
}

static bool is_same_path(const char *left, const char *right)
{
	size_t left_len = strlen(left), right_len = strlen(right);

	while (left_len > 1 && left[left_len - 1] == '/')
		left_len--;
	while (right_len > 1 && right[right_len - 1] == '/')
		right_len--;
	return left_len == right_len && memcmp(left, right, left_len) == 0;
}

/* Each of the three has its own lock in it. */
static int check_quarantine(const struct settings *settings, struct err *err)
{
	const char *path = settings->sweep_quarantine;

	if (!path || (!is_same_path(path, settings->sweep_state) &&
			     !is_same_path(path, settings->temp_dir)))
		return 0;
	return schema_error(err, settings->path, settings->sweep_quarantine_line,
		"sweep-quarantine: expected a folder of its own, not that of sweep-state "
		"or temp-dir");
}

static int finish(struct settings *settings, struct err *err)
{
	if (refuse_repeats(settings, err) < 0 || check_guard(settings, err) < 0 ||
		check_alert(settings, err) < 0 || expand(&settings->curve_key, err) < 0 ||
		expand(&settings->metrics_file, err) < 0 ||
		expand(&settings->sweep_state, err) < 0 ||
		expand(&settings->sweep_quarantine, err) < 0 ||
		check_quarantine(settings, err) < 0)
		return -1;
	return 0;
}

int settings_load(const char *path, struct settings *settings_r, struct err *err)
{
	DEFER(settings_free) struct settings settings = { 0 };

	if (home_settings(path, "scanner.conf", &settings.path, err) < 0 ||
		schema_load(settings.path, settings_options, &settings, err) < 0 ||
		finish(&settings, err) < 0)
		return -1;
	*settings_r = settings;
	settings = (struct settings){ 0 };
	return 0;
}

int settings_blame(const struct settings *settings, int line, struct err *err)
{
	char text[ERR_TEXT_MAX];

	if (err->kind == ERR_AGAIN || err->kind == ERR_FATAL)
		return -1;
	(void)snprintf(text, sizeof(text), "%s", err->text);
	/* Said already, by who knew it better. */
	if (settings->path && strncmp(text, settings->path, strlen(settings->path)) == 0)
		return -1;
	if (settings->path && line > 0)
		return schema_error(err, settings->path, line, "%s", text);
	return err_set(err, ERR_SETTINGS, "%s", text);
}

void settings_free(struct settings *settings)
{
	schema_free(settings_options, settings);
	free(settings->path);
	settings->path = NULL;
}
