/* SPDX-License-Identifier: ISC */
#include "scanner/sweep_move.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#include "scanner/quarantine_take.h"

enum {
	LINKS_MAX = 64,
	START_MAX = 64,
	MOVED_MAX = LINKS_MAX + QUARANTINE_ID_MAX
};

static const char mbox_start[] = "From ";

void sweep_move_start(const struct settings *settings)
{
	auto_quarantine struct quarantine quarantine = { .dir = -1, .lock = -1 };
	struct err err = { 0 };
	size_t left = 0;

	if (!settings->sweep_quarantine)
		return;
	if (quarantine_open(settings->sweep_quarantine, true, &quarantine, &err) < 0 ||
		quarantine_lock(&quarantine, false, &err) < 0 ||
		quarantine_mend_all(&quarantine, &left, &err) < 0)
		log_warning("sweep: %s", err.text);
	else if (left > 0)
		log_warning("sweep: %zu moves that were cut off cannot be ended: see "
			    "--sweep-quarantine list",
			left);
}

bool sweep_move_folder(const struct settings *settings, struct stat *stat_r)
{
	return settings->sweep_quarantine &&
	       stat(settings->sweep_quarantine, stat_r) == 0;
}

/* As Dovecot's dbox does: "2 M1e C5f3a9b21", the sizes and times in hexadecimal. */
static bool is_dbox(const char *start)
{
	static const char digits[] = "0123456789abcdef";
	size_t size, time;

	if (strncmp(start, "2 M", 3) != 0)
		return false;
	start += 3;
	size = strspn(start, digits);
	if (size == 0 || strncmp(start + size, " C", 2) != 0)
		return false;
	start += size + 2;
	time = strspn(start, digits);
	return time > 0 && start[time] == '\n';
}

/* By how it begins. */
static bool is_mailbox(int file)
{
	char start[START_MAX] = "";

	return pread(file, start, sizeof(start) - 1, 0) > 0 &&
	       (strncmp(start, mbox_start, strlen(mbox_start)) == 0 || is_dbox(start));
}

/* A quarantine that came to be while the sweep was on its way is not passed over. */
static bool is_inside(
	const struct quarantine *quarantine, const struct quarantine_find *find)
{
	struct stat own, its;

	return fstat(quarantine->dir, &own) == 0 && fstat(find->dir, &its) == 0 &&
	       own.st_dev == its.st_dev && own.st_ino == its.st_ino;
}

static int move(const struct settings *settings, const struct quarantine_find *find,
	char id_r[static QUARANTINE_ID_MAX], struct err *err)
{
	auto_quarantine struct quarantine quarantine = { .dir = -1, .lock = -1 };

	if (quarantine_open(settings->sweep_quarantine, true, &quarantine, err) < 0 ||
		quarantine_lock(&quarantine, false, err) < 0)
		return -1;
	if (is_inside(&quarantine, find))
		return err_set(err, ERR_MESSAGE, "it is in the quarantine");
	if (quarantine_released(&quarantine, find->hash, id_r))
		return err_set(err, ERR_MESSAGE, "released from quarantine as %s", id_r);
	return quarantine_take(&quarantine, find, id_r, err);
}

/* In ACCOUNT/quarantine beside ACCOUNT/state.db: infected, and often the only copy. */
static bool is_mailfilters(const struct quarantine_find *find)
{
	static const char own[] = "/quarantine/";
	size_t len = strlen(find->path) - strlen(find->name), own_len = sizeof(own) - 1;
	struct stat record;

	return len >= own_len && memcmp(find->path + len - own_len, own, own_len) == 0 &&
	       fstatat(find->dir, "../state.db", &record, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(record.st_mode);
}

static int refuse_mail(const struct sweep_scanned *scanned,
	const struct quarantine_find *find, struct err *err)
{
	if (scanned->is_mail)
		return err_set(err, ERR_MESSAGE,
			"a mail: mailfilter rescan cleans what mailfilter delivered");
	if (is_mailfilters(find))
		return err_set(err, ERR_MESSAGE,
			SWEEP_KEPT ": \"mailfilter quarantine\" lists and deletes it");
	if (is_mailbox(find->file))
		return err_set(err, ERR_MESSAGE, SWEEP_MAILBOX);
	return scanned->changed ? err_set(err, ERR_AGAIN,
					  "it changed lately: the next pass looks again")
				: 0;
}

static void say(struct sweep_answer *answer, const char *what, const char *more)
{
	char before[VERDICT_DETAIL_MAX];

	memcpy(before, answer->detail, sizeof(before));
	(void)snprintf(answer->detail, sizeof(answer->detail), "%.60s%s%s%.180s", before,
		before[0] ? "; " : "", what, more);
}

void sweep_move(const struct settings *settings, const struct sweep_walk *walk,
	const struct sweep_scanned *scanned, int file, struct sweep_answer *answer)
{
	struct quarantine_find find = { .file = file,
		.stat = scanned->stat,
		.path = scanned->path,
		.signature = answer->signature,
		.where = answer->where,
		.hash = &answer->hash,
		.signatures = scanned->digest };
	char id[QUARANTINE_ID_MAX], links[LINKS_MAX] = "", moved[MOVED_MAX];
	struct err err = { 0 };

	if (!settings->sweep_quarantine || answer->kind != VERDICT_INFECTED)
		return;
	find.dir = sweep_walk_place(walk, &find.name);
	if (refuse_mail(scanned, &find, &err) < 0 ||
		move(settings, &find, id, &err) < 0) {
		say(answer, "not moved: ", err.text);
		return;
	}
	if (scanned->stat->st_nlink > 1)
		(void)snprintf(links, sizeof(links), " (other names of it stay: %ju)",
			(uintmax_t)scanned->stat->st_nlink - 1);
	(void)snprintf(moved, sizeof(moved), "%s%s", id, links);
	say(answer, "moved to quarantine as ", moved);
}
