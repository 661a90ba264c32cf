/* SPDX-License-Identifier: ISC
 *
 * Archives with a byte or more of them changed. */
#include "tests/scanner/dissected.h"
#include "tests/scanner/hidden.h"

/* Does libarchive, left to itself, still take EICAR out of this? */
static bool is_extractable(struct span bytes)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	uint8_t data[sizeof(EICAR)];
	bool found = false;

	assert_non_null(archive);
	assert_int_equal(archive_read_support_filter_all(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_support_format_all(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_support_format_raw(archive), ARCHIVE_OK);
	if (archive_read_open_memory(archive, bytes.data, bytes.len) == ARCHIVE_OK)
		for (int i = 0; !found && i < 10; i++) {
			la_ssize_t len;

			if (archive_read_next_header(archive, &entry) < ARCHIVE_WARN)
				break;
			len = archive_read_data(archive, data, sizeof(data));
			found = len >= (la_ssize_t)strlen(EICAR) &&
				memcmp(data, EICAR, strlen(EICAR)) == 0;
		}
	(void)archive_read_free(archive);
	return found;
}

/* The same numbers each time. */
static size_t any(uint32_t *seed, size_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

/* Cut off, changed in a bit or a byte, or with a few bytes less or more. */
static void damage(struct span from, uint32_t *seed, struct buf *out)
{
	size_t at = any(seed, from.len), how = any(seed, 5);

	buf_clear(out);
	put_span(out, span_part(from, 0, at));
	if (how == 0)
		return;
	if (how == 1)
		put_number(out, from.data[at] ^ 1U << any(seed, 8), 1);
	else if (how == 2)
		put_number(out, (uint32_t)any(seed, 256), 1);
	else if (how == 3)
		put_number(out, (uint32_t)any(seed, 0xffffff), 3);
	put_span(out, span_part(from, at + (how < 3 ? 1 : how == 3 ? 0 : 3), from.len));
}

enum {
	DAMAGES = 40
};

static void assert_damage_is_told(const char *what, struct span file)
{
	uint32_t seed = 1;
	auto_buf struct buf damaged;

	buf_init(&damaged, FIXTURE_MAX);
	assert_result(what, "", file, VERDICT_INFECTED, REASON_NONE);
	for (int i = 0; i < DAMAGES; i++) {
		damage(file, &seed, &damaged);
		if (scan(buf_span(&damaged)).kind == VERDICT_CLEAN &&
			is_extractable(buf_span(&damaged)))
			fail_msg("%s, damage %d", what, i);
	}
}

/* Whatever is changed in an archive: no crash, no hang, and never clean while it can be unpacked. */
static void a_damaged_archive_that_can_be_unpacked_is_not_clean(void **state)
{
	static const struct member members[] = { { "a.txt", LETTER },
		{ "e.com", EICAR } };
	static const struct {
		const char *format, *filter;
	} cases[] = { { "zip", NULL }, { "7zip", NULL }, { "ustar", NULL },
		{ "pax", "gzip" }, { "gnutar", "xz" }, { "newc", NULL }, { "odc", NULL },
		{ "arbsd", NULL }, { "xar", NULL }, { "raw", "gzip" }, { "raw", "bzip2" },
		{ "raw", "zstd" }, { "raw", "lz4" }, { "raw", "compress" },
		{ "raw", "lzma" } };
	auto_buf struct buf file;

	(void)state;
	buf_init(&file, FIXTURE_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool is_raw = strcmp(cases[i].format, "raw") == 0;

		buf_clear(&file);
		make_archive(&file, cases[i].format, cases[i].filter, NULL,
			members + is_raw, is_raw ? 1 : 2);
		assert_damage_is_told(cases[i].filter ? cases[i].filter : cases[i].format,
			buf_span(&file));
	}
	for (size_t i = 0; i < sizeof(archives) / sizeof(*archives); i++) {
		buf_clear(&file);
		put_text(&file, "words ");
		archives[i].add(&file, span_str(EICAR));
		assert_damage_is_told(archives[i].what, buf_span(&file));
	}
	buf_clear(&file);
	make_rar4(&file, "e.com", span_str(EICAR));
	assert_damage_is_told("RAR 4", buf_span(&file));
	buf_clear(&file);
	make_ole(&file, "__substg1.0_37010102", span_str(EICAR));
	assert_damage_is_told("Outlook", buf_span(&file));
	buf_clear(&file);
	make_pdf(&file, span_str(EICAR), "");
	assert_damage_is_told("PDF", buf_span(&file));
	buf_clear(&file);
	make_onenote(&file, span_str(EICAR));
	assert_damage_is_told("OneNote", buf_span(&file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(a_damaged_archive_that_can_be_unpacked_is_not_clean),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
