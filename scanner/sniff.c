/* SPDX-License-Identifier: ISC */
#include "scanner/sniff.h"

#include <string.h>

#include "scanner/rar.h"

enum {
	RAR_MAGICS_MAX =
		1000, /* in one file, none of them an archive: that is no chance */
	TAR_MAGIC_AT = 257,
	ISO_MAGIC_AT = 0x8001,
};

static const struct {
	enum sniff_kind kind;
	size_t at, len;
	const char *magic;
} magics[] = {
	{ SNIFF_RAR, 0, 7, "Rar!\x1a\x07\x00" },
	{ SNIFF_RAR5, 0, 8, "Rar!\x1a\x07\x01\x00" },
	{ SNIFF_ZIP, 0, 4, "PK\x03\x04" },
	{ SNIFF_ZIP, 0, 8, "PK00PK\x03\x04" },
	{ SNIFF_ZIP, 0, 8, "PK\x07\x08PK\x03\x04" },
	{ SNIFF_7ZIP, 0, 6, "7z\xbc\xaf\x27\x1c" },
	{ SNIFF_TAR, TAR_MAGIC_AT, 5, "ustar" },
	{ SNIFF_CPIO, 0, 6, "070701" },
	{ SNIFF_CPIO, 0, 6, "070702" },
	{ SNIFF_CPIO, 0, 6, "070707" },
	{ SNIFF_CPIO, 0, 2, "\xc7\x71" },
	{ SNIFF_CPIO, 0, 2, "\x71\xc7" },
	{ SNIFF_AR, 0, 8, "!<arch>\n" },
	{ SNIFF_LHA, 2, 3, "-lh" },
	{ SNIFF_LHA, 2, 3, "-lz" },
	{ SNIFF_RPM, 0, 4, "\xed\xab\xee\xdb" },
	{ SNIFF_GZIP, 0, 3, "\x1f\x8b\x08" },
	{ SNIFF_BZIP2, 0, 3, "BZh" },
	{ SNIFF_XZ, 0, 6,
		"\xfd"
		"7zXZ\x00" },
	{ SNIFF_LZIP, 0, 4, "LZIP" },
	{ SNIFF_LZ4, 0, 4, "\x04\x22\x4d\x18" },
	{ SNIFF_ZSTD, 0, 4, "\x28\xb5\x2f\xfd" },
	{ SNIFF_COMPRESS, 0, 2, "\x1f\x9d" },
	{ SNIFF_LZMA, 0, 3, "\x5d\x00\x00" },
	{ SNIFF_XAR, 0, 4, "xar!" },
	{ SNIFF_OPAQUE, 7, 7, "**ACE**" },
	{ SNIFF_OPAQUE, 0, 8, "MSWIM\x00\x00\x00" },
	{ SNIFF_OPAQUE, 0, 8, "vhdxfile" },
	{ SNIFF_OPAQUE, 0, 8, "conectix" }, /* VHD */
	{ SNIFF_OPAQUE, 0, 4, "LRZI" },
	{ SNIFF_OPAQUE, 0, 9, "\x89LZO\x00\r\n\x1a\n" },
	{ SNIFF_OPAQUE, 20, 4, "\xdc\xa7\xc4\xfd" }, /* ZOO */
	{ SNIFF_OPAQUE, 0, 8, "StuffIt " },
	{ SNIFF_OPAQUE, 10, 4, "rLau" }, /* StuffIt before that */
	{ SNIFF_OPAQUE, 0, 4, "hsqs" },  /* SquashFS */
	{ SNIFF_ISO, ISO_MAGIC_AT, 5, "CD001" },
};

static enum sniff_kind kind_at_start(struct span bytes)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		struct span here = span_part(bytes, magics[i].at, magics[i].len);

		if (here.len != magics[i].len ||
			memcmp(here.data, magics[i].magic, here.len) != 0)
			continue;
		/* "-lh5-", "-lz4-": the hyphen behind tells it from text. */
		if (magics[i].kind == SNIFF_LHA &&
			(bytes.len < 7 || bytes.data[6] != '-'))
			continue;
		return magics[i].kind;
	}
	return SNIFF_NONE;
}

enum sniff_kind sniff(struct span bytes, size_t *start_r)
{
	enum sniff_kind kind = kind_at_start(bytes);
	size_t at = 0;

	for (unsigned magics_seen = 0; kind == SNIFF_NONE; at++) {
		ptrdiff_t found = span_find(span_part(bytes, at, bytes.len), rar_magic);

		if (found < 0)
			return SNIFF_NONE;
		at += (size_t)found;
		if (rar_starts(span_part(bytes, at, bytes.len)))
			kind = kind_at_start(span_part(bytes, at, bytes.len));
		if (kind == SNIFF_NONE && ++magics_seen == RAR_MAGICS_MAX)
			kind = SNIFF_RAR;
		if (kind != SNIFF_NONE)
			break;
	}
	*start_r = at;
	return kind;
}
