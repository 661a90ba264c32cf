/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/home.h"

#include "mailfilter/setup.h"
#include "mailfilter/setup_text.h"

enum {
	FOLDER_MODE_OWN = 0700,
	FOLDER_MODE_SYSTEM = 0755,
	PROC_PATH_MAX = 40,
};

static const char header[] = "# Settings of mailfilter: see mailfilter.conf(5).\n"
			     "# Check with: mailfilter --check-config --connect\n\n";

/* A whole path, through links, so that what they lead to is replaced and not they. */
static int set_path(struct setup *setup, const char *file, struct err *err)
{
	auto_free char *real = realpath(file, NULL);
	auto_free char *folder = NULL;
	int len;

	if (!real && errno != ENOENT)
		return err_errno(err, ERR_SETTINGS, "%s", file);
	if (!real && file[0] != '/') {
		folder = realpath(".", NULL);
		if (!folder)
			return err_errno(err, ERR_SETTINGS, "the current folder");
	}
	len = snprintf(setup->path, sizeof(setup->path), "%s%s%s", folder ? folder : "",
		folder ? "/" : "", real ? real : file);
	if (len < 0 || (size_t)len >= sizeof(setup->path))
		return err_set(err, ERR_SETTINGS, "%s: expected a shorter name", file);
	return 0;
}

int setup_file_open(struct setup *setup, const char *file, struct err *err)
{
	auto_free char *own = NULL;

	if (home_new_settings("mailfilter.conf", &own, err) < 0 ||
		set_path(setup, file ? file : own, err) < 0)
		return -1;
	buf_init(&setup->old, SCHEMA_FILE_MAX);
	setup->is_default = !file || strcmp(own, setup->path) == 0;
	setup->fresh = access(setup->path, F_OK) < 0;
	if (setup->fresh && errno != ENOENT && errno != ENOTDIR)
		return err_errno(err, ERR_SETTINGS, "%s", setup->path);
	if (setup->fresh)
		return 0;
	if (file_read(setup->path, SCHEMA_FILE_MAX, &setup->old, err) < 0)
		return -1;
	if (settings_load(setup->path, &setup->settings, err) < 0)
		return err_wrap(err, "this file has a mistake, to be mended first");
	return 0;
}

/* The scanner of this machine's service where there is one; else one of this user's own. */
static int add_scanners(struct buf *text, struct err *err)
{
	static const char system[] = "/run/mailfilter-scanner/scanner.sock";
	auto_free char *state = NULL;
	auto_free char *endpoint = NULL;
	struct schema_list list = { .items = &endpoint, .count = 1 };

	if (geteuid() == 0 || access(system, F_OK) == 0)
		return 0;
	if (home_state(NULL, &state, err) < 0)
		return -1;
	if (asprintf(&endpoint, "ipc://%s/scanner.sock", state) < 0) {
		endpoint = NULL;
		return err_memory(err);
	}
	if (setup_text_list("scanners", &list, text, err) < 0)
		return -1;
	return buf_add_str(text, "\n", err);
}

static int add_start(const struct setup *setup, struct buf *text, struct err *err)
{
	if (setup->fresh)
		return buf_add_str(text, header, err) < 0 || add_scanners(text, err) < 0
			       ? -1
			       : 0;
	if (buf_add(text, setup->old.data, setup->old.len, err) < 0)
		return -1;
	if (setup->old.len > 0 && setup->old.data[setup->old.len - 1] != '\n' &&
		buf_add_str(text, "\n", err) < 0)
		return -1;
	return buf_add_str(text, "\n", err);
}

int setup_file_text(const struct setup *setup, struct buf *text, struct err *err)
{
	const struct setup_answers answers = { .name = setup->name,
		.protocol = setup->protocol,
		.server = setup->server,
		.user = setup->user,
		.password_file = setup->password_file,
		.password_command = &setup->password_command,
		.tls_ca = setup->tls_ca,
		.deliver = setup->deliver,
		.deliver_command = &setup->deliver_command,
		.recipient = setup->recipient,
		.after = setup->after };

	buf_clear(text);
	if (add_start(setup, text, err) < 0)
		return -1;
	return setup_text_account(&answers, text, err);
}

/* What is wrong stands in a file that has no name yet. */
static int name_it(const struct setup *setup, const char *shown, struct err *err)
{
	const struct err said = *err;
	const size_t len = strlen(shown);

	if (strncmp(said.text, shown, len) == 0)
		return err_set(err, said.kind, "%s%s", setup->path, said.text + len);
	return -1;
}

int setup_file_load(const struct setup *setup, const struct buf *text,
	struct settings *settings_r, struct err *err)
{
	auto_close int fd = memfd_create("settings", MFD_CLOEXEC);
	char path[PROC_PATH_MAX];

	if (fd < 0 || fchmod(fd, SETUP_OWN_MODE) < 0)
		return err_errno(err, ERR_AGAIN, "memory for a file");
	if (file_write(fd, buf_span(text), setup->path, err) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (settings_load(path, settings_r, err) < 0)
		return name_it(setup, path, err);
	return 0;
}

static int parent_folder(const char *path, char **folder_r, struct err *err)
{
	const char *slash = strrchr(path, '/');

	*folder_r = strndup(path, slash && slash > path ? (size_t)(slash - path) : 1);
	return *folder_r ? 0 : err_memory(err);
}

static int make_folder(const char *path, struct err *err)
{
	auto_free char *folder = NULL;

	if (parent_folder(path, &folder, err) < 0)
		return -1;
	return file_mkdirs(
		folder, geteuid() == 0 ? FOLDER_MODE_SYSTEM : FOLDER_MODE_OWN, err);
}

/* Root's file, for a service to read. */
static int give_to_service(int fd, const char *path, bool secret, struct err *err)
{
	const struct passwd *user = secret ? getpwnam(SETUP_SERVICE_USER) : NULL;

	if (user && fchown(fd, user->pw_uid, user->pw_gid) < 0)
		return err_errno(err, ERR_SETTINGS, "chown %s", path);
	/* The scanner's user is another one. */
	if (!secret && fchmod(fd, SETUP_OPEN_MODE) < 0)
		return err_errno(err, ERR_SETTINGS, "chmod %s", path);
	return 0;
}

int setup_file_new(const char *path, struct span bytes, bool secret, struct err *err)
{
	auto_free char *folder = NULL;
	auto_close int dir = -1;
	auto_close int fd = -1;

	if (make_folder(path, err) < 0 || parent_folder(path, &folder, err) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		SETUP_OWN_MODE);
	if (fd < 0)
		return err_errno(err, ERR_SETTINGS, "cannot make %s", path);
	if ((geteuid() == 0 && give_to_service(fd, path, secret, err) < 0) ||
		file_write(fd, bytes, path, err) < 0 ||
		file_sync_close(&fd, path, err) < 0 ||
		file_open_dir(folder, &dir, err) < 0 ||
		file_sync_dir(dir, folder, err) < 0) {
		(void)unlink(path);
		return -1;
	}
	return 0;
}

static int write_password(const struct setup *setup, struct err *err)
{
	char line[ASK_ANSWER_MAX + 1];
	int result;

	if (!setup->password[0])
		return 0;
	(void)snprintf(line, sizeof(line), "%s\n", setup->password);
	result = setup_file_new(setup->password_file, span_str(line), true, err);
	explicit_bzero(line, sizeof(line));
	return result;
}

/* Somebody may have edited it while questions were answered. */
static int check_unchanged(const struct setup *setup, struct err *err)
{
	auto_buf struct buf now;

	buf_init(&now, SCHEMA_FILE_MAX);
	if (setup->fresh)
		return access(setup->path, F_OK) < 0
			       ? 0
			       : err_set(err, ERR_SETTINGS,
					 "%s was made meanwhile: nothing is written",
					 setup->path);
	if (file_read(setup->path, SCHEMA_FILE_MAX, &now, err) < 0)
		return -1;
	if (span_equal(buf_span(&now), buf_span(&setup->old)))
		return 0;
	return err_set(err, ERR_SETTINGS,
		"%s was changed meanwhile: nothing is written; begin again", setup->path);
}

/* As it was; a new one of root's is for the service's group to read. */
static int replace(const struct setup *setup, const struct buf *text, struct err *err)
{
	const struct group *group = geteuid() == 0 ? getgrnam(SETUP_SERVICE_USER) : NULL;
	mode_t mode = setup->fresh && group ? SETUP_SERVICE_MODE : SETUP_OWN_MODE;
	uid_t owner = geteuid();
	gid_t of = setup->fresh && group ? group->gr_gid : getegid();
	struct stat st;

	if (!setup->fresh && stat(setup->path, &st) == 0) {
		mode = st.st_mode & 0777;
		owner = st.st_uid;
		of = st.st_gid;
	}
	if (file_replace(setup->path, buf_span(text), mode, err) < 0)
		return -1;
	/* Only root can give a file away, and only root's new one needs it. */
	if (geteuid() == 0 && chown(setup->path, owner, of) < 0)
		return err_errno(err, ERR_SETTINGS, "chown %s", setup->path);
	return 0;
}

int setup_file_write(const struct setup *setup, const struct buf *text, struct err *err)
{
	if (check_unchanged(setup, err) < 0 || make_folder(setup->path, err) < 0 ||
		write_password(setup, err) < 0)
		return -1;
	if (replace(setup, text, err) == 0)
		return 0;
	if (setup->password[0])
		(void)unlink(setup->password_file);
	return -1;
}
