/* SPDX-License-Identifier: ISC
 *
 * Documents and disk images to be scanned, by hand: compound files, OneNote, CAB, ARJ. */
#ifndef TESTS_SCANNER_MAKE_DOCUMENT_H
#define TESTS_SCANNER_MAKE_DOCUMENT_H

#include "tests/scanner/make_archive.h"

static inline void put_zeros(struct buf *out, size_t count)
{
	uint8_t *room;

	assert_int_equal(buf_reserve(out, count, &room, NULL), 0);
	memset(room, 0, count);
	out->len += count;
}

enum {
	OLE_SECTOR = 512,
	OLE_LARGE = 4096, /* streams from here on have sectors of their own */
	OLE_SMALL_SECTOR = 64,
	OLE_FREE = -1,
	OLE_END = -2,
	OLE_TABLE = -3,
};

/* The root has the stream as its child, the stream has none. */
static inline void put_ole_entry(
	struct buf *out, const char *name, bool is_root, uint32_t start, uint32_t size)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < 32; i++)
		put_number(out, i < len ? (uint8_t)name[i] : 0, 2);
	put_number(out, 2 * (uint32_t)len + 2, 2);
	put_number(out, is_root ? 5 : 2, 1);
	put_number(out, 1, 1); /* black */
	put_number(out, (uint32_t)OLE_FREE, 4);
	put_number(out, (uint32_t)OLE_FREE, 4);
	put_number(out, is_root ? 1 : (uint32_t)OLE_FREE, 4);
	put_zeros(out, 36);
	put_number(out, start, 4);
	put_number(out, size, 4);
	put_zeros(out, 4);
}

static inline void put_ole_chain(struct buf *table, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		put_number(table, i + 1 < count ? first + i + 1 : (uint32_t)OLE_END, 4);
}

/* A compound file with one stream. Sector 0 is the table, 1 the folder, 2 the table of small
 * sectors, then comes the stream: its own sectors, or the root's with the small ones in them. */
static inline void make_ole(struct buf *out, const char *name, struct span data)
{
	bool is_small = data.len < OLE_LARGE;
	uint32_t sectors = (uint32_t)((data.len + OLE_SECTOR - 1) / OLE_SECTOR);
	auto_buf struct buf table, small;

	assert_true(sectors < 100);
	buf_init(&table, OLE_SECTOR);
	buf_init(&small, OLE_SECTOR);
	put_span(out,
		(struct span){ (const uint8_t *)"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8 });
	put_zeros(out, 16);
	put_number(out, 0x0003003e, 4);
	put_number(out, 0x0009fffe, 4);
	put_number(out, 6, 4);
	put_zeros(out, 8);
	put_number(out, 1, 4); /* sectors of the table */
	put_number(out, 1, 4); /* the folder */
	put_zeros(out, 4);
	put_number(out, OLE_LARGE, 4);
	put_number(out, 2, 4);
	put_number(out, 1, 4);
	put_number(out, (uint32_t)OLE_END, 4);
	put_number(out, 0, 4);
	put_number(out, 0, 4);
	for (int i = 1; i < 109; i++)
		put_number(out, (uint32_t)OLE_FREE, 4);
	put_number(&table, (uint32_t)OLE_TABLE, 4);
	put_ole_chain(&table, 1, 1);
	put_ole_chain(&table, 2, 1);
	put_ole_chain(&table, 3, sectors);
	while (table.len < OLE_SECTOR)
		put_number(&table, (uint32_t)OLE_FREE, 4);
	put_span(out, buf_span(&table));
	put_ole_entry(out, "Root Entry", true, is_small ? 3 : (uint32_t)OLE_END,
		is_small ? sectors * OLE_SECTOR : 0);
	put_ole_entry(out, name, false, is_small ? 0 : 3, (uint32_t)data.len);
	put_zeros(out, 256);
	if (is_small)
		put_ole_chain(&small, 0,
			(uint32_t)((data.len + OLE_SMALL_SECTOR - 1) / OLE_SMALL_SECTOR));
	while (small.len < OLE_SECTOR)
		put_number(&small, (uint32_t)OLE_FREE, 4);
	put_span(out, buf_span(&small));
	put_span(out, data);
	put_zeros(out, (size_t)sectors * OLE_SECTOR - data.len);
}

/* A section of OneNote with a file put into it. */
static inline void make_onenote(struct buf *out, struct span data)
{
	static const char section[] =
		"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3";
	static const char file[] =
		"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac";

	put_span(out, (struct span){ (const uint8_t *)section, 16 });
	put_zeros(out, 1008);
	put_span(out, (struct span){ (const uint8_t *)file, 16 });
	put_number(out, (uint32_t)data.len, 4);
	put_zeros(out, 16);
	put_span(out, data);
	put_zeros(out, 64);
}

/* One stored file; size_lie is added to what its header says. */
static inline void make_cab(
	struct buf *out, const char *name, struct span data, uint32_t size_lie)
{
	uint32_t entry = 36 + 8, block = entry + 16 + (uint32_t)strlen(name) + 1;

	put_text(out, "MSCF");
	put_zeros(out, 4);
	put_number(out, block + 8 + (uint32_t)data.len, 4);
	put_zeros(out, 4);
	put_number(out, entry, 4);
	put_zeros(out, 4);
	put_number(out, 0x0103, 2);
	put_number(out, 1, 2); /* folders */
	put_number(out, 1, 2); /* files */
	put_zeros(out, 6);
	put_number(out, block, 4);
	put_number(out, 1, 4); /* one block, stored */
	put_number(out, (uint32_t)data.len + size_lie, 4);
	put_zeros(out, 4);
	put_zeros(out, 2);
	put_number(out, 0x5a21, 2);
	put_number(out, 0, 2);
	put_number(out, 0x20, 2);
	put_text(out, name);
	put_zeros(out, 1);
	put_zeros(out, 4); /* no checksum */
	put_number(out, (uint32_t)data.len, 2);
	put_number(out, (uint32_t)data.len, 2);
	put_span(out, data);
}

enum {
	ARJ_ENCRYPTED = 1,
	ARJ_VOLUMES = 4
};

static inline void put_arj_head(struct buf *out, uint32_t type, uint32_t flags,
	const char *name, struct span data)
{
	auto_buf struct buf head;

	buf_init(&head, OLE_SECTOR);
	put_number(&head, 30, 1);
	put_number(&head, 11, 1);
	put_number(&head, 1, 1);
	put_number(&head, 0, 1); /* of MS-DOS */
	put_number(&head, flags, 1);
	put_number(&head, 0, 1); /* stored */
	put_number(&head, type, 1);
	put_number(&head, 0, 1);
	put_number(&head, 0x5a210000, 4);
	put_number(&head, (uint32_t)data.len, 4);
	put_number(&head, (uint32_t)data.len, 4);
	put_number(&head, data.len > 0 ? crc_of(data) : 0, 4);
	put_zeros(&head, 6);
	put_text(&head, name);
	put_zeros(&head, 2); /* ends the name and the comment */
	put_number(out, 0xea60, 2);
	put_number(out, (uint32_t)head.len, 2);
	put_span(out, buf_span(&head));
	put_number(out, crc_of(buf_span(&head)), 4);
	put_number(out, 0, 2); /* no more of it */
}

static inline void make_arj(
	struct buf *out, const char *name, struct span data, uint32_t flags)
{
	put_arj_head(out, 2, flags & ARJ_VOLUMES, "a.arj", (struct span){ 0 });
	put_arj_head(out, 0, flags & ARJ_ENCRYPTED, name, data);
	put_span(out, data);
	put_number(out, 0xea60, 2);
	put_number(out, 0, 2);
}

/* A PDF with a file in it. encrypt is what its trailer says of that: "/Encrypt 6 0 R" or nothing. */
static inline void make_pdf(struct buf *out, struct span data, const char *encrypt)
{
	put_text(out,
		"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles"
		"<</Names[(e.com) 4 0 R]>>>>>>\nendobj\n"
		"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
		"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\n"
		"4 0 obj\n<</Type/Filespec/F(e.com)/EF<</F 5 0 R>>>>\nendobj\n");
	assert_int_equal(
		buf_printf(out, NULL,
			"5 0 obj\n<</Type/EmbeddedFile/Length %zu>>stream\n", data.len),
		0);
	put_span(out, data);
	put_text(out, "\nendstream\nendobj\n"
		      "6 0 obj\n<</Filter/Standard/V 2/R 3/Length 128/P -4"
		      "/O(0123456789012345678901234567890X)"
		      "/U(0123456789012345678901234567890Y)>>\nendobj\n"
		      "trailer\n<</Size 7/Root 1 0 R/ID[(0123456789abcdef)(x)]");
	put_text(out, encrypt);
	put_text(out, ">>\nstartxref\n0\n%%EOF\n");
}

#endif
