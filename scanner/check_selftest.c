/* SPDX-License-Identifier: ISC
 *
 * Does each worker still find what it must? It passes a self-test before its first message, and again and
 * again while it serves: signatures that were loaded once may be damaged in memory. */
#include "scanner/check.h"

void check_selftest(const struct check_facts *facts, struct check_result *result)
{
	int64_t news_ms = check_news_ms(facts->settings);
	int64_t failed_ms = facts->test_failed_ago_ms,
		wrong_ms = facts->test_wrong_ago_ms;
	char ago[CHECK_SPAN_MAX];

	if (wrong_ms >= 0 && wrong_ms < news_ms)
		check_say(result, CHECK_CRITICAL,
			"%s ago a worker found nothing any more, and was replaced: see what "
			"else it let pass (mailfilter rescan), and test the memory of this "
			"machine",
			check_span(wrong_ms, ago));
	if (failed_ms >= 0 && facts->workers_able == 0 &&
		(facts->test_passed_ago_ms < 0 || facts->test_passed_ago_ms > failed_ms))
		check_say(result, CHECK_CRITICAL, "no worker passes, and mail waits: %s",
			facts->test_why);
	if (failed_ms >= 0 && failed_ms < news_ms)
		check_say(result, CHECK_WARNING,
			"%s ago a worker did not pass, and was replaced: %s",
			check_span(failed_ms, ago), facts->test_why);
	if (facts->probed_ago_ms < 0)
		check_say(result, CHECK_OK, "no worker has passed its self-test yet");
	check_say(result, CHECK_OK, "each worker passed its self-test in the last %s",
		check_span(facts->proved_for_ms, ago));
}
