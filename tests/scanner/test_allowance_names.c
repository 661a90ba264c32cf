/* SPDX-License-Identifier: ISC
 *
 * What a client allows by its name is passed over, and nothing else with it. */
#include "tests/scanner/allowed.h"

static void allowed_names_do_not_hide_the_one_that_is_not(void **state)
{
	static const char *const hows[] = { "part", "text", "zip", "rar", "parts" };

	(void)state;
	for (int how = 0; how < 5; how++)
		for (size_t other = 0; other < SIGNATURES; other++) {
			auto_allow struct allow allow = { 0 };
			auto_buf struct buf mail;
			char wanted[100];

			make_many(&mail, how);
			for (size_t i = 0; i < SIGNATURES; i++)
				if (i != other)
					assert_int_equal(
						allow_add_name(&allow, names[i], NULL),
						0);
			(void)snprintf(wanted, sizeof(wanted), "infected %s.UNOFFICIAL",
				names[other]);
			assert_scan(hows[how], buf_span(&mail), &allow, wanted);
		}
}

static void all_names_allowed_are_clean_and_said(void **state)
{
	auto_allow struct allow allow = { 0 };

	(void)state;
	for (size_t i = 0; i < SIGNATURES; i++)
		assert_int_equal(allow_add_name(&allow, names[i], NULL), 0);
	for (int how = 0; how < 5; how++) {
		DEFER(verdict_done) struct verdict verdict;
		auto_buf struct buf mail;

		make_many(&mail, how);
		scan(buf_span(&mail), &allow, &verdict);
		assert_int_equal(verdict.kind, VERDICT_CLEAN);
		assert_non_null(verdict_allowed(&verdict));
		for (size_t i = 0; i < SIGNATURES; i++)
			assert_non_null(strstr(verdict.detail, names[i]));
	}
}

static void a_name_is_allowed_as_it_is_shown_and_without_unofficial(void **state)
{
	static const char *const lists[] = { "Own.One.UNOFFICIAL", "Own.One",
		"Eicar-Test-Signature" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		auto_allow struct allow allow = { 0 };
		auto_buf struct buf mail;

		assert_int_equal(allow_add_name(&allow, lists[i], NULL), 0);
		start_mail(&mail);
		attach(&mail, span_str(i < 2 ? ONE : EICAR));
		put_text(&mail, END);
		assert_scan(lists[i], buf_span(&mail), &allow,
			i < 2 ? "clean allowed: Own.One.UNOFFICIAL"
			      : "clean allowed: Eicar-Test-Signature");
	}
}

static void a_name_that_only_resembles_it_is_not_allowed(void **state)
{
	static const char *const others[] = { "Own.On", "Own.One.", "own.one", "One",
		"Own.One.UNOFFICIAL.UNOFFICIAL", ".UNOFFICIAL" };
	auto_allow struct allow allow = { 0 };
	auto_buf struct buf mail;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(allow_add_name(&allow, others[i], NULL), 0);
	start_mail(&mail);
	attach(&mail, span_str(ONE));
	put_text(&mail, END);
	assert_scan("similar", buf_span(&mail), &allow, "infected Own.One.UNOFFICIAL");
}

static void what_the_next_client_allows_is_its_own(void **state)
{
	auto_allow struct allow allow = { 0 };
	auto_buf struct buf mail;

	(void)state;
	make_many(&mail, 4);
	for (size_t i = 0; i < SIGNATURES; i++)
		assert_int_equal(allow_add_name(&allow, names[i], NULL), 0);
	for (int round = 0; round < 2; round++) {
		DEFER(verdict_done) struct verdict verdict;

		scan(buf_span(&mail), round ? NULL : &allow, &verdict);
		assert_int_equal(verdict.kind, round ? VERDICT_INFECTED : VERDICT_CLEAN);
		assert_int_equal(verdict.detail[0] != '\0', round == 0);
	}
}

static void a_limit_and_an_encrypted_file_cannot_be_allowed(void **state)
{
	static const char *const unseen[] = { "Heuristics.Limits.Exceeded.MaxFileSize",
		"Heuristics.Limits.Exceeded.MaxScanSize",
		"Heuristics.Limits.Exceeded.MaxFiles", "Heuristics.Limits.Exceeded",
		"Heuristics.Encrypted.Zip" };
	auto_allow struct allow allow = { 0 };
	auto_buf struct buf large, locked, bytes;

	(void)state;
	buf_init(&bytes, FIXTURE_MAX);
	for (size_t i = 0; i < sizeof(unseen) / sizeof(*unseen); i++)
		assert_int_equal(allow_add_name(&allow, unseen[i], NULL), 0);
	start_mail(&large);
	for (int i = 0; i < 100000; i++)
		put_text(&bytes, "Nothing to see. ");
	attach(&large, buf_span(&bytes));
	put_text(&large, END);
	assert_scan("large", buf_span(&large), &allow, "unscannable (limit)");
	buf_clear(&bytes);
	make_zip(&bytes, "a.txt", span_str("some encrypted bytes"), ZIP_ENCRYPTED);
	start_mail(&locked);
	attach(&locked, buf_span(&bytes));
	put_text(&locked, END);
	assert_scan("locked", buf_span(&locked), &allow, "unscannable (encrypted)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(allowed_names_do_not_hide_the_one_that_is_not),
		SCAN_TEST(all_names_allowed_are_clean_and_said),
		SCAN_TEST(a_name_is_allowed_as_it_is_shown_and_without_unofficial),
		SCAN_TEST(a_name_that_only_resembles_it_is_not_allowed),
		SCAN_TEST(what_the_next_client_allows_is_its_own),
		SCAN_TEST(a_limit_and_an_encrypted_file_cannot_be_allowed),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
