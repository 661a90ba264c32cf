/* SPDX-License-Identifier: ISC
 *
 * Settings for a scanner of this user's own: only these few options of its file are known here. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/home.h"

#include "mailfilter/scanner_address.h"
#include "mailfilter/setup.h"
#include "mailfilter/setup_text.h"

static const char signatures_folder[] = "/var/lib/clamav";

enum {
	TEXT_MAX = 16 * 1024
};

static void dir_done(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* Has freshclam, or somebody, put signatures there? */
static bool has_signatures(void)
{
	static const char *const patterns[] = { "*.cvd", "*.cld", "*.cud" };
	DEFER(dir_done) DIR *dir = opendir(signatures_folder);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
			if (fnmatch(patterns[i], entry->d_name, 0) == 0)
				return true;
	return false;
}

/* The path of the first socket of this machine that is to be asked; NULL if there is none. */
static const char *socket_path(
	const struct settings *settings, struct scanner_address *address)
{
	for (size_t i = 0; i < settings->scanners.count; i++)
		if (scanner_address_parse(settings->scanners.items[i], address, NULL) ==
				0 &&
			strncmp(address->endpoint, "ipc:///", 7) == 0)
			return address->endpoint + 6;
	return NULL;
}

static int add_one(const char *name, const char *value, struct buf *text, struct err *err)
{
	auto_free char *copy = strdup(value);
	struct schema_list list = { .items = &copy, .count = 1 };

	return copy ? setup_text_list(name, &list, text, err) : err_memory(err);
}

static int make_text(
	const char *endpoint, bool signatures, struct buf *text, struct err *err)
{
	auto_free char *temp = NULL;

	if (buf_add_str(text,
		    "# Settings of mailfilter's scanner.\n"
		    "# Check with: mailfilter-scanner --check-config\n\n",
		    err) < 0 ||
		add_one("listen", endpoint, text, err) < 0 ||
		add_one("signatures", signatures ? signatures_folder : "test", text,
			err) < 0)
		return -1;
	if (geteuid() == 0)
		return 0;
	if (home_cache("mailfilter-scanner", &temp, err) < 0)
		return -1;
	return setup_text_option("temp-dir", temp, text, err);
}

static int write_it(
	const char *path, const char *endpoint, bool signatures, struct err *err)
{
	auto_free char *folder = strdup(endpoint + 6);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	auto_buf struct buf text;

	buf_init(&text, TEXT_MAX);
	if (!slash)
		return err_memory(err);
	*slash = '\0';
	if (make_text(endpoint, signatures, &text, err) < 0 ||
		setup_file_new(path, buf_span(&text), false, err) < 0)
		return -1;
	/* A socket's folder below /run is made with the service. */
	return geteuid() == 0 || !folder[0] ? 0 : file_mkdirs(folder, S_IRWXU, err);
}

static void say_written(const char *path, bool signatures)
{
	(void)printf("%s is written.\n", path);
	if (!signatures)
		(void)printf(
			"WARNING: there are no signatures in %s, so that it knows only the test "
			"virus EICAR.\n"
			"         Run \"apt install clamav-freshclam\" as root, wait some minutes, then "
			"write\n"
			"         signatures = { \"%s\" } into that file.\n",
			signatures_folder, signatures_folder);
}

enum ask_result setup_scanner(
	struct setup *setup, const struct settings *settings, bool *wrote_r)
{
	struct scanner_address address;
	const char *socket = socket_path(settings, &address);
	const char *slash = strrchr(setup->path, '/');
	char path[PATH_MAX], question[PATH_MAX + ASK_ANSWER_MAX / 2],
		answer[ASK_ANSWER_MAX];
	const bool signatures = has_signatures();
	struct err err = { 0 };
	enum ask_result result;

	*wrote_r = false;
	if (!socket || !slash ||
		snprintf(path, sizeof(path), "%.*s/scanner.conf",
			(int)(slash - setup->path), setup->path) >= (int)sizeof(path) ||
		access(path, F_OK) == 0)
		return ASK_OK;
	(void)snprintf(question, sizeof(question),
		"No scanner answers. Write settings for one, %s? yes or no", path);
	do
		result = ask_line(&setup->ask, question, "yes", answer);
	while (result == ASK_OK && strcmp(answer, "yes") != 0 &&
		strcmp(answer, "no") != 0);
	if (result != ASK_OK || strcmp(answer, "no") == 0)
		return result;
	if (write_it(path, address.endpoint, signatures, &err) < 0) {
		(void)printf("It could not be written: %s\n", err.text);
		return ASK_OK;
	}
	say_written(path, signatures);
	*wrote_r = true;
	return ASK_OK;
}
