/* SPDX-License-Identifier: ISC */
#include "scanner/ole.h"

#include <string.h>

#include "scanner/little.h"

enum {
	HEAD_SIZE = 512,
	SHIFT_AT = 30,
	SHIFT_SMALL = 9, /* sectors of 512 bytes, or of 4096 */
	SHIFT_LARGE = 12,
	MINI_SHIFT = 6,
	FOLDER_AT = 48,
	MINI_LEAST_AT = 56, /* streams that are shorter lie in the root's stream */
	TABLES_NEXT_AT = 68,
	TABLES_AT = 76,
	TABLES_HERE = 109,  /* sectors of the table whose numbers stand in the header */
	TABLES_MAX = 64,    /* sectors of such numbers: of half a gigabyte */
	FOLDERS_MAX = 4096, /* sectors of entries */
	MINI_MAX = 4096,    /* sectors of small streams that are stepped over */
	LOOKS_MAX = 64,     /* into a stream */
	ENTRY_SIZE = 128,
	NAME_MAX_LEN = 31,
	NAME_SIZE_AT = 64,
	TYPE_AT = 66,
	TYPE_STREAM = 2,
	TYPE_ROOT = 5,
	START_AT = 116,
	SIZE_AT = 120,
	WORD_FLAGS_AT = 10,
	WORD_ENCRYPTED = 0x0100,
	EXCEL_PASSWORD = 0x2f, /* a record, soon after the first */
	EXCEL_RECORDS_MAX = 64,
	POWERPOINT_TOKEN_AT = 12,
};

#define POWERPOINT_ENCRYPTED 0xf3d1c4dfU

struct ole {
	struct span bytes;
	unsigned shift;
	uint64_t root; /* the sector where the small streams begin */
	unsigned looks;
};

static struct span sector(const struct ole *ole, uint64_t number)
{
	uint64_t at = (number + 1) << ole->shift;

	if (number > UINT32_MAX || at >= ole->bytes.len)
		return (struct span){ 0 };
	return span_part(ole->bytes, (size_t)at, (size_t)1 << ole->shift);
}

/* The sector that holds a part of the table of chains. */
static uint64_t table_sector(const struct ole *ole, uint64_t index)
{
	uint64_t each = (1U << ole->shift) / 4 - 1;
	uint64_t next = little(ole->bytes, TABLES_NEXT_AT, 4);

	if (index < TABLES_HERE)
		return little(ole->bytes, TABLES_AT + 4 * (size_t)index, 4);
	index -= TABLES_HERE;
	for (int i = 0; i < TABLES_MAX && index >= each; i++, index -= each)
		next = little(sector(ole, next), 4 * (size_t)each, 4);
	return index < each ? little(sector(ole, next), 4 * (size_t)index, 4)
			    : UINT32_MAX;
}

static uint64_t next_sector(const struct ole *ole, uint64_t number)
{
	uint64_t each = (1U << ole->shift) / 4;
	struct span table = sector(ole, table_sector(ole, number / each));

	if (table.len < 4 * each)
		return UINT32_MAX;
	return little(table, 4 * (size_t)(number % each), 4);
}

/* The first bytes of a stream, as many as stand in one piece. */
static struct span first_bytes(struct ole *ole, struct span entry)
{
	uint64_t start = little(entry, START_AT, 4);
	uint64_t at = start << MINI_SHIFT, number = ole->root;

	if (++ole->looks > LOOKS_MAX)
		return (struct span){ 0 };
	if (little(entry, SIZE_AT, 4) >= little(ole->bytes, MINI_LEAST_AT, 4))
		return sector(ole, start);
	for (int i = 0; i < MINI_MAX && at >> ole->shift > 0; i++) {
		number = next_sector(ole, number);
		at -= 1U << ole->shift;
	}
	return span_part(sector(ole, number), (size_t)at, 1U << MINI_SHIFT);
}

static bool is_excel_encrypted(struct span records)
{
	size_t at = 0;

	for (int i = 0; i < EXCEL_RECORDS_MAX && at + 4 <= records.len; i++) {
		if (little(records, at, 2) == EXCEL_PASSWORD)
			return true;
		at += 4 + (size_t)little(records, at + 2, 2);
	}
	return false;
}

/* In ASCII: what is looked for is. */
static void name_of(struct span entry, char name[static NAME_MAX_LEN + 1])
{
	size_t size = (size_t)little(entry, NAME_SIZE_AT, 2), len = 0;

	for (; len < NAME_MAX_LEN && 2 * len + 2 < size; len++) {
		uint64_t c = little(entry, 2 * len, 2);

		name[len] = '?';
		if (c < 0x80)
			name[len] = (char)c;
	}
	name[len] = '\0';
}

static bool tells(struct ole *ole, struct span entry)
{
	char name[NAME_MAX_LEN + 1];

	if (little(entry, TYPE_AT, 1) != TYPE_STREAM)
		return false;
	name_of(entry, name);
	if (strcasecmp(name, "EncryptedPackage") == 0 ||
		strcasecmp(name, "EncryptedSummary") == 0)
		return true;
	if (strcasecmp(name, "WordDocument") == 0)
		return little(first_bytes(ole, entry), WORD_FLAGS_AT, 2) & WORD_ENCRYPTED;
	if (strcasecmp(name, "Workbook") == 0 || strcasecmp(name, "Book") == 0)
		return is_excel_encrypted(first_bytes(ole, entry));
	if (strcasecmp(name, "Current User") == 0)
		return little(first_bytes(ole, entry), POWERPOINT_TOKEN_AT, 4) ==
		       POWERPOINT_ENCRYPTED;
	return false;
}

bool ole_is_encrypted(struct span bytes)
{
	struct ole ole = { bytes, (unsigned)little(bytes, SHIFT_AT, 2), UINT32_MAX, 0 };
	uint64_t number = little(bytes, FOLDER_AT, 4);

	if (bytes.len < HEAD_SIZE ||
		memcmp(bytes.data, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) != 0 ||
		(ole.shift != SHIFT_SMALL && ole.shift != SHIFT_LARGE))
		return false;
	for (int i = 0; i < FOLDERS_MAX; i++, number = next_sector(&ole, number)) {
		struct span folder = sector(&ole, number);

		if (folder.len < ENTRY_SIZE)
			return false;
		for (size_t at = 0; at + ENTRY_SIZE <= folder.len; at += ENTRY_SIZE) {
			struct span entry = span_part(folder, at, ENTRY_SIZE);

			if (little(entry, TYPE_AT, 1) == TYPE_ROOT)
				ole.root = little(entry, START_AT, 4);
			if (tells(&ole, entry))
				return true;
		}
	}
	return false;
}
