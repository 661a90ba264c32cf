/* SPDX-License-Identifier: ISC */
#include "scanner/sniff.h"

#include <string.h>

#include "scanner/heads.h"
#include "scanner/little.h"
#include "scanner/ole.h"
#include "scanner/pdf.h"
#include "scanner/rar.h"
#include "scanner/zip.h"

enum {
	MAGICS_MAX = 1000,  /* in one file, none of them an archive: that is no chance */
	SKIPPED_MAX = 1000, /* frames of LZ4 and Zstandard that hold nothing */
	LZMA_HEAD = 13,
	TAR_MAGIC_AT = 257,
	ISO_MAGIC_AT = 0x8001,
	CPIO_NAME_MAX = 4096,
	ISO_SECTOR = 2048,
	UDF_SECTORS = 64,  /* looked through for its mark, from the same place on */
	DISK_LEAST = 8192, /* bytes; a boot sector alone holds no file */
	VHD_FOOTER = 512,
	VHD_FOOTER_OLD = 511,
};

#define LZMA_SIZE_MAX (1ULL << 40)

static const struct magic {
	enum sniff_kind kind;
	size_t at, len;
	const char *bytes;
	size_t least; /* size of the whole */
} magics[] = {
	{ SNIFF_RAR, 0, 7, "Rar!\x1a\x07\x00", 0 },
	{ SNIFF_RAR5, 0, 8, "Rar!\x1a\x07\x01\x00", 0 },
	{ SNIFF_ZIP, 0, 4, "PK\x03\x04", 0 },
	{ SNIFF_ZIP, 0, 8, "PK00PK\x03\x04", 0 },
	{ SNIFF_ZIP, 0, 8, "PK\x07\x08PK\x03\x04", 0 },
	{ SNIFF_7ZIP, 0, 6, "7z\xbc\xaf\x27\x1c", 0 },
	{ SNIFF_TAR, TAR_MAGIC_AT, 5, "ustar", 0 },
	{ SNIFF_CPIO, 0, 6, "070701", 0 },
	{ SNIFF_CPIO, 0, 6, "070702", 0 },
	{ SNIFF_CPIO, 0, 6, "070707", 0 },
	{ SNIFF_CPIO, 0, 2, "\xc7\x71", 0 },
	{ SNIFF_CPIO, 0, 2, "\x71\xc7", 0 },
	{ SNIFF_AR, 0, 8, "!<arch>\n", 0 },
	{ SNIFF_LHA, 2, 3, "-lh", 0 },
	{ SNIFF_LHA, 2, 3, "-lz", 0 },
	{ SNIFF_LHA, 2, 3, "-pm", 0 },
	{ SNIFF_RPM, 0, 4, "\xed\xab\xee\xdb", 0 },
	{ SNIFF_GZIP, 0, 3, "\x1f\x8b\x08", 0 },
	{ SNIFF_BZIP2, 0, 3, "BZh", 0 },
	{ SNIFF_XZ, 0, 6,
		"\xfd"
		"7zXZ\x00",
		0 },
	{ SNIFF_LZIP, 0, 4, "LZIP", 0 },
	{ SNIFF_LZ4, 0, 4, "\x04\x22\x4d\x18", 0 },
	{ SNIFF_LZ4, 0, 4, "\x02\x21\x4c\x18", 0 },
	{ SNIFF_ZSTD, 0, 4, "\x28\xb5\x2f\xfd", 0 },
	{ SNIFF_COMPRESS, 0, 2, "\x1f\x9d", 0 },
	{ SNIFF_LZMA, 0, 3, "\x5d\x00\x00", 0 },
	{ SNIFF_XAR, 0, 4, "xar!", 0 },
	{ SNIFF_OPAQUE, 7, 7, "**ACE**", 0 },
	{ SNIFF_OPAQUE, 0, 8, "MSWIM\x00\x00\x00", 0 },
	{ SNIFF_OPAQUE, 0, 4, "LRZI", 0 },
	{ SNIFF_OPAQUE, 0, 9, "\x89LZO\x00\r\n\x1a\n", 0 },
	{ SNIFF_OPAQUE, 20, 4, "\xdc\xa7\xc4\xfd", 0 }, /* ZOO */
	{ SNIFF_OPAQUE, 0, 8, "StuffIt ", 0 },
	{ SNIFF_OPAQUE, 10, 4, "rLau", 0 }, /* StuffIt before that */
	{ SNIFF_OPAQUE, 0, 8, "KWAJ\x88\xf0\x27\xd1", 0 },
	{ SNIFF_OPAQUE, 0, 8, "SZ \x88\xf0\x27\x33\xd1", 0 },
	{ SNIFF_OPAQUE, 0, 4, "hsqs", 0 }, /* SquashFS */
	{ SNIFF_OPAQUE, 0, 8, "vhdxfile", 0 },
	{ SNIFF_OPAQUE, 0, 8, "conectix", 0 }, /* VHD */
	{ SNIFF_OPAQUE, 0, 4, "QFI\xfb", 0 },
	{ SNIFF_OPAQUE, 0, 4, "KDMV", 0 },              /* VMDK */
	{ SNIFF_OPAQUE, 64, 4, "\x7f\x10\xda\xbe", 0 }, /* VDI */
	{ SNIFF_OPAQUE, 54, 5, "FAT12", DISK_LEAST },
	{ SNIFF_OPAQUE, 54, 5, "FAT16", DISK_LEAST },
	{ SNIFF_OPAQUE, 82, 5, "FAT32", DISK_LEAST },
	{ SNIFF_OPAQUE, 3, 8, "NTFS    ", DISK_LEAST },
	{ SNIFF_OPAQUE, 3, 8, "EXFAT   ", DISK_LEAST },
	{ SNIFF_ISO, ISO_MAGIC_AT, 5, "CD001", 0 },
};

static bool stands(struct span bytes, size_t at, const char *text, size_t len)
{
	struct span here = span_part(bytes, at, len);

	return here.len == len && memcmp(here.data, text, len) == 0;
}

/* LZ4 and Zstandard may begin with frames that are to be skipped, alike in both. */
static size_t skipped(struct span bytes)
{
	size_t at = 0;

	for (int i = 0; i < SKIPPED_MAX; i++) {
		struct span frame = span_part(bytes, at, bytes.len);

		if (frame.len < 8 || (little(frame, 0, 4) & 0xfffffff0) != 0x184d2a50 ||
			little(frame, 4, 4) > frame.len - 8)
			break;
		at += 8 + little(frame, 4, 4);
	}
	return at;
}

/* "-lh5-", "-lz4-": the hyphen behind tells it from text. */
static bool is_lha(struct span bytes)
{
	return bytes.len >= 7 && bytes.data[6] == '-';
}

/* The two bytes of the old cpio are soon met by chance: a file has a type and a name. */
static bool is_old_cpio(struct span bytes)
{
	bool is_little = bytes.data[0] == 0xc7;
	uint64_t type = little(bytes, is_little ? 7 : 6, 1) >> 4;
	uint64_t name = little(bytes, is_little ? 20 : 21, 1) |
			little(bytes, is_little ? 21 : 20, 1) << 8;
	bool is_known = type == 0 || type == 1 || type == 2 || type == 4 || type == 6 ||
			type == 8 || type == 10 || type == 12;

	return is_known && name > 0 && name <= CPIO_NAME_MAX;
}

/* As compress(1) writes them: codes of 9 to 16 bits, and two bits free. */
static bool is_compress(struct span bytes)
{
	uint64_t flags = little(bytes, 2, 1), bits = flags & 0x1f;

	return !(flags & 0x60) && bits >= 9 && bits <= 16;
}

/* Of the kind without a magic number: a dictionary of 2^n or 3 * 2^n bytes, a size that is not known
 * or could be one, and 0. */
static bool is_lzma(struct span bytes)
{
	uint64_t dictionary = little(bytes, 1, 4), size = little(bytes, 5, 8);
	uint64_t lowest = dictionary & -dictionary;

	return bytes.len > LZMA_HEAD && bytes.data[LZMA_HEAD] == 0 &&
	       (dictionary == lowest || dictionary == 3 * lowest ||
		       dictionary == UINT32_MAX) &&
	       (size == UINT64_MAX || size < LZMA_SIZE_MAX);
}

static bool is_chance(const struct magic *magic, struct span bytes)
{
	return (magic->kind == SNIFF_LHA && !is_lha(bytes)) ||
	       (magic->kind == SNIFF_COMPRESS && !is_compress(bytes)) ||
	       (magic->kind == SNIFF_LZMA && !is_lzma(bytes)) ||
	       (magic->kind == SNIFF_CPIO && magic->len == 2 && !is_old_cpio(bytes));
}

static bool is_vhd(struct span bytes)
{
	return (bytes.len > VHD_FOOTER &&
		       stands(bytes, bytes.len - VHD_FOOTER, "conectix", 8)) ||
	       (bytes.len > VHD_FOOTER_OLD &&
		       stands(bytes, bytes.len - VHD_FOOTER_OLD, "conectix", 8));
}

/* Linux knows its own by two bytes. Here two more fields must be sound. */
static bool is_ext(struct span bytes)
{
	return bytes.len >= DISK_LEAST && stands(bytes, 1080, "\x53\xef", 2) &&
	       little(bytes, 1048, 4) <= 6 && little(bytes, 1100, 4) <= 1;
}

static bool is_udf(struct span bytes)
{
	for (size_t i = 0; i < UDF_SECTORS; i++)
		if (stands(bytes, ISO_MAGIC_AT + i * ISO_SECTOR, "NSR0", 4))
			return true;
	return false;
}

static enum sniff_kind kind_at_start(struct span bytes)
{
	struct span unskipped = span_part(bytes, skipped(bytes), bytes.len);

	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		const struct magic *magic = &magics[i];

		if (bytes.len < magic->least ||
			!stands(bytes, magic->at, magic->bytes, magic->len) ||
			is_chance(magic, bytes))
			continue;
		return magic->kind;
	}
	if (stands(unskipped, 0, "\x28\xb5\x2f\xfd", 4))
		return SNIFF_ZSTD;
	if (stands(unskipped, 0, "\x04\x22\x4d\x18", 4))
		return SNIFF_LZ4;
	if (arj_length(bytes) > 0)
		return SNIFF_ARJ;
	if (is_old_tar(bytes))
		return SNIFF_TAR;
	return SNIFF_NONE;
}

/* What programs look for behind other bytes, and how they tell it from chance: by how long it may
 * be, or 0. What an archive of the same kind holds is its own affair. A CAB has no checksum of its
 * header, and an installer (a compound file) scatters it: what stands behind its start then is no
 * file. */
static const struct embedded {
	struct span magic;
	size_t (*length)(struct span bytes);
	enum sniff_kind kind;
	enum sniff_kind unless; /* it begins with this */
} embedded[] = {
	{ { (const uint8_t *)"Rar!\x1a\x07\x00", 7 }, rar_length, SNIFF_RAR, SNIFF_RAR },
	{ { (const uint8_t *)"Rar!\x1a\x07\x01\x00", 8 }, rar_length, SNIFF_RAR5,
		SNIFF_RAR5 },
	{ { (const uint8_t *)"7z\xbc\xaf\x27\x1c", 6 }, sevenzip_length, SNIFF_7ZIP,
		SNIFF_7ZIP },
	{ { (const uint8_t *)"\x60\xea", 2 }, arj_length, SNIFF_AS_FILE, SNIFF_ARJ },
	{ { (const uint8_t *)"MSCF\0\0\0\0", 8 }, cab_length, SNIFF_MAYBE_FILE,
		SNIFF_NONE },
};

struct sniffing {
	struct span bytes;
	struct sniffed *list;
	size_t count;
};

static void add(struct sniffing *sn, enum sniff_kind kind, size_t start, size_t end)
{
	if (kind != SNIFF_NONE && sn->count < SNIFFED_MAX)
		sn->list[sn->count++] = (struct sniffed){ kind, start, end - start };
}

static void look_behind(struct sniffing *sn, const struct embedded *what)
{
	unsigned seen = 0;

	for (size_t at = 1; at < sn->bytes.len; at++) {
		struct span rest = span_part(sn->bytes, at, sn->bytes.len);
		ptrdiff_t found = span_find(rest, what->magic);
		size_t length;

		if (found < 0)
			return;
		at += (size_t)found;
		length = what->length(span_part(sn->bytes, at, sn->bytes.len));
		if (length > 0) {
			add(sn, what->kind, at, at + length);
			return;
		}
		if (++seen == MAGICS_MAX) {
			add(sn, SNIFF_OPAQUE, at, sn->bytes.len);
			return;
		}
	}
}

/* A zip is known by its end, wherever it starts. */
static void look_at_end(struct sniffing *sn)
{
	struct zip_place zips[ZIP_PLACES_MAX];
	size_t count = zip_places(sn->bytes, zips);

	for (size_t i = 0; i < count; i++)
		if (i == 0 && zips[i].start == 0 && sn->count > 0 &&
			sn->list[0].kind == SNIFF_ZIP)
			/* What stands behind it, some readers stumble over. */
			sn->list[0].len = zips[i].end;
		else
			add(sn, SNIFF_ZIP_END, zips[i].start, zips[i].end);
}

void sniff(struct span bytes, struct sniffed list[static SNIFFED_MAX], size_t *count_r)
{
	struct sniffing sn = { bytes, list, 0 };
	enum sniff_kind first = kind_at_start(bytes);
	enum pdf_encryption pdf = pdf_encryption(bytes);

	add(&sn, first, 0, bytes.len);
	look_at_end(&sn);
	if (is_vhd(bytes) || is_ext(bytes) || is_udf(bytes))
		add(&sn, SNIFF_OPAQUE, 0, bytes.len);
	if (pdf == PDF_OVERSEEN)
		add(&sn, SNIFF_PDF, 0, bytes.len);
	if (pdf == PDF_AMBIGUOUS || ole_is_encrypted(bytes))
		add(&sn, SNIFF_LOCKED, 0, bytes.len);
	for (size_t i = 0; i < sizeof(embedded) / sizeof(*embedded); i++)
		if (first == SNIFF_NONE || first != embedded[i].unless)
			look_behind(&sn, &embedded[i]);
	*count_r = sn.count;
}
