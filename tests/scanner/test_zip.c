/* SPDX-License-Identifier: ISC */
#include "tests/scanner/dissected.h"
#include "tests/scanner/make_document.h"

/* Its offsets may count from the start of the file, too, and a comment may be long. */
static void a_zip_is_found_by_its_end(void **state)
{
	static const struct {
		const char *what, *data;
		uint32_t before, behind;
		enum verdict_kind kind;
	} cases[] = {
		{ "a long comment", EICAR, 0, 60000, VERDICT_INFECTED },
		{ "a long comment, clean", LETTER, 0, 60000, VERDICT_CLEAN },
		{ "bytes before, a long comment", EICAR, 100, 60000, VERDICT_INFECTED },
		{ "bytes before, a long comment, clean", LETTER, 100, 60000,
			VERDICT_CLEAN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int moved = 0; moved < 2; moved++) {
			auto_buf struct buf file;
			size_t end;

			buf_init(&file, FIXTURE_MAX);
			if (cases[i].before > 0)
				put_text(&file, "OggS");
			put_zeros(&file, cases[i].before);
			end = file.len;
			make_zip(&file, "e.com", span_str(cases[i].data), 0);
			/* The offset of the list, of the only entry in it, and the
			 * comment's size. */
			if (moved) {
				size_t list = file.len - 22 - 46 - 5;

				memcpy(file.data + list + 42,
					&(uint32_t){ (uint32_t)end }, 4);
				memcpy(file.data + file.len - 6,
					&(uint32_t){ (uint32_t)list }, 4);
			}
			memcpy(file.data + file.len - 2,
				&(uint16_t){ (uint16_t)cases[i].behind }, 2);
			put_zeros(&file, cases[i].behind);
			assert_result(cases[i].what, moved ? ", moved" : "",
				buf_span(&file), cases[i].kind, REASON_NONE);
		}
}

/* A zip of a letter and one entry more, which is not as it should be. What libclamav 1.4 alone says
 * of each is in the last column: "clean" is what must not be believed. */
static const struct {
	const char *what;
	struct zip_entry entry;
	enum verdict_kind kind;
	enum verdict_reason reason;
	bool alone_is_clean;
} odd_zips[] = {
	{ "stored", { .name = "e.com", .data = EICAR }, VERDICT_INFECTED, REASON_NONE,
		false },
	{ "deflated",
		{ .name = "e.com", .data = EICAR, .method = 8, .is_deflated = true },
		VERDICT_INFECTED, REASON_NONE, false },
	{ "relabelled as reduced", { .name = "e.com", .data = EICAR, .method = 4 },
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED, true },
	{ "relabelled as something unknown",
		{ .name = "e.com", .data = EICAR, .method = 77 }, VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED, true },
	{ "deflated, said to be LZMA",
		{ .name = "e.com", .data = EICAR, .method = 14, .is_deflated = true },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "damaged",
		{ .name = "e.com",
			.data = EICAR,
			.method = 8,
			.is_deflated = true,
			.is_damaged = true },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "a letter, damaged",
		{ .name = "b.txt",
			.data = LETTER,
			.method = 8,
			.is_deflated = true,
			.is_damaged = true },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "not listed at the end",
		{ .name = "e.com", .data = EICAR, .not_in_central = true },
		VERDICT_INFECTED, REASON_NONE, true },
	{ "not listed at the end and not to be read",
		{ .name = "e.com", .data = EICAR, .method = 77, .not_in_central = true },
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED, true },
	{ "only listed at the end",
		{ .name = "e.com", .data = EICAR, .not_in_local = true },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "a letter, longer than it says",
		{ .name = "b.txt",
			.data = LETTER,
			.method = 8,
			.is_deflated = true,
			.size_lie = (uint32_t)-10 },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "longer than it says",
		{ .name = "e.com",
			.data = EICAR,
			.method = 8,
			.is_deflated = true,
			.size_lie = (uint32_t)-10 },
		VERDICT_INFECTED, REASON_NONE, false },
};

static void a_zip_entry_that_is_odd_is_found_or_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(odd_zips) / sizeof(*odd_zips); i++) {
		const struct zip_entry entries[] = { { .name = "a.txt", .data = LETTER },
			odd_zips[i].entry,
			{ .name = "c.txt", .data = "The last of three letters." } };
		auto_buf struct buf zip;
		struct result alone;

		buf_init(&zip, FIXTURE_MAX);
		make_zip_of(&zip, entries, 3);
		engine_scan(f.engine, buf_span(&zip), NULL, &alone);
		if ((alone.kind == VERDICT_CLEAN) != odd_zips[i].alone_is_clean)
			fail_msg("%s: libclamav alone: %s", odd_zips[i].what,
				verdict_name(alone.kind));
		assert_result(odd_zips[i].what, "", buf_span(&zip), odd_zips[i].kind,
			odd_zips[i].reason);
	}
}

static void an_encrypted_zip_is_encrypted_and_nothing_worse(void **state)
{
	static const char *const ways[] = { "zip:encryption=traditional",
		"zip:encryption=aes128", "zip:encryption=aes256" };
	static const struct member members[] = { { "a.txt", LETTER }, { "b.xml", XML } };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		auto_buf struct buf zip;

		buf_init(&zip, FIXTURE_MAX);
		make_archive(&zip, "zip", NULL, ways[i], members, 2);
		assert_result(ways[i], "", buf_span(&zip), VERDICT_UNSCANNABLE,
			REASON_ENCRYPTED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(a_zip_is_found_by_its_end),
		WITH_ENGINE(a_zip_entry_that_is_odd_is_found_or_told),
		WITH_ENGINE(an_encrypted_zip_is_encrypted_and_nothing_worse),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
