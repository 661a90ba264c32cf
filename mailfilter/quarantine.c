/* SPDX-License-Identifier: ISC */
#include "mailfilter/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/filebatch.h"
#include "common/mime.h"
#include "common/random.h"

enum {
	FILE_NAME_MAX = QUARANTINE_ID_MAX + 8
};

struct quarantine {
	char *path;
	int dirfd;
	struct filebatch batch; /* as ID.tmp, not yet synced */
};

static int fail(const char *what, const char *path, const char *name, struct err *err)
{
	return err_errno(err, file_err_kind(errno), "cannot %s %s/%s", what, path, name);
}

/* Temporary files of a process that was killed: never counted, written anew if still needed. */
static int sweep(const struct quarantine *quarantine, struct err *err)
{
	auto_closedir DIR *dir = opendir(quarantine->path);
	struct dirent *entry;

	if (!dir)
		return fail("read", quarantine->path, "", err);
	while ((entry = readdir(dir))) {
		const char *const dot = strrchr(entry->d_name, '.');

		if (dot && strcmp(dot, ".tmp") == 0)
			(void)unlinkat(quarantine->dirfd, entry->d_name, 0);
	}
	return 0;
}

static int open_all(
	struct quarantine *quarantine, const char *account_dir, struct err *err)
{
	if (quarantine_path(account_dir, &quarantine->path, err) < 0 ||
		file_mkdirs(quarantine->path, S_IRWXU, err) < 0 ||
		file_open_own_dir(quarantine->path, &quarantine->dirfd, err) < 0)
		return -1;
	filebatch_init(&quarantine->batch, quarantine->dirfd, quarantine->path);
	return sweep(quarantine, err);
}

int quarantine_open(
	const char *account_dir, struct quarantine **quarantine_r, struct err *err)
{
	struct quarantine *quarantine = calloc(1, sizeof(*quarantine));

	if (!quarantine)
		return err_memory(err);
	quarantine->dirfd = -1;
	if (open_all(quarantine, account_dir, err) < 0) {
		quarantine_close(quarantine);
		return -1;
	}
	*quarantine_r = quarantine;
	return 0;
}

void quarantine_close(struct quarantine *quarantine)
{
	if (!quarantine)
		return;
	filebatch_discard(&quarantine->batch);
	filebatch_done(&quarantine->batch);
	defer_close(&quarantine->dirfd);
	free(quarantine->path);
	free(quarantine);
}

void quarantine_new_id(char id[static QUARANTINE_ID_MAX])
{
	const time_t now = (time_t)clock_wall_s();
	struct tm tm = { 0 };
	size_t used;

	(void)gmtime_r(&now, &tm);
	used = strftime(id, QUARANTINE_ID_MAX, "%Y%m%dT%H%M%S-", &tm);
	(void)snprintf(
		id + used, QUARANTINE_ID_MAX - used, "%016" PRIx64, random_number());
}

int quarantine_write(
	struct quarantine *quarantine, struct message *message, struct err *err)
{
	char tmp[FILE_NAME_MAX];

	if (quarantine_check_id(message->quarantine_id, err) < 0)
		return -1;
	(void)snprintf(tmp, sizeof(tmp), "%s.tmp", message->quarantine_id);
	/* Written twice in one batch, the later stands for both. */
	filebatch_remove(&quarantine->batch, tmp);
	return filebatch_add(&quarantine->batch, tmp, &message->body, err);
}

/* From ID.tmp to ID.eml. One that is there is an orphan of the same message: replaced. */
static int name_files(const struct quarantine *quarantine, struct err *err)
{
	for (size_t i = 0; i < quarantine->batch.count; i++) {
		const char *const tmp = filebatch_name(&quarantine->batch, i);
		char name[FILE_NAME_MAX];

		(void)snprintf(name, sizeof(name), "%.*s.eml",
			(int)(strlen(tmp) - strlen(".tmp")), tmp);
		if (renameat(quarantine->dirfd, tmp, quarantine->dirfd, name) < 0)
			return fail("make", quarantine->path, name, err);
	}
	return file_sync_dir(quarantine->dirfd, quarantine->path, err);
}

int quarantine_sync(struct quarantine *quarantine, struct err *err)
{
	if (quarantine->batch.count == 0)
		return 0;
	if (filebatch_sync(&quarantine->batch, err) < 0 ||
		name_files(quarantine, err) < 0) {
		/* What has its name already stays: an orphan, whose bytes are whole, and may be
		 * on record from an earlier try. */
		filebatch_discard(&quarantine->batch);
		return -1;
	}
	filebatch_clear(&quarantine->batch);
	return 0;
}

void quarantine_discard(struct quarantine *quarantine)
{
	filebatch_discard(&quarantine->batch);
}

static bool is_first(const struct verdict *verdict, size_t which)
{
	for (size_t i = 0; i < which; i++)
		if (strcmp(verdict->findings[i].signature,
			    verdict->findings[which].signature) == 0)
			return false;
	return true;
}

/* The signatures found, each once, as many as there is room for. */
static void list_signatures(const struct verdict *verdict, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < verdict->finding_count; i++) {
		const char *const signature = verdict->findings[i].signature;

		if (!is_first(verdict, i) || used + strlen(signature) + 3 > size)
			continue;
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", used ? ", " : "", signature);
	}
}

static void describe_why(const struct message *message, char *text, size_t size)
{
	const struct verdict *const verdict = &message->verdict;

	text[0] = '\0';
	if (verdict->kind == VERDICT_INFECTED)
		list_signatures(verdict, text, size);
	if (!text[0] && message->reason[0])
		(void)snprintf(text, size, "%s", message->reason);
	if (!text[0] && verdict->reason != REASON_NONE)
		(void)snprintf(text, size, "%s (%s)", verdict_name(verdict->kind),
			verdict_reason_name(verdict->reason));
	if (!text[0])
		(void)snprintf(text, size, "%s", verdict_name(verdict->kind));
}

static void describe_found(const struct verdict *verdict, struct record_quarantined *item)
{
	for (size_t i = 0; verdict->kind == VERDICT_INFECTED &&
			   i < verdict->finding_count && i < RECORD_FOUND_MAX;
		i++) {
		const struct finding *from = &verdict->findings[i];
		struct record_found *found = &item->found[item->found_count++];

		memcpy(found->part, from->part, sizeof(found->part));
		memcpy(found->name, from->name, sizeof(found->name));
		memcpy(found->signature, from->signature, sizeof(found->signature));
		found->hash = from->hash;
	}
}

int quarantine_describe(
	struct message *message, struct record_quarantined *item_r, struct err *err)
{
	struct record_quarantined item = {
		.key = message->key,
		.time_s = clock_wall_s(),
		.size = message->body.size,
	};
	struct span bytes = { 0 };

	if (body_span(&message->body, &bytes, err) < 0 ||
		body_hash(&message->body, &item.hash, err) < 0)
		return -1;
	(void)snprintf(item.id, sizeof(item.id), "%s", message->quarantine_id);
	describe_why(message, item.why, sizeof(item.why));
	describe_found(&message->verdict, &item);
	mime_field_text(bytes, "Subject", item.subject, sizeof(item.subject));
	mime_field_text(bytes, "From", item.sender, sizeof(item.sender));
	*item_r = item;
	return 0;
}
