/* SPDX-License-Identifier: ISC */
#include "tests/scanner/dissected.h"
#include "tests/scanner/make_document.h"

#include "scanner/alone.h"

static void what_libclamav_alone_opens_must_give_all_that_it_lists(void **state)
{
	auto_buf struct buf file;

	(void)state;
	buf_init(&file, FIXTURE_MAX);
	make_cab(&file, "e.com", span_str(EICAR), 0);
	assert_result("CAB", "", buf_span(&file), VERDICT_INFECTED, REASON_NONE);
	buf_clear(&file);
	make_cab(&file, "e.com", span_str(EICAR), 100);
	assert_result("CAB, too short", "", buf_span(&file), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	assert_result("CAB, cut off", "", span_part(buf_span(&file), 0, file.len - 20),
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
	buf_clear(&file);
	make_arj(&file, "e.com", span_str(EICAR), ARJ_ENCRYPTED);
	assert_result("ARJ, encrypted", "", buf_span(&file), VERDICT_UNSCANNABLE,
		REASON_ENCRYPTED);
	buf_clear(&file);
	make_arj(&file, "a.txt", span_str(LETTER), ARJ_VOLUMES);
	assert_result("ARJ, a volume", "", buf_span(&file), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	buf_clear(&file);
	put_text(&file, "ITSF");
	put_zeros(&file, 5000);
	assert_result("CHM, damaged", "", buf_span(&file), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
}

static const struct {
	const char *what;
	struct {
		char how; /* l: looked at, n: listed ("name") */
		const char *type;
		uint32_t level;
		uint64_t size;
	} calls[5];
	bool is_missing;
} lists[] = {
	{ "nothing", { { 0 } }, false },
	{ "all",
		{ { 'l', "CL_TYPE_MSCAB", 0, 99 }, { 'n', "CL_TYPE_MSCAB", 0, 9 },
			{ 'l', "CL_TYPE_TEXT_ASCII", 1, 9 } },
		false },
	{ "tiny", { { 'l', "CL_TYPE_MSCAB", 0, 99 }, { 'n', "CL_TYPE_MSCAB", 0, 5 } },
		false },
	{ "none", { { 'l', "CL_TYPE_MSCHM", 0, 99 } }, true },
	{ "none, then another",
		{ { 'l', "CL_TYPE_SIS", 1, 99 }, { 'l', "CL_TYPE_TEXT_ASCII", 1, 9 } },
		true },
	{ "one, not listed",
		{ { 'l', "CL_TYPE_SIS", 1, 99 }, { 'l', "CL_TYPE_TEXT_ASCII", 2, 9 } },
		false },
	{ "short",
		{ { 'l', "CL_TYPE_ARJ", 0, 99 }, { 'n', "CL_TYPE_ARJ", 0, 9 },
			{ 'l', "CL_TYPE_TEXT_ASCII", 1, 8 } },
		true },
	{ "first of two",
		{ { 'l', "CL_TYPE_ARJ", 0, 99 }, { 'n', "CL_TYPE_ARJ", 0, 9 },
			{ 'n', "CL_TYPE_ARJ", 0, 8 },
			{ 'l', "CL_TYPE_TEXT_ASCII", 1, 8 } },
		true },
	{ "last of two",
		{ { 'l', "CL_TYPE_ARJ", 0, 99 }, { 'n', "CL_TYPE_ARJ", 0, 9 },
			{ 'l', "CL_TYPE_ZIP", 1, 9 }, { 'n', "CL_TYPE_ARJ", 0, 8 } },
		true },
	{ "by chance",
		{ { 'l', "CL_TYPE_MSEXE", 0, 99 }, { 'n', "CL_TYPE_MSCAB", 0, 9 } },
		false },
	{ "beside",
		{ { 'l', "CL_TYPE_MSCAB", 1, 99 }, { 'n', "CL_TYPE_MSCAB", 1, 9 },
			{ 'l', "CL_TYPE_ZIP", 2, 9 }, { 'l', "CL_TYPE_MSEXE", 1, 99 },
			{ 'n', "CL_TYPE_MSCAB", 1, 7 } },
		false },
	{ "passed over", { { 'l', "", 0, 99 } }, false },
	{ "deep", { { 'l', "CL_TYPE_MSCAB", 1000, 99 } }, true },
};

static void a_list_is_held_against_what_was_looked_at(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct alone alone = { 0 };

		for (size_t k = 0; k < 5 && lists[i].calls[k].type; k++)
			if (lists[i].calls[k].how == 'l')
				alone_layer(&alone, lists[i].calls[k].type,
					lists[i].calls[k].level, lists[i].calls[k].size);
			else
				alone_listed(&alone, lists[i].calls[k].type,
					lists[i].calls[k].size);
		if (alone_end(&alone) != lists[i].is_missing)
			fail_msg("%s", lists[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(what_libclamav_alone_opens_must_give_all_that_it_lists),
		cmocka_unit_test(a_list_is_held_against_what_was_looked_at),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
