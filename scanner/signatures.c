/* SPDX-License-Identifier: ISC */
#include "scanner/signatures.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

/* Debian's package does it by itself, some minutes after it is installed. */
#define RUN_FRESHCLAM                                                                    \
	"run freshclam (\"apt install clamav-freshclam\" does so by itself: wait some "  \
	"minutes), or name its folder in the signatures setting"

enum {
	CHUNK_SIZE = 1024 * 1024
};

/* What libclamav loads from a folder, by the end of the name. */
static const char *const extensions[] = { ".db", ".hdb", ".hdu", ".fp", ".mdb", ".mdu",
	".hsb", ".hsu", ".sfp", ".msb", ".msu", ".ndb", ".ndu", ".ldb", ".ldu", ".sdb",
	".zmd", ".rmd", ".pdb", ".gdb", ".wdb", ".cbc", ".ftm", ".cfg", ".cvd", ".cld",
	".cud", ".cdb", ".cat", ".crb", ".idb", ".ioc", ".yar", ".yara", ".pwdb", ".ign",
	".ign2", ".imp" };

const char signatures_eicar[] =
	"Eicar-Test-Signature:0:0:"
	"58354f2150254041505b345c505a58353428505e2937434329377d2445494341522d"
	"5354414e444152442d414e544956495255532d544553542d46494c452124482b482a";

bool signatures_is_test(const char *folder)
{
	return strcmp(folder, "test") == 0;
}

bool signatures_is_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(extensions) / sizeof(*extensions); i++)
		if (strcasecmp(dot, extensions[i]) == 0)
			return true;
	return false;
}

static int is_signature_file(const struct dirent *entry)
{
	return signatures_is_file(entry->d_name);
}

static bool is_set(const char *name, const char *set)
{
	size_t len = strlen(set);

	return strncmp(name, set, len) == 0 && fnmatch(".c[vlu]d", name + len, 0) == 0;
}

/* The names of one folder, sorted, so that the digest does not depend on readdir. */
struct listing {
	struct dirent **entries;
	int count;
};

static void listing_done(struct listing *listing)
{
	for (int i = 0; i < listing->count; i++)
		free(listing->entries[i]);
	free(listing->entries);
}

static int list_folder(const char *folder, struct listing *listing, struct err *err)
{
	listing->count = scandir(folder, &listing->entries, is_signature_file, alphasort);
	if (listing->count < 0)
		return err_set(err, errno == ENOMEM ? ERR_AGAIN : ERR_SETTINGS,
			"signatures folder %s: %s: " RUN_FRESHCLAM, folder,
			strerror(errno));
	if (listing->count == 0)
		return err_set(err, ERR_SETTINGS,
			"%s holds no signatures: " RUN_FRESHCLAM, folder);
	if (listing->count > SIGNATURES_FILES_MAX)
		return err_set(err, ERR_SETTINGS, "%s holds %d files, at most %d may be",
			folder, listing->count, SIGNATURES_FILES_MAX);
	return 0;
}

/* A file that is there in the listing and gone now was replaced meanwhile: look again later. */
static enum err_kind open_kind(void)
{
	return errno == ENOENT || errno == EMFILE || errno == ENFILE ? ERR_AGAIN
								     : ERR_SETTINGS;
}

static int stamp_file(int folder_fd, const char *name, struct buf *stamp, struct err *err)
{
	struct stat file;

	if (fstatat(folder_fd, name, &file, 0) < 0)
		return buf_printf(stamp, err, "%s: %s\n", name, strerror(errno));
	return buf_printf(stamp, err, "%s %" PRIu64 " %" PRId64 ".%09ld %" PRIu64 "\n",
		name, (uint64_t)file.st_size, (int64_t)file.st_mtim.tv_sec,
		file.st_mtim.tv_nsec, (uint64_t)file.st_ino);
}

static int stamp_folder(const char *folder, struct buf *stamp, struct err *err)
{
	__attribute__((cleanup(listing_done))) struct listing listing = { 0 };
	auto_close int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err why = { 0 };

	if (folder_fd < 0)
		return buf_printf(stamp, err, "%s: %s\n", folder, strerror(errno));
	if (list_folder(folder, &listing, &why) < 0)
		return buf_printf(stamp, err, "%s\n", why.text);
	if (buf_printf(stamp, err, "%s:\n", folder) < 0)
		return -1;
	for (int i = 0; i < listing.count; i++)
		if (stamp_file(folder_fd, listing.entries[i]->d_name, stamp, err) < 0)
			return -1;
	return 0;
}

int signatures_stamp(
	const struct schema_list *folders, struct buf *stamp, struct err *err)
{
	buf_clear(stamp);
	for (size_t i = 0; i < folders->count; i++)
		if (!signatures_is_test(folders->items[i]) &&
			stamp_folder(folders->items[i], stamp, err) < 0)
			return -1;
	return 0;
}

/* digest = SHA-256(digest, name), then SHA-256(digest, chunk) for each chunk and the empty one at
 * the end. Files are read, not mapped: one that is cut short while mapped would kill us. */
static int digest_file(int folder_fd, const char *folder, const char *name,
	struct signatures *signatures, struct err *err)
{
	struct hash *digest = &signatures->digest;
	struct stat file;
	auto_close int fd = openat(folder_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	auto_buf struct buf chunk;
	uint8_t *room;
	ssize_t got;

	buf_init(&chunk, HASH_SIZE + CHUNK_SIZE);
	if (fd < 0)
		return err_errno(err, open_kind(), "%s/%s", folder, name);
	if (fstat(fd, &file) < 0)
		return err_errno(err, ERR_SETTINGS, "%s/%s", folder, name);
	if (!S_ISREG(file.st_mode))
		return err_set(err, ERR_SETTINGS, "%s/%s: not a file", folder, name);
	if (file.st_mtim.tv_sec > signatures->dated_s)
		signatures->dated_s = file.st_mtim.tv_sec;
	if (buf_add(&chunk, digest->bytes, HASH_SIZE, err) < 0 ||
		buf_add_str(&chunk, name, err) < 0 ||
		hash_span(buf_span(&chunk), digest, err) < 0)
		return -1;
	do {
		buf_clear(&chunk);
		if (buf_add(&chunk, digest->bytes, HASH_SIZE, err) < 0 ||
			buf_reserve(&chunk, CHUNK_SIZE, &room, err) < 0)
			return -1;
		got = read(fd, room, CHUNK_SIZE);
		if (got < 0)
			return err_errno(err, ERR_SETTINGS, "read %s/%s", folder, name);
		chunk.len += (size_t)got;
		if (hash_span(buf_span(&chunk), digest, err) < 0)
			return -1;
	} while (got > 0);
	return 0;
}

static int read_folder(const char *folder, struct signatures *signatures, struct err *err)
{
	__attribute__((cleanup(listing_done))) struct listing listing = { 0 };
	auto_close int folder_fd = -1;

	if (list_folder(folder, &listing, err) < 0)
		return -1;
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		return err_errno(err, open_kind(), "%s", folder);
	for (int i = 0; i < listing.count; i++) {
		const char *name = listing.entries[i]->d_name;

		if (digest_file(folder_fd, folder, name, signatures, err) < 0)
			return -1;
		signatures->has_main |= is_set(name, "main");
		signatures->has_daily |= is_set(name, "daily");
		signatures->files++;
	}
	return 0;
}

void signatures_leave_out(struct signatures_without *without,
	const struct schema_list *folders, size_t i, const char *why)
{
	size_t len = strlen(without->why);

	without->folders |= 1U << i;
	(void)snprintf(without->why + len, sizeof(without->why) - len,
		"%sthe signatures in %.100s are left out: %.250s", len > 0 ? "; " : "",
		folders->items[i], why);
}

/* What a folder that does not serve had brought in goes again. Where a file went meanwhile,
 * signatures_same will say so; a link to nowhere stays what it is. */
static int read_or_leave_out(const struct schema_list *folders, size_t i,
	struct signatures_without *without, struct signatures *signatures,
	struct err *err)
{
	struct signatures before = *signatures;
	struct err why = { 0 };

	if (read_folder(folders->items[i], signatures, &why) == 0)
		return 0;
	if (i == 0 || (why.kind != ERR_SETTINGS && why.kind != ERR_AGAIN))
		return err_set(err, why.kind, "%s", why.text);
	*signatures = before;
	signatures_leave_out(without, folders, i, why.text);
	return 0;
}

int signatures_read(const struct schema_list *folders, struct signatures_without *without,
	struct signatures *signatures_r, struct err *err)
{
	auto_signatures struct signatures signatures = { 0 };

	buf_init(&signatures.stamp, SIGNATURES_STAMP_MAX);
	if (signatures_stamp(folders, &signatures.stamp, err) < 0)
		return -1;
	for (size_t i = 0; i < folders->count; i++) {
		if (without->folders & 1U << i)
			continue;
		if (signatures_is_test(folders->items[i]))
			signatures.has_test = true;
		else if (read_or_leave_out(folders, i, without, &signatures, err) < 0)
			return -1;
	}
	if (signatures.files == 0 && !signatures.has_test)
		return err_set(
			err, ERR_SETTINGS, "no signatures are named: " RUN_FRESHCLAM);
	*signatures_r = signatures;
	signatures.stamp = (struct buf){ 0 };
	return 0;
}

int signatures_same(const struct schema_list *folders,
	const struct signatures *signatures, bool *same_r, struct err *err)
{
	auto_buf struct buf now;

	buf_init(&now, SIGNATURES_STAMP_MAX);
	if (signatures_stamp(folders, &now, err) < 0)
		return -1;
	*same_r = span_equal(buf_span(&now), buf_span(&signatures->stamp));
	return 0;
}

static int64_t milliseconds(const struct timespec *time)
{
	return time->tv_sec * INT64_C(1000) + time->tv_nsec / 1000000;
}

static int64_t unsettled_in(const char *folder, int64_t now, int64_t settle_ms)
{
	__attribute__((cleanup(listing_done))) struct listing listing = { 0 };
	auto_close int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t longest = 0;
	struct stat file;

	if (folder_fd < 0 || list_folder(folder, &listing, NULL) < 0)
		return 0;
	for (int i = 0; i < listing.count; i++) {
		int64_t left;

		if (fstatat(folder_fd, listing.entries[i]->d_name, &file, 0) < 0 ||
			file.st_mtim.tv_sec != file.st_ctim.tv_sec ||
			file.st_mtim.tv_nsec != file.st_ctim.tv_nsec)
			continue;
		left = milliseconds(&file.st_mtim) + settle_ms - now;
		/* What is of the future says nothing: the clock was changed. */
		if (left <= settle_ms && left > longest)
			longest = left;
	}
	return longest;
}

int64_t signatures_unsettled_ms(const struct schema_list *folders, int64_t settle_ms)
{
	int64_t longest = 0, left;
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < folders->count; i++) {
		if (signatures_is_test(folders->items[i]))
			continue;
		left = unsettled_in(folders->items[i], milliseconds(&now), settle_ms);
		if (left > longest)
			longest = left;
	}
	return longest;
}

void signatures_done(struct signatures *signatures)
{
	buf_done(&signatures->stamp);
}

int signatures_write(const char *folder, const char *line,
	char path_r[static SIGNATURES_PATH_MAX], struct err *err)
{
	size_t len = strlen(line);
	auto_close int fd = -1;

	if (snprintf(path_r, SIGNATURES_PATH_MAX, "%s/builtin-XXXXXX.ndb", folder) >=
		SIGNATURES_PATH_MAX)
		return err_set(err, ERR_SETTINGS, "the name of temp-dir is too long");
	fd = mkostemps(path_r, (int)strlen(".ndb"), O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno == ENOSPC ? ERR_AGAIN : ERR_SETTINGS,
			"temp-dir %s", folder);
	if (write(fd, line, len) == (ssize_t)len && write(fd, "\n", 1) == 1)
		return 0;
	(void)err_errno(err, ERR_AGAIN, "write %s", path_r);
	(void)unlink(path_r);
	return -1;
}

const char *signatures_unprotected(const struct signatures *signatures)
{
	if (signatures->has_main && signatures->has_daily)
		return "";
	if (signatures->has_main)
		return "ClamAV's daily signatures are not loaded: new viruses are not found. "
		       "To mend this " RUN_FRESHCLAM;
	if (signatures->has_daily)
		return "ClamAV's main signatures are not loaded: most viruses are not found. "
		       "To mend this " RUN_FRESHCLAM;
	if (signatures->files == 0)
		return "only the EICAR test signature is loaded: no virus is found. To "
		       "protect mail " RUN_FRESHCLAM;
	return "ClamAV's official signatures (main and daily) are not loaded: known viruses "
	       "are not found. To mend this " RUN_FRESHCLAM;
}
