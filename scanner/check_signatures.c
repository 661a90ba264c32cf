/* SPDX-License-Identifier: ISC
 *
 * Are the signatures new, as many as they were, those that are on disk, and all for this engine? */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/parse.h"

#include "scanner/check.h"
#include "scanner/engine.h"
#include "scanner/signatures.h"

enum {
	HEADER_SIZE = 512, /* of ClamAV's own sets: text, fields with ':' between */
	FIELD_LEVEL = 4,
	FIELD_BUILT = 8,
	FIELD_MAX = 32,
	COUNT_FILE_MAX = 64,
	COUNTED_MAX = 40
};

/* A drop that lasts so long is how it is now. */
#define DROP_TOLD_S (INT64_C(7) * 24 * 3600)

#define YEAR_9999 UINT64_C(253402300799)

/* What the files say. */
struct looked {
	int64_t newest_s; /* of all files */
	int64_t daily_s;  /* when the daily set was built; 0: none */
	uint64_t level;   /* the highest asked for */
	char asks[64];    /* the file that does */
};

static bool field(const char *header, int number, uint64_t max, uint64_t *value_r)
{
	char digits[FIELD_MAX];
	size_t len;

	for (int i = 0; i < number; i++) {
		header = strchr(header, ':');
		if (!header)
			return false;
		header++;
	}
	len = strspn(header, "0123456789");
	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, header, len);
	digits[len] = '\0';
	return parse_number(digits, 0, max, value_r, NULL) == 0;
}

/* "ClamAV-VDB:22 Nov 2026 10-20 +0000:27000:2000000:90:MD5:SIGNATURE:BUILDER:1795343400". */
static void read_header(int folder, const char *name, struct looked *looked)
{
	auto_close int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char header[HEADER_SIZE + 1];
	uint64_t level, built;
	ssize_t got = fd < 0 ? -1 : read(fd, header, HEADER_SIZE);

	if (got <= 0)
		return;
	header[got] = '\0';
	if (strncmp(header, "ClamAV-VDB:", strlen("ClamAV-VDB:")) != 0)
		return;
	if (field(header, FIELD_LEVEL, UINT32_MAX, &level) && level > looked->level) {
		looked->level = level;
		(void)snprintf(looked->asks, sizeof(looked->asks), "%.63s", name);
	}
	if (strncmp(name, "daily.", strlen("daily.")) == 0 &&
		field(header, FIELD_BUILT, YEAR_9999, &built) &&
		(int64_t)built > looked->daily_s)
		looked->daily_s = (int64_t)built;
}

static void look(const char *path, struct looked *looked)
{
	auto_closedir DIR *folder = opendir(path);
	struct stat file;

	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (!signatures_is_file(entry->d_name) ||
			fstatat(dirfd(folder), entry->d_name, &file, 0) < 0)
			continue;
		if (file.st_mtim.tv_sec > looked->newest_s)
			looked->newest_s = file.st_mtim.tv_sec;
		read_header(dirfd(folder), entry->d_name, looked);
	}
}

/* "1 signature". Returns text. */
static const char *counted(uint64_t count, char text[static COUNTED_MAX])
{
	(void)snprintf(text, COUNTED_MAX, "%" PRIu64 " signature%s", count,
		count == 1 ? "" : "s");
	return text;
}

static void check_age(const struct check_facts *facts, const struct looked *looked,
	struct check_result *result)
{
	/* Somebody's own small file is new now and then, and says nothing of the daily set. */
	int64_t newest_s = looked->daily_s > 0 ? looked->daily_s : looked->newest_s;
	int64_t age_ms = facts->wall_s > newest_s ? (facts->wall_s - newest_s) * 1000 : 0;
	char age[CHECK_SPAN_MAX], count[COUNTED_MAX];

	if (newest_s == 0)
		return;
	check_say(result,
		check_limit_level(&facts->settings->check_limits, LIMIT_SIGNATURES_AGE,
			(uint64_t)age_ms),
		"%s, the newest are %s old%s", counted(facts->signatures, count),
		check_span(age_ms, age),
		looked->daily_s > 0 ? "" : " by the date of their file");
}

/* How many there were when all was well, and since when there are fewer (0: there are not). */
struct before {
	uint64_t count, fewer_since_s;
};

static void read_before(const char *path, struct before *before)
{
	auto_buf struct buf file;
	const char *text;
	char *blank, *end;

	*before = (struct before){ 0 };
	buf_init(&file, COUNT_FILE_MAX + 1);
	if (file_read(path, COUNT_FILE_MAX, &file, NULL) < 0 ||
		buf_text(&file, &text, NULL) < 0)
		return;
	blank = memchr(file.data, ' ', file.len);
	end = memchr(file.data, '\n', file.len);
	if (!blank || !end || end < blank)
		return;
	*blank = '\0';
	*end = '\0';
	if (parse_number(text, 0, UINT64_MAX / 100, &before->count, NULL) < 0 ||
		parse_number(blank + 1, 0, INT64_MAX, &before->fewer_since_s, NULL) < 0)
		*before = (struct before){ 0 };
}

static void write_before(const char *path, const struct before *before)
{
	char line[COUNT_FILE_MAX];
	int len = snprintf(line, sizeof(line), "%" PRIu64 " %" PRIu64 "\n", before->count,
		before->fewer_since_s);

	/* Where there is no room the next run writes it. */
	(void)file_replace(path, span_part(span_str(line), 0, (size_t)len), 0600, NULL);
}

static void check_count(const struct check_facts *facts, struct check_result *result)
{
	struct before before, now;
	enum check_level level = CHECK_OK;
	char path[PATH_MAX], count[COUNTED_MAX];

	if (!facts->serving || facts->signatures > UINT64_MAX / 100 ||
		snprintf(path, sizeof(path), "%s/signatures-count",
			facts->settings->temp_dir) >= (int)sizeof(path))
		return;
	read_before(path, &before);
	now = (struct before){ .count = facts->signatures };
	if (before.count > facts->signatures)
		level = check_limit_level(&facts->settings->check_limits,
			LIMIT_SIGNATURES_DROP,
			(before.count - facts->signatures) * 100 / before.count);
	if (level != CHECK_OK) {
		now = before;
		if (before.fewer_since_s == 0)
			now.fewer_since_s = (uint64_t)facts->wall_s;
		if (facts->wall_s - (int64_t)now.fewer_since_s < DROP_TOLD_S)
			check_say(result, level,
				"%s %s loaded, and there were %" PRIu64
				": run freshclam; if it is meant, remove %.80s",
				counted(facts->signatures, count),
				facts->signatures == 1 ? "is" : "are", before.count,
				path);
		else
			now = (struct before){ .count = facts->signatures };
	}
	if (now.count != before.count || now.fewer_since_s != before.fewer_since_s)
		write_before(path, &now);
}

static void check_late(const struct check_facts *facts, struct check_result *result)
{
	enum check_level level = CHECK_OK;
	char late[CHECK_SPAN_MAX];

	if (facts->newer_for_ms >= 0)
		level = check_limit_level(&facts->settings->check_limits,
			LIMIT_SIGNATURES_LATE, (uint64_t)facts->newer_for_ms);
	if (level != CHECK_OK)
		check_say(result, level, "those on disk have not been in use for %s%s%s",
			check_span(facts->newer_for_ms, late),
			facts->trouble[0] ? ": " : "", facts->trouble);
}

void check_signatures(const struct check_facts *facts, struct check_result *result)
{
	const struct schema_list *folders = &facts->settings->signatures;
	struct looked looked = { 0 };
	char count[COUNTED_MAX];

	for (size_t i = 0; i < folders->count; i++)
		if (!signatures_is_test(folders->items[i]))
			look(folders->items[i], &looked);
	check_age(facts, &looked, result);
	check_count(facts, result);
	check_late(facts, result);
	if (looked.level > engine_level())
		check_say(result, CHECK_WARNING,
			"%s asks for engine level %" PRIu64
			", this is %u: not all of it is used: update libclamav",
			looked.asks, looked.level, engine_level());
	check_say(result, CHECK_OK, "%s, of no known age",
		counted(facts->signatures, count));
}
