/* SPDX-License-Identifier: ISC */
#include "tests/scanner/checked.h"

#include "scanner/engine.h"

static void old_files_are_told_of_until_there_are_new_ones(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	put(&at, "own.ndb", "x", NOW - 3 * DAY_S);
	put(&at, "no-signatures.txt", "x", NOW);
	says(&at, check_signatures, CHECK_WARNING,
		"3 days old by the date of their file");
	put(&at, "own.ndb", "x", NOW - 8 * DAY_S);
	says(&at, check_signatures, CHECK_CRITICAL, "8 days old");
	limit_is(&at, "signatures-age 9d 10d");
	says(&at, check_signatures, CHECK_OK, "8 days old");
	limit_is(&at, "signatures-age off");
	put(&at, "own.ndb", "x", NOW - 3000 * DAY_S);
	says(&at, check_signatures, CHECK_OK, "3000 days old");
	at.settings.check_limits.count = 0;
	put(&at, "more.ldb", "x", NOW - DAY_S);
	says(&at, check_signatures, CHECK_OK, "24 hours old");
	checked_stop(&at);
}

static void a_daily_set_is_as_old_as_it_says_itself(void **state)
{
	char header[256];
	struct checked at;

	(void)state;
	checked_start(&at);
	/* The file is new, and so is another. */
	(void)snprintf(header, sizeof(header),
		"ClamAV-VDB:07 Jan 2027 10-20 +0000:27000:20:60:md5:sig:builder:%" PRId64,
		NOW - 8 * DAY_S);
	put(&at, "daily.cvd", header, NOW);
	put(&at, "local.ign2", "x", NOW);
	says(&at, check_signatures, CHECK_CRITICAL, "the newest are 8 days old");
	(void)snprintf(header, sizeof(header),
		"ClamAV-VDB:07 Jan 2027 10-20 +0000:27000:20:60:md5:sig:builder:%" PRId64,
		NOW - HOUR_S);
	put(&at, "daily.cld", header, NOW);
	says(&at, check_signatures, CHECK_OK, "60 minutes old");
	checked_stop(&at);
}

static void a_set_for_a_newer_engine_is_told_of(void **state)
{
	char header[256];
	struct checked at;

	(void)state;
	checked_start(&at);
	(void)snprintf(header, sizeof(header), "ClamAV-VDB:x:1:20:%u:md5:sig:b:1",
		engine_level() + 1);
	put(&at, "main.cvd", header, NOW);
	says(&at, check_signatures, CHECK_WARNING, "main.cvd asks for engine level");
	(void)snprintf(header, sizeof(header), "ClamAV-VDB:x:1:20:%u:md5:sig:b:1",
		engine_level());
	put(&at, "main.cvd", header, NOW);
	says(&at, check_signatures, CHECK_OK, "");
	checked_stop(&at);
}

static void sets_of_a_later_age_have_theirs(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	at.facts.signatures = 1;
	/* In the year 2040; the file itself is new. */
	at.facts.wall_s = INT64_C(2208988800);
	put(&at, "daily.cvd", "ClamAV-VDB:x:1:20:1:md5:sig:b:2208124800", 2208988800);
	says(&at, check_signatures, CHECK_CRITICAL,
		"1 signature, the newest are 10 days old");
	checked_stop(&at);
}

static void headers_that_lie_are_read_without_harm(void **state)
{
	static const struct {
		const char *header;
		enum check_level level; /* of an age that is told, however old */
	} cases[] = {
		{ "ClamAV-VDB:", CHECK_OK },
		{ "ClamAV-VDB::::", CHECK_OK },
		{ "ClamAV-VDB:x:1:20:99999999999999999999999999999999999:m:s:b:1",
			CHECK_CRITICAL },
		{ "ClamAV-VDB:x:1:20:-5:m:s:b:-1", CHECK_OK },
		{ "ClamAV-VDB:x:1:20:5:m:s:b:1e9", CHECK_CRITICAL },
		{ "ClamAV-VDB:x:1:20:5:m:s:b:99999999999", CHECK_OK },
		{ "ClamAV", CHECK_OK },
		{ "", CHECK_OK },
	};
	struct checked at;

	(void)state;
	checked_start(&at);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put(&at, "daily.cvd", cases[i].header, NOW);
		says(&at, check_signatures, cases[i].level, "0 signatures");
	}
	checked_stop(&at);
}

static void fewer_signatures_are_told_of_over_a_restart_and_for_a_week(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	at.signatures[0] = at.test;
	at.facts.serving = true;
	at.facts.signatures = 1000;
	says(&at, check_signatures, CHECK_OK, "1000 signatures");
	at.facts.signatures = 950;
	says(&at, check_signatures, CHECK_OK, "950 signatures");
	at.facts.signatures = 600;
	says(&at, check_signatures, CHECK_WARNING, "and there were 950");
	at.facts.signatures = 400;
	says(&at, check_signatures, CHECK_CRITICAL, "and there were 950");
	/* What there was is in a file: another process says the same. */
	says(&at, check_signatures, CHECK_CRITICAL, "and there were 950");
	at.facts.signatures = 960;
	says(&at, check_signatures, CHECK_OK, "960 signatures");
	at.facts.signatures = 1;
	says(&at, check_signatures, CHECK_CRITICAL,
		"1 signature is loaded, and there were 960");
	at.facts.wall_s += 6 * DAY_S;
	says(&at, check_signatures, CHECK_CRITICAL, "and there were 960");
	at.facts.wall_s += DAY_S;
	says(&at, check_signatures, CHECK_OK, "1 signature, of no known age");
	/* While none are loaded nothing is compared. */
	at.facts.serving = false;
	at.facts.signatures = 0;
	says(&at, check_signatures, CHECK_OK, "");
	checked_stop(&at);
}

static void a_file_of_counts_that_is_nonsense_is_as_none(void **state)
{
	static const char *const texts[] = { "", "x", "5", "5 5", "-1 0\n", "5 x\n",
		"99999999999999999999999 0\n", "\n5 5", "5\n5 " };
	struct checked at;

	(void)state;
	checked_start(&at);
	at.signatures[0] = at.test;
	at.facts.serving = true;
	at.facts.signatures = 1;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		put(&at, "signatures-count", texts[i], NOW);
		says(&at, check_signatures, CHECK_OK, "1 signature, of no known age");
	}
	checked_stop(&at);
}

static void what_does_not_load_is_told_of(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	at.facts.newer_for_ms = INT64_C(31) * 60 * 1000;
	(void)snprintf(at.facts.trouble, sizeof(at.facts.trouble), "they are broken");
	says(&at, check_signatures, CHECK_WARNING,
		"not been in use for 31 minutes: they are broken");
	at.facts.newer_for_ms = INT64_C(25) * 3600 * 1000;
	says(&at, check_signatures, CHECK_CRITICAL, "not been in use");
	at.facts.newer_for_ms = INT64_C(29) * 60 * 1000;
	says(&at, check_signatures, CHECK_OK, "");
	checked_stop(&at);
}

static void freshclam_that_was_not_seen_is_told_of(void **state)
{
	char log[CHECKED_PATH];
	struct checked at;

	(void)state;
	checked_start(&at);
	at.settings.freshclam_log = in_folder(&at, "freshclam.log", log);
	put(&at, "own.ndb", "x", NOW - 90 * DAY_S);
	says(&at, check_freshclam, CHECK_OK, "own sets are not here");
	put(&at, "daily.cvd", "x", NOW - 3 * DAY_S);
	says(&at, check_freshclam, CHECK_WARNING, "last seen 3 days ago");
	put(&at, "daily.cvd", "x", NOW - 8 * DAY_S);
	says(&at, check_freshclam, CHECK_CRITICAL, "last seen 8 days ago");
	put(&at, "freshclam.log", "nothing new", NOW - HOUR_S);
	says(&at, check_freshclam, CHECK_OK, "last seen 60 minutes ago");
	put(&at, "freshclam.log", "nothing new", NOW - 8 * DAY_S);
	put(&at, "freshclam.dat", "x", NOW - 2 * HOUR_S);
	says(&at, check_freshclam, CHECK_OK, "last seen 2 hours ago");
	checked_stop(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_files_are_told_of_until_there_are_new_ones),
		cmocka_unit_test(a_daily_set_is_as_old_as_it_says_itself),
		cmocka_unit_test(a_set_for_a_newer_engine_is_told_of),
		cmocka_unit_test(sets_of_a_later_age_have_theirs),
		cmocka_unit_test(headers_that_lie_are_read_without_harm),
		cmocka_unit_test(
			fewer_signatures_are_told_of_over_a_restart_and_for_a_week),
		cmocka_unit_test(a_file_of_counts_that_is_nonsense_is_as_none),
		cmocka_unit_test(what_does_not_load_is_told_of),
		cmocka_unit_test(freshclam_that_was_not_seen_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
