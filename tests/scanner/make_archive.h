/* SPDX-License-Identifier: ISC
 *
 * Archives to be scanned, whole and broken: RAR and zip by hand, byte by byte, others by
 * libarchive's writer. */
#ifndef TESTS_SCANNER_MAKE_ARCHIVE_H
#define TESTS_SCANNER_MAKE_ARCHIVE_H

#include "tests/scanner/fixture.h"

#include <archive.h>
#include <archive_entry.h>

#include "scanner/crc.h"

/* RAR up to version 4: a block is checksum (16 bits), type, flags, size, and what it holds. */
static inline void put_rar4_block(
	struct buf *out, uint32_t type, uint32_t flags, struct span body)
{
	auto_buf struct buf head;

	buf_init(&head, FIXTURE_MAX);
	put_number(&head, type, 1);
	put_number(&head, flags, 2);
	put_number(&head, (uint32_t)body.len + 7, 2);
	put_span(&head, body);
	put_number(out, crc_of(buf_span(&head)) & 0xffff, 2);
	put_span(out, buf_span(&head));
}

enum {
	RAR4_VOLUME = 1,
	RAR4_HEADERS_ENCRYPTED = 0x80,
	RAR4_FILE_ENCRYPTED = 4,
};

static inline void start_rar4(struct buf *out, uint32_t flags)
{
	static const uint8_t reserved[6];

	put_span(out, (struct span){ (const uint8_t *)"Rar!\x1a\x07\x00", 7 });
	put_rar4_block(out, 0x73, flags, (struct span){ reserved, 6 });
}

static inline void add_rar4(
	struct buf *out, const char *name, struct span data, uint32_t flags)
{
	auto_buf struct buf head;

	buf_init(&head, FIXTURE_MAX);
	put_number(&head, (uint32_t)data.len, 4);
	put_number(&head, (uint32_t)data.len, 4);
	put_number(&head, 2, 1); /* Windows */
	put_number(&head, crc_of(data), 4);
	put_number(&head, 0x5a210000, 4);
	put_number(&head, 20, 1);
	put_number(&head, 0x30, 1); /* stored */
	put_number(&head, (uint32_t)strlen(name), 2);
	put_number(&head, 0x20, 4);
	put_text(&head, name);
	put_rar4_block(out, 0x74, 0x8000 | flags, buf_span(&head));
	put_span(out, data);
}

static inline void end_rar4(struct buf *out)
{
	put_rar4_block(out, 0x7b, 0x4000, (struct span){ 0 });
}

static inline void make_rar4(struct buf *out, const char *name, struct span data)
{
	start_rar4(out, 0);
	add_rar4(out, name, data, 0);
	end_rar4(out);
}

/* Version 5's numbers: seven bits a byte. */
static inline void put_vint(struct buf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		put_number(out, (uint32_t)(value & 0x7f) | 0x80, 1);
	put_number(out, (uint32_t)value, 1);
}

static inline void put_rar5_block(struct buf *out, struct span body)
{
	auto_buf struct buf head;

	buf_init(&head, FIXTURE_MAX);
	put_vint(&head, body.len);
	put_span(&head, body);
	put_number(out, crc_of(buf_span(&head)), 4);
	put_span(out, buf_span(&head));
}

static inline void start_rar5(struct buf *out, bool is_volume)
{
	const uint8_t body[] = { 1, 0, is_volume };

	put_span(out, (struct span){ (const uint8_t *)"Rar!\x1a\x07\x01\x00", 8 });
	put_rar5_block(out, (struct span){ body, sizeof(body) });
}

static inline void add_rar5(
	struct buf *out, const char *name, struct span data, bool is_encrypted)
{
	auto_buf struct buf head;

	buf_init(&head, FIXTURE_MAX);
	put_vint(&head, 2); /* a file */
	put_vint(&head, 2 | is_encrypted);
	if (is_encrypted)
		put_vint(&head, 3 + 33);
	put_vint(&head, data.len);
	put_vint(&head, 4); /* there is a checksum */
	put_vint(&head, data.len);
	put_vint(&head, 0x20);
	put_number(&head, crc_of(data), 4);
	put_vint(&head, 0); /* stored */
	put_vint(&head, 0); /* Windows */
	put_vint(&head, strlen(name));
	put_text(&head, name);
	if (is_encrypted) {
		put_vint(&head, 35); /* the size of the record */
		put_vint(&head, 1);  /* encryption */
		for (int i = 0; i < 34; i++)
			put_number(&head, i == 2 ? 15 : 0, 1);
	}
	put_rar5_block(out, buf_span(&head));
	put_span(out, data);
}

/* A service block, "STM" for a stream of NTFS that belongs to the file before it. */
static inline void add_rar5_service(struct buf *out, const char *name, struct span data)
{
	auto_buf struct buf head;

	buf_init(&head, FIXTURE_MAX);
	put_vint(&head, 3);
	put_vint(&head, 2); /* there is data */
	put_vint(&head, data.len);
	put_vint(&head, 0);
	put_vint(&head, data.len);
	put_vint(&head, 0);
	put_vint(&head, 0);
	put_vint(&head, 0);
	put_vint(&head, strlen(name));
	put_text(&head, name);
	put_rar5_block(out, buf_span(&head));
	put_span(out, data);
}

static inline void add_rar4_service(struct buf *out, const char *name, struct span data)
{
	auto_buf struct buf head;

	buf_init(&head, FIXTURE_MAX);
	put_number(&head, (uint32_t)data.len, 4);
	put_number(&head, (uint32_t)data.len, 4);
	put_number(&head, 2, 1);
	put_number(&head, crc_of(data), 4);
	put_number(&head, 0x5a210000, 4);
	put_number(&head, 20, 1);
	put_number(&head, 0x30, 1);
	put_number(&head, (uint32_t)strlen(name), 2);
	put_number(&head, 0, 4);
	put_text(&head, name);
	put_rar4_block(out, 0x7a, 0x8000, buf_span(&head));
	put_span(out, data);
}

static inline void end_rar5(struct buf *out)
{
	static const uint8_t body[] = { 5, 0, 0 };

	put_rar5_block(out, (struct span){ body, sizeof(body) });
}

static inline void make_rar5(struct buf *out, const char *name, struct span data)
{
	start_rar5(out, false);
	add_rar5(out, name, data, false);
	end_rar5(out);
}

/* One entry of a zip, as it is to be told in the two places. */
struct zip_entry {
	const char *name;
	const char *data;
	uint32_t method;
	bool is_deflated;    /* data as a deflate stream that stores */
	bool is_damaged;     /* ... of a block type that does not exist */
	bool not_in_local;   /* listed at the end only */
	bool not_in_central; /* not listed at the end */
	uint32_t size_lie;   /* added to the size, in both */
};

static inline void put_zip_data(struct buf *out, const struct zip_entry *entry)
{
	struct span data = span_str(entry->data);

	if (entry->is_deflated) {
		put_number(out, entry->is_damaged ? 7 : 1, 1);
		put_number(out, (uint32_t)data.len, 2);
		put_number(out, ~(uint32_t)data.len, 2);
	}
	put_span(out, data);
}

static inline void put_zip_head(struct buf *out, const struct zip_entry *entry)
{
	struct span data = span_str(entry->data);

	put_number(out, 20, 2);
	put_number(out, 0, 2);
	put_number(out, entry->method, 2);
	put_number(out, 0x5a210000, 4);
	put_number(out, crc_of(data), 4);
	put_number(out, (uint32_t)data.len + (entry->is_deflated ? 5 : 0), 4);
	put_number(out, (uint32_t)data.len + entry->size_lie, 4);
	put_number(out, (uint32_t)strlen(entry->name), 2);
	put_number(out, 0, 2);
}

static inline void make_zip_of(
	struct buf *out, const struct zip_entry *entries, size_t count)
{
	uint32_t starts[16] = { 0 }, central, listed = 0;

	assert_true(count <= 16);
	for (size_t i = 0; i < count; i++) {
		starts[i] = (uint32_t)out->len;
		if (entries[i].not_in_local)
			continue;
		put_number(out, 0x04034b50, 4);
		put_zip_head(out, &entries[i]);
		put_text(out, entries[i].name);
		put_zip_data(out, &entries[i]);
	}
	central = (uint32_t)out->len;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].not_in_central)
			continue;
		listed++;
		put_number(out, 0x02014b50, 4);
		put_number(out, 20, 2);
		put_zip_head(out, &entries[i]);
		for (int zero = 0; zero < 10; zero++)
			put_number(out, 0, 1);
		put_number(out, entries[i].not_in_local ? central : starts[i], 4);
		put_text(out, entries[i].name);
	}
	put_number(out, 0x06054b50, 4);
	put_number(out, 0, 4);
	put_number(out, listed, 2);
	put_number(out, listed, 2);
	put_number(out, (uint32_t)out->len - central - 12, 4);
	put_number(out, central, 4);
	put_number(out, 0, 2);
}

/* A file for libarchive's writer; without data it is a folder. */
struct member {
	const char *name;
	const char *data;
};

static inline void write_entry(
	struct archive *archive, const char *name, struct span data, bool is_folder)
{
	struct archive_entry *entry = archive_entry_new();

	assert_non_null(entry);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_mode(entry, is_folder ? AE_IFDIR | 0755 : AE_IFREG | 0644);
	archive_entry_set_size(entry, (la_int64_t)data.len);
	if (archive_write_header(archive, entry) != ARCHIVE_OK)
		fail_msg("%s", archive_error_string(archive));
	if (data.len > 0)
		assert_int_equal(archive_write_data(archive, data.data, data.len),
			(la_ssize_t)data.len);
	archive_entry_free(entry);
}

/* format and filter by libarchive's names, options as "zip:compression=store", may be NULL. */
static inline void make_archive(struct buf *out, const char *format, const char *filter,
	const char *options, const struct member *members, size_t count)
{
	struct archive *archive = archive_write_new();
	uint8_t *room;
	size_t used = 0, size = 4UL * 1024 * 1024;

	assert_non_null(archive);
	assert_int_equal(archive_write_set_format_by_name(archive, format), ARCHIVE_OK);
	if (filter)
		assert_int_equal(
			archive_write_add_filter_by_name(archive, filter), ARCHIVE_OK);
	if (options && archive_write_set_options(archive, options) != ARCHIVE_OK)
		fail_msg("%s", archive_error_string(archive));
	(void)archive_write_set_passphrase(archive, "secret");
	assert_int_equal(archive_write_set_bytes_per_block(archive, 0), ARCHIVE_OK);
	assert_int_equal(buf_reserve(out, size, &room, NULL), 0);
	assert_int_equal(
		archive_write_open_memory(archive, room, size, &used), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++)
		write_entry(archive, members[i].name,
			span_str(members[i].data ? members[i].data : ""),
			!members[i].data);
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
	out->len += used;
}

#endif
