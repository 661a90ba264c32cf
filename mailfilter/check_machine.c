/* SPDX-License-Identifier: ISC */
#include "mailfilter/check_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailfilter/scanner_address.h"

/* What the remarks of one subject are added to. */
struct look {
	struct remarks *remarks;
	const struct settings *settings;
	char subject[REMARK_SUBJECT_MAX];
};

void check_subject(
	const struct account_settings *account, char subject[static REMARK_SUBJECT_MAX])
{
	(void)snprintf(subject, REMARK_SUBJECT_MAX, "account %s", account->name);
}

static bool may(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* The folder that a path is in. */
static void parent_of(const char *path, char parent[static PATH_MAX])
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 1 && path[len - 1] == '/')
		len--;
	(void)snprintf(parent, PATH_MAX, "%.*s", len ? (int)len : 1, len ? path : "/");
}

/* The path, or the nearest of its parents that is there. */
static void nearest(const char *path, char found[static PATH_MAX])
{
	char below[PATH_MAX];
	struct stat st;

	(void)snprintf(found, PATH_MAX, "%s", path);
	while (strlen(found) > 1 && stat(found, &st) < 0 &&
		(errno == ENOENT || errno == ENOTDIR)) {
		memcpy(below, found, sizeof(below));
		parent_of(below, found);
	}
}

/* A folder that is there and ours to write in, or that can be made. option: where it stands in the
 * settings. */
static void check_folder(const struct look *look, const char *option, const char *path)
{
	char there[PATH_MAX];
	struct stat st;

	nearest(path, there);
	if (stat(there, &st) < 0)
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, option,
			"%s: %s cannot be looked into: %s; run this as the user that mailfilter "
			"runs as, or give that user the folder",
			option, there, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, option,
			"%s: %s is no folder; name another path, or move that file away",
			option, there);
	else if (!may(there, W_OK | X_OK))
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, option,
			"%s: user %u may not write in %s, which is of user %u; run mailfilter as "
			"that user, or chown the folder",
			option, (unsigned)geteuid(), there, (unsigned)st.st_uid);
}

/* A parent that is missing is made when mail comes; but it may be a slip of the pen. */
static void check_parent(const struct look *look, const char *path)
{
	char parent[PATH_MAX];
	struct stat st;

	parent_of(path, parent);
	if (stat(parent, &st) < 0 && errno == ENOENT &&
		!remarks_wrong(look->remarks, look->subject, "deliver"))
		remarks_add(look->remarks, REMARK_NOTE, look->subject, "deliver",
			"deliver: there is no %s yet; it is made when mail comes, so see that "
			"it is written right",
			parent);
}

static void check_mbox(const struct look *look, const char *path)
{
	char parent[PATH_MAX];
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT) {
		parent_of(path, parent);
		check_folder(look, "deliver", parent);
		check_parent(look, path);
	} else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, "deliver",
			"deliver: %s is no file, as an mbox is; for a Maildir write maildir:%s",
			path, path);
	} else if (!may(path, R_OK | W_OK)) {
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, "deliver",
			"deliver: %s may not be written: %s; run mailfilter as its owner, or "
			"chown it",
			path, strerror(errno));
	}
}

/* As posix_spawnp(3) looks for it. */
static bool is_program(const char *name)
{
	const char *path = getenv("PATH");
	char full[PATH_MAX];

	if (strchr(name, '/'))
		return may(name, X_OK);
	if (!path)
		path = "/bin:/usr/bin";
	while (*path) {
		const size_t len = strcspn(path, ":");

		(void)snprintf(full, sizeof(full), "%.*s/%s", (int)len, path, name);
		if (len > 0 && may(full, X_OK))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static void check_command(
	const struct look *look, const char *option, const struct schema_list *command)
{
	if (command->count > 0 && !is_program(command->items[0]))
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject,
			strcmp(option, "password-command") == 0 ? "password" : "deliver",
			"%s: there is no program \"%.200s\" that this user may run; install it, "
			"or write its whole path",
			option, command->items[0]);
}

static void check_file(const struct look *look, const char *about, const char *option,
	const char *path, const char *remedy)
{
	struct stat st;

	if (!path)
		return;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, about,
			"%s: %s is no file; %s", option, path, remedy);
	else if (!may(path, R_OK))
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, about,
			"%s: %s cannot be read: %s; %s", option, path, strerror(errno),
			remedy);
	else if (strcmp(about, "password") == 0 && (st.st_mode & (S_IROTH | S_IWOTH)))
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, about,
			"%s: everybody may read or write %s; chmod 600 it", option, path);
}

static void check_password(
	const struct look *look, const struct account_settings *account)
{
	struct settings one = *look->settings;
	struct err err = { 0 };

	/* Whatever counts as a password there, one account at a time. */
	one.accounts.items = (struct account_settings *)one.accounts.items +
			     (account - settings_account(&one, 0));
	one.accounts.count = 1;
	if (settings_check_accounts(&one, &err) < 0)
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, "password",
			"%s", err.text);
	if (account->password)
		return;
	if (account->password_command.count > 0)
		check_command(look, "password-command", &account->password_command);
	else
		check_file(look, "password", "password-file", account->password_file,
			"write the password on its first line and chmod 600 it, as the user that "
			"mailfilter runs as");
}

static void check_source(const struct look *look, const struct account_settings *account)
{
	const char *path = account->source_path;
	char folder[PATH_MAX];
	struct stat st;

	if (!path)
		return;
	for (const char *const *name = (const char *const[]){ "", "/new", "/cur", NULL };
		*name; name++) {
		(void)snprintf(folder, sizeof(folder), "%s%s", path, *name);
		errno = 0;
		if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode) &&
			may(folder, R_OK | X_OK))
			continue;
		remarks_add(look->remarks, REMARK_SETTINGS, look->subject, "source",
			"source: %s is no folder that this user may read: %s; name a Maildir, or "
			"run mailfilter as its owner",
			folder, strerror(errno ? errno : ENOTDIR));
		return;
	}
}

static void check_deliver(const struct look *look, const struct account_settings *account)
{
	const char *path = account->deliver_path;
	char parent[PATH_MAX];
	struct stat st;

	switch (account->deliver_kind) {
	case DELIVER_MAILDIR:
		check_folder(look, "deliver", path);
		check_parent(look, path);
		break;
	case DELIVER_MBOX:
		check_mbox(look, path);
		break;
	case DELIVER_LMTP:
	case DELIVER_SMTP:
		if (!path)
			break;
		parent_of(path, parent);
		if (stat(parent, &st) < 0)
			remarks_add(look->remarks, REMARK_SETTINGS, look->subject,
				"deliver",
				"deliver: the socket %s has no folder: %s; correct the path, or "
				"install and start the mail server that makes it",
				path, strerror(errno));
		break;
	case DELIVER_PIPE:
		check_command(look, "deliver-command", &account->deliver_command);
		break;
	case DELIVER_INPLACE:
		break;
	}
}

static void check_account(const struct look *look, const struct account_settings *account)
{
	check_password(look, account);
	check_source(look, account);
	check_file(look, "tls-ca", "tls-ca", account->tls_ca,
		"name a file with the authority's certificate (PEM) that this user may read, or "
		"leave tls-ca out for the system's");
	check_file(look, "deliver", "deliver-tls-ca", account->deliver_tls_ca,
		"name a file with the authority's certificate (PEM) that this user may read, or "
		"leave it out");
	check_deliver(look, account);
}

/* Folders below /run are made by the service manager when it starts the scanner. */
static void check_scanner(struct look *look, const char *text)
{
	struct scanner_address address;
	char folder[PATH_MAX];
	const char *path;
	struct stat st;
	bool run;

	if (scanner_address_parse(text, &address, NULL) < 0 ||
		strncmp(address.endpoint, "ipc://", 6) != 0 || address.endpoint[6] != '/')
		return;
	path = address.endpoint + 6;
	parent_of(path, folder);
	(void)snprintf(
		look->subject, sizeof(look->subject), "scanner %.80s", address.endpoint);
	if (stat(folder, &st) == 0)
		return;
	run = strncmp(path, "/run/", 5) == 0 || strncmp(path, "/var/run/", 9) == 0;
	remarks_add(look->remarks, run ? REMARK_NOTE : REMARK_SETTINGS, look->subject,
		"scanners",
		"the folder of its socket, %s, is not there (%s); %s, or correct `scanners`",
		folder, strerror(errno),
		run ? "it is made when the scanner's service is started"
		    : "make it (mkdir -p -m 700) and start the scanner");
}

void check_machine(const struct settings *settings, struct remarks *remarks)
{
	struct look look = { .remarks = remarks, .settings = settings };
	struct err err = { 0 };

	(void)snprintf(look.subject, sizeof(look.subject), "settings");
	check_folder(&look, "state-dir", settings->state_dir);
	if (settings_check_scanners(settings, &err) < 0)
		remarks_add(remarks, REMARK_SETTINGS, look.subject, "curve-key", "%s",
			err.text);
	if (settings->accounts.count == 0 && settings_check_accounts(settings, &err) < 0)
		remarks_add(remarks, REMARK_SETTINGS, look.subject, "account", "%s",
			err.text);
	for (size_t i = 0; i < settings->scanners.count; i++)
		check_scanner(&look, settings->scanners.items[i]);
	for (size_t i = 0; i < settings->accounts.count; i++) {
		check_subject(settings_account(settings, i), look.subject);
		check_account(&look, settings_account(settings, i));
	}
}
