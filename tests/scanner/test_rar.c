/* SPDX-License-Identifier: ISC */
#include "tests/scanner/dissected.h"
#include "tests/scanner/make_archive.h"

#include "scanner/rar.h"

static void eicar_in_rar_is_found_at_any_depth(void **state)
{
	void (*const make[])(
		struct buf *, const char *, struct span) = { make_rar4, make_rar5 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		auto_buf struct buf rar, zip, outer;

		buf_init(&rar, FIXTURE_MAX);
		buf_init(&zip, FIXTURE_MAX);
		buf_init(&outer, FIXTURE_MAX);
		make[i](&rar, "e.com", span_str(EICAR));
		assert_infected("rar", buf_span(&rar), "e.com");
		make_zip(&zip, "inner.rar", buf_span(&rar), 0);
		assert_infected("rar in zip", buf_span(&zip), "inner.rar > e.com");
		make_zip(&outer, "inner.zip", buf_span(&zip), 0);
		assert_infected("rar in zip in zip", buf_span(&outer),
			"inner.zip > inner.rar > e.com");
		buf_clear(&outer);
		make[1 - i](&outer, "inner.zip", buf_span(&zip));
		/* Stored, libclamav finds the zip in the raw bytes, without its name. */
		assert_infected(
			"rar in zip in rar", buf_span(&outer), "inner.rar > e.com");
		buf_clear(&outer);
		put_text(&outer, "MZ self-extracting");
		put_span(&outer, buf_span(&rar));
		assert_infected("rar behind a program", buf_span(&outer), "e.com");
	}
}

static void rar_without_a_find_is_clean_and_otherwise_told(void **state)
{
	auto_buf struct buf rar;

	(void)state;
	buf_init(&rar, FIXTURE_MAX);
	make_rar4(&rar, "a.txt", span_str(LETTER));
	assert_result("rar", "", buf_span(&rar), VERDICT_CLEAN, REASON_NONE);
	buf_clear(&rar);
	start_rar5(&rar, false);
	add_rar5(&rar, "folder/a.txt", span_str(LETTER), false);
	add_rar5(&rar, "empty", span_str(""), false);
	end_rar5(&rar);
	assert_result("rar 5", "", buf_span(&rar), VERDICT_CLEAN, REASON_NONE);
	assert_result("cut off", "", span_part(buf_span(&rar), 0, 70),
		VERDICT_UNSCANNABLE, REASON_ERROR);
	buf_clear(&rar);
	start_rar5(&rar, false);
	add_rar5(&rar, "a", span_str("?????????????????????"), true);
	add_rar5(&rar, "e.com", span_str(EICAR), false);
	end_rar5(&rar);
	assert_infected("beside encrypted", buf_span(&rar), "e.com");
	buf_clear(&rar);
	start_rar5(&rar, true);
	add_rar5(&rar, "a", span_str(LETTER), false);
	assert_result(
		"volume", "", buf_span(&rar), VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
	assert_result("nothing but its magic number", "",
		(struct span){ (const uint8_t *)"Rar!\x1a\x07\x01\x00----", 12 },
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
}

static void streams_of_ntfs_in_rar_are_told(void **state)
{
	auto_buf struct buf rar;

	(void)state;
	buf_init(&rar, FIXTURE_MAX);
	start_rar5(&rar, false);
	add_rar5(&rar, "a.txt", span_str(LETTER), false);
	add_rar5_service(&rar, "CMT", span_str("a comment"));
	assert_false(rar_has_streams(buf_span(&rar)));
	assert_result("RAR 5, comment", "", buf_span(&rar), VERDICT_CLEAN, REASON_NONE);
	add_rar5_service(&rar, "STM", span_str(EICAR));
	end_rar5(&rar);
	assert_result("RAR 5, stream", "", buf_span(&rar), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	buf_clear(&rar);
	start_rar4(&rar, 0);
	add_rar4(&rar, "a.txt", span_str(LETTER), 0);
	add_rar4_service(&rar, "CMT", span_str("a comment"));
	assert_false(rar_has_streams(buf_span(&rar)));
	add_rar4_service(&rar, "STM", span_str(EICAR));
	end_rar4(&rar);
	assert_true(rar_has_streams(buf_span(&rar)));
	assert_result("RAR 4, stream", "", buf_span(&rar), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	for (size_t len = 0; len < rar.len; len++)
		(void)rar_has_streams(span_part(buf_span(&rar), 0, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(streams_of_ntfs_in_rar_are_told),
		WITH_ENGINE(eicar_in_rar_is_found_at_any_depth),
		WITH_ENGINE(rar_without_a_find_is_clean_and_otherwise_told),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
