/* SPDX-License-Identifier: ISC
 *
 * Disk images: none that hides a file is clean. */
#include "tests/scanner/dissected.h"
#include "tests/scanner/make_document.h"

static void put_disk(struct buf *out, size_t at, const char *mark, size_t len)
{
	buf_clear(out);
	put_zeros(out, 160UL * 1024);
	memcpy(out->data + at, mark, len);
	memcpy(out->data + 510, "\x55\xaa", 2);
}

static void disk_images_that_nobody_opens_are_unsupported(void **state)
{
	static const struct {
		const char *what;
		size_t at, len;
		const char *mark;
	} cases[] = {
		{ "FAT 12", 54, BYTES("FAT12   ") },
		{ "FAT 16", 54, BYTES("FAT16   ") },
		{ "FAT 32", 82, BYTES("FAT32   ") },
		{ "NTFS", 3, BYTES("NTFS    ") },
		{ "exFAT", 3, BYTES("EXFAT   ") },
		{ "ext", 1080, BYTES("\x53\xef") },
		{ "UDF", 0x8001 + 2048, BYTES("NSR02") },
		{ "later UDF", 0x8001 + 2 * 2048, BYTES("NSR03") },
		{ "fixed VHD", 160UL * 1024 - 512, BYTES("conectix") },
		{ "VHDX", 0, BYTES("vhdxfile") },
		{ "VMDK", 0, BYTES("KDMV") },
		{ "qcow2", 0, BYTES("QFI\xfb") },
		{ "VDI", 64, BYTES("\x7f\x10\xda\xbe") },
	};
	auto_buf struct buf disk;

	(void)state;
	buf_init(&disk, FIXTURE_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put_disk(&disk, cases[i].at, cases[i].mark, cases[i].len);
		assert_result(cases[i].what, "", buf_span(&disk), VERDICT_UNSCANNABLE,
			REASON_UNSUPPORTED);
	}
	/* A boot sector alone. */
	put_disk(&disk, 54, "FAT12   ", 8);
	assert_result("boot sector", "", span_part(buf_span(&disk), 0, 512),
		VERDICT_CLEAN, REASON_NONE);
}

/* The same file, seen in the ISO 9660 list of names or only in the one of UDF. */
static void an_iso_image_that_is_udf_too_is_not_clean(void **state)
{
	static const struct member letter = { "a.txt", LETTER };
	auto_buf struct buf image;

	(void)state;
	buf_init(&image, FIXTURE_MAX);
	make_archive(&image, "iso9660", NULL, NULL, &letter, 1);
	assert_result("ISO", "", buf_span(&image), VERDICT_CLEAN, REASON_NONE);
	put_zeros(&image, 64UL * 1024);
	memcpy(image.data + 0x8001 + 20UL * 2048, "NSR02", 5);
	assert_result(
		"and UDF", "", buf_span(&image), VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(disk_images_that_nobody_opens_are_unsupported),
		WITH_ENGINE(an_iso_image_that_is_udf_too_is_not_clean),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
