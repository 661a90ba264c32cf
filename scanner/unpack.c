/* SPDX-License-Identifier: ISC */
#include "scanner/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/body.h"
#include "common/clock.h"

#include "scanner/heads.h"
#include "scanner/rar.h"
#include "scanner/trail.h"

enum {
	CHUNK = 64 * 1024,
	WAYS_MAX = 2,
	TROUBLES_MAX = 100, /* members that cannot be read, until the rest is given up */
};

/* How each kind is read. A zip has its members listed at the end and again before each: programs
 * differ in what they believe, so both are read. One filter at most, and told which: left to
 * itself, libarchive would go on with what comes out, and a file that unpacks to itself never ends. */
static const struct way {
	int (*format)(struct archive *);
	int filter;
	bool never_empty;
	bool is_weak; /* a magic number so short that it may be chance */
} ways[][WAYS_MAX] = {
	[SNIFF_NONE] = { { 0 } },
	[SNIFF_RAR] = { { archive_read_support_format_rar, ARCHIVE_FILTER_NONE, true,
		false } },
	[SNIFF_RAR5] = { { archive_read_support_format_rar5, ARCHIVE_FILTER_NONE, true,
		false } },
	[SNIFF_ZIP] = { { archive_read_support_format_zip_seekable, ARCHIVE_FILTER_NONE,
				false, false },
		{ archive_read_support_format_zip_streamable, ARCHIVE_FILTER_NONE, false,
			false } },
	[SNIFF_ZIP_END] = { { archive_read_support_format_zip_seekable,
		ARCHIVE_FILTER_NONE, true, false } },
	[SNIFF_7ZIP] = { { archive_read_support_format_7zip, ARCHIVE_FILTER_NONE, false,
		false } },
	[SNIFF_TAR] = { { archive_read_support_format_tar, ARCHIVE_FILTER_NONE, false,
		false } },
	[SNIFF_CPIO] = { { archive_read_support_format_cpio, ARCHIVE_FILTER_NONE, false,
		true } },
	[SNIFF_AR] = { { archive_read_support_format_ar, ARCHIVE_FILTER_NONE, false,
		false } },
	[SNIFF_LHA] = { { archive_read_support_format_lha, ARCHIVE_FILTER_NONE, false,
		true } },
	[SNIFF_RPM] = { { archive_read_support_format_raw, ARCHIVE_FILTER_RPM, false,
		false } },
	[SNIFF_GZIP] = { { archive_read_support_format_raw, ARCHIVE_FILTER_GZIP, false,
		false } },
	[SNIFF_BZIP2] = { { archive_read_support_format_raw, ARCHIVE_FILTER_BZIP2, false,
		false } },
	[SNIFF_XZ] = { { archive_read_support_format_raw, ARCHIVE_FILTER_XZ, false,
		false } },
	[SNIFF_LZIP] = { { archive_read_support_format_raw, ARCHIVE_FILTER_LZIP, false,
		false } },
	[SNIFF_LZ4] = { { archive_read_support_format_raw, ARCHIVE_FILTER_LZ4, false,
		false } },
	[SNIFF_ZSTD] = { { archive_read_support_format_raw, ARCHIVE_FILTER_ZSTD, false,
		false } },
	[SNIFF_COMPRESS] = { { archive_read_support_format_raw, ARCHIVE_FILTER_COMPRESS,
		false, false } },
	[SNIFF_LZMA] = { { archive_read_support_format_raw, ARCHIVE_FILTER_LZMA, false,
		false } },
	[SNIFF_ISO] = { { archive_read_support_format_iso9660, ARCHIVE_FILTER_NONE, false,
		false } },
	[SNIFF_XAR] = { { archive_read_support_format_xar, ARCHIVE_FILTER_NONE, false,
		false } },
	[SNIFF_LOCKED] = { { 0 } },
	[SNIFF_PDF] = { { 0 } },
	[SNIFF_ARJ] = { { 0 } },
	[SNIFF_AS_FILE] = { { 0 } },
	[SNIFF_MAYBE_FILE] = { { 0 } },
	[SNIFF_PASSED_OVER] = { { 0 } },
	[SNIFF_OPAQUE] = { { 0 } },
};

/* One archive being read in one way. */
struct unpacking {
	struct archive *archive;
	struct span bytes;
	struct unpack_budget *budget;
	const struct unpack_to *to;
	struct result trouble;
	bool is_encrypted; /* as far as libarchive does not tell */
	uint64_t out;      /* bytes so far */
	unsigned members, troubles;
};

static void free_archive(struct archive **archive)
{
	if (*archive)
		(void)archive_read_free(*archive);
}

static void shown_name(struct archive_entry *entry, char name[static TRAIL_MAX])
{
	const char *raw = archive_entry_pathname_utf8(entry);

	name[0] = '\0';
	trail_add(name, raw ? raw : archive_entry_pathname(entry));
}

static void add_trouble(struct unpacking *un, const char *name,
	enum verdict_reason reason, const char *why)
{
	char detail[VERDICT_DETAIL_MAX];

	un->troubles++;
	(void)snprintf(detail, sizeof(detail), "%.100s%s%.*s", name, name[0] ? ": " : "",
		(int)strcspn(why, "\r\n"), why);
	result_add_unscannable(&un->trouble, reason, detail);
}

static bool says(const char *text, const char *const words[])
{
	for (; *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

/* libarchive has words for it, and nothing else. */
static void add_failure(
	struct unpacking *un, const char *name, struct archive_entry *entry)
{
	static const char *const unsupported[] = { "unsupported", "not supported",
		"unavailable", "unknown", "unexpected codec", NULL };
	static const char *const encrypted[] = { "encrypt", "passphrase", NULL };
	const char *why = archive_error_string(un->archive);

	if (!why)
		why = "cannot be read";
	if (un->is_encrypted || (entry && archive_entry_is_encrypted(entry)) ||
		says(why, encrypted))
		add_trouble(un, name, REASON_ENCRYPTED, "encrypted");
	else
		add_trouble(un, name,
			says(why, unsupported) ? REASON_UNSUPPORTED : REASON_ERROR, why);
}

/* Over a limit: says so and returns true. */
static bool is_over(struct unpacking *un, const char *name)
{
	if (clock_ms() >= un->budget->deadline_ms)
		add_trouble(un, name, REASON_TIMEOUT, "no time is left for this message");
	else if (un->out > UNPACK_RATIO_FREE &&
		 un->out / UNPACK_RATIO_MAX > un->bytes.len)
		add_trouble(un, name, REASON_LIMIT, "an archive unpacks to too much");
	else
		return false;
	return true;
}

/* More of a member, which starts at offset: what lies between is a hole of zeros. 1: go on; 0: over
 * a limit, told; -1. */
static int add_block(struct unpacking *un, const char *name, struct body *body,
	struct span block, uint64_t offset, struct err *err)
{
	static const uint8_t zeros[CHUNK];
	struct err failure = { 0 };

	for (bool last = false; !last;) {
		struct span next = block;

		last = offset <= body->size;
		if (!last)
			next = (struct span){ zeros,
				offset - body->size < CHUNK
					? (size_t)(offset - body->size)
					: CHUNK };
		un->out += next.len;
		if (is_over(un, name))
			return 0;
		if (body_add(body, next, &failure) == 0)
			continue;
		if (failure.kind != ERR_MESSAGE)
			return err_set(err, failure.kind, "%s", failure.text);
		add_trouble(un, name, REASON_LIMIT, "larger than may be unpacked");
		return 0;
	}
	return 1;
}

/* The bytes of one member, or as many as can be had. By the block: archive_read_data() of 3.6 goes
 * on in freed memory when the member before was damaged. */
static int read_member(struct unpacking *un, const char *name,
	struct archive_entry *entry, struct body *body, struct err *err)
{
	int more = 1;

	while (more > 0) {
		struct span block = { 0 };
		const void *data = NULL;
		la_int64_t offset = 0;
		int status =
			archive_read_data_block(un->archive, &data, &block.len, &offset);

		if (status == ARCHIVE_EOF)
			return 0;
		if (status < ARCHIVE_OK) {
			add_failure(un, name, entry);
			return 0;
		}
		block.data = data;
		if (block.len > 0)
			more = add_block(un, name, body, block, (uint64_t)offset, err);
		else if (is_over(un, name))
			return 0;
	}
	return more;
}

/* libarchive refuses to read a folder of RAR 5. */
static bool is_folder(const struct unpacking *un, struct archive_entry *entry)
{
	return archive_format(un->archive) == ARCHIVE_FORMAT_RAR_V5 &&
	       archive_entry_filetype(entry) == AE_IFDIR &&
	       archive_entry_size(entry) == 0;
}

static int one_member(struct unpacking *un, struct archive_entry *entry, struct err *err)
{
	struct unpack_budget *budget = un->budget;
	char name[TRAIL_MAX];
	struct span bytes;
	auto_body struct body body = { .fd = -1 };

	shown_name(entry, name);
	/* What is stored and encrypted would be given as if it were the file. */
	if (archive_entry_is_encrypted(entry)) {
		add_trouble(un, name, REASON_ENCRYPTED, "encrypted");
		return 0;
	}
	body_init(&body, budget->temp_dir,
		budget->bytes < budget->member_max ? budget->bytes : budget->member_max);
	if (read_member(un, name, entry, &body, err) < 0 ||
		body_span(&body, &bytes, err) < 0)
		return -1;
	budget->bytes -= bytes.len;
	return bytes.len > 0 ? un->to->take(un->to->context, name, bytes, err) : 0;
}

/* All members. What one of them fails with need not be the end of the archive. */
static int all_members(struct unpacking *un, struct err *err)
{
	struct archive_entry *entry;

	for (;;) {
		int status = archive_read_next_header(un->archive, &entry);

		if (status == ARCHIVE_EOF)
			return 0;
		if (status < ARCHIVE_WARN) {
			/* RETRY too: a hostile archive can be tried for ever. */
			add_failure(un, "", NULL);
			if (status == ARCHIVE_FATAL)
				return 0;
		} else if (un->budget->members == 0) {
			add_trouble(un, "", REASON_LIMIT, "too many files in archives");
			return 0;
		} else {
			un->budget->members--;
			un->members++;
			if (!is_folder(un, entry) && one_member(un, entry, err) < 0)
				return -1;
		}
		if (un->troubles >= TROUBLES_MAX || is_over(un, ""))
			return 0;
	}
}

static int set_filter(struct archive *archive, int filter)
{
	if (filter == ARCHIVE_FILTER_NONE)
		return 0;
	/* This one reads as soon as it is set, and there is nothing to read before the open. */
	if (filter == ARCHIVE_FILTER_COMPRESS)
		return archive_read_support_filter_compress(archive);
	return archive_read_append_filter(archive, filter) < ARCHIVE_WARN ? -1 : 0;
}

static int one_way(struct unpacking *un, const struct way *way, struct err *err)
{
	__attribute__((cleanup(free_archive))) struct archive *archive =
		archive_read_new();

	if (!archive)
		return err_memory(err);
	un->archive = archive;
	un->out = 0;
	if (way->format(archive) < ARCHIVE_WARN || set_filter(archive, way->filter) < 0)
		return err_memory(err);
	/* Windows does not know Rock Ridge, libclamav neither, and libarchive loops in it. */
	(void)archive_read_set_option(archive, "iso9660", "rockridge", NULL);
	/* What was read is scanned, whatever checksum stands beside it. */
	(void)archive_read_set_option(archive, "zip", "ignorecrc32", "1");
	if (archive_read_open_memory(archive, un->bytes.data, un->bytes.len) <
		ARCHIVE_WARN) {
		add_failure(un, "", NULL);
		return 0;
	}
	if (all_members(un, err) < 0)
		return -1;
	if (un->members == 0 && un->troubles == 0 && way->never_empty)
		add_trouble(un, "", REASON_UNSUPPORTED, "an archive without a file");
	return 0;
}

const char *unpack_version(void)
{
	return archive_version_string();
}

static int unpack_kind(struct unpacking *un, enum sniff_kind kind, struct err *err)
{
	if (kind == SNIFF_OPAQUE) {
		add_trouble(un, "", REASON_UNSUPPORTED,
			"an archive or disk image of a kind that cannot be opened");
		return 0;
	}
	if (rar_is_volume(un->bytes) || arj_is_volume(un->bytes)) {
		add_trouble(un, "", REASON_UNSUPPORTED,
			"one volume of an archive of several");
		return 0;
	}
	if (rar_has_streams(un->bytes))
		add_trouble(un, "", REASON_UNSUPPORTED, "streams of NTFS in an archive");
	/* What is stored and encrypted libarchive gives as if it were the file. */
	if (un->is_encrypted)
		add_trouble(un, "", REASON_ENCRYPTED, "encrypted");
	for (size_t i = 0; i < WAYS_MAX && ways[kind][i].format; i++)
		if (one_way(un, &ways[kind][i], err) < 0)
			return -1;
	return 0;
}

int unpack(enum sniff_kind kind, struct span archive, struct unpack_budget *budget,
	const struct unpack_to *to, struct err *err)
{
	struct unpacking un = { .bytes = archive,
		.budget = budget,
		.to = to,
		.is_encrypted = kind == SNIFF_LOCKED || rar5_is_encrypted(archive) };

	result_init(&un.trouble);
	if (unpack_kind(&un, kind, err) < 0)
		return -1;
	/* Chance: not even the header of one file is right. */
	if (!ways[kind][0].is_weak || un.members > 0)
		result_add(to->trouble, &un.trouble);
	return 0;
}
