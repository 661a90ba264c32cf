/* SPDX-License-Identifier: ISC
 *
 * A session as a whole: its folder, its waits, its rate and its end. */
#include "tests/mailfilter/imap_run.h"

#include "common/clock.h"

static void a_folder_is_selected_by_its_wire_name(void **state)
{
	static const char *const script[] = { LOGIN, "< EXAMINE \"Entw&APw-rfe\"",
		"> * FLAGS (\\Seen)", "> * OK [PERMANENTFLAGS ()] none", FOLDER, NULL };
	struct run run;
	uint32_t uidvalidity;

	(void)state;
	run_opened(&run, script);
	assert_int_equal(
		run.source->ops->select(run.source, "Entwürfe", &uidvalidity, &run.err),
		0);
	assert_int_equal(uidvalidity, 7);
	run_end(&run);
}

static void a_folder_that_is_not_there_is_for_its_owner(void **state)
{
	static const struct {
		const char *answer;
		enum err_kind kind;
	} cases[] = {
		{ "> $ NO [NONEXISTENT] no such folder", ERR_ACCOUNT },
		{ "> $ NO no such folder", ERR_ACCOUNT },
		{ "> $ NO [UNAVAILABLE] no such folder", ERR_SESSION },
		{ "> $ OK no such folder", ERR_ACCOUNT }, /* and no UIDVALIDITY */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *script[] = { LOGIN, "< EXAMINE", cases[i].answer, NULL };
		struct run run;

		run_start(&run, script);
		assert_int_equal(run_select(&run), -1);
		assert_int_equal(run.err.kind, cases[i].kind);
		assert_non_null(strstr(run.err.text, "INBOX"));
		run_end(&run);
	}
}

static int sleepy_done(
	void *arg, const char *uid, enum source_outcome outcome, struct err *err)
{
	(void)usleep(400000);
	return fetched_done(arg, uid, outcome, err);
}

static void clocks_stand_still_while_the_sink_waits(void **state)
{
	static const char *const script[] = { FETCH, ONE, TWO, THREE, "> $ OK done",
		NULL };
	struct source_sink sink;
	struct run run;

	(void)state;
	run_start(&run, script);
	run.account.timeout_ms = 300;
	assert_int_equal(run_select(&run), 0);
	sink = fetched_sink(&run.fetched);
	sink.done = sleepy_done;
	assert_int_equal(
		run.source->ops->fetch(run.source, items, 3, &sink, &run.err), 0);
	assert_string_equal(fetched_text(&run.fetched), "1=hello;2=two;3=three;");
	run_end(&run);
}

static int stop_wait(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	(void)arg;
	(void)fd;
	(void)events;
	(void)deadline_ms;
	return err_set(err, ERR_AGAIN, "told to stop");
}

static void an_owner_that_stops_waiting_gets_its_reason_back(void **state)
{
	static const struct stream_wait wait = { .wait = stop_wait };
	static const char *const script[] = { "! stall", NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	run.wait = &wait;
	assert_int_equal(run_open(&run), -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "told to stop"));
	/* It may have seen the client leave, or still wait for one to come. */
	(void)kill(run.fake.pid, SIGKILL);
	(void)fake_end(&run.fake);
	fetched_done_with(&run.fetched);
}

/* Counts the waits that are for no bytes: other work could go on in them. */
static int count_wait(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	size_t *own = arg;

	if (fd < 0) {
		assert_true(deadline_ms - clock_ms() <= STREAM_PACE_MS);
		(*own)++;
	}
	return stream_wait_plain.wait(NULL, fd, events, deadline_ms, err);
}

static void a_rate_is_kept_and_its_waits_are_nobodys_fault(void **state)
{
	/* 60,000 bytes at 20,000 a second, with one second's worth at once; a server that is
	 * allowed half a second for each answer. */
	static const char *const script[] = { FETCH,
		"= * 1 FETCH (UID 1 BODY[] {60000}\r\n", "* 60000 x", "= )\r\n", TWO,
		"> $ OK done", NULL };
	size_t own_waits = 0;
	const struct stream_wait wait = { count_wait, &own_waits };
	int64_t from_ms;
	struct run run;

	(void)state;
	run_start(&run, script);
	run.account.rate = 20000;
	run.account.timeout_ms = 500;
	run.wait = &wait;
	from_ms = clock_ms();
	if (run_fetch(&run) < 0)
		fail_msg("%s", run.err.text);
	assert_int_equal(run.fetched.messages, 3);
	assert_in_range(clock_ms() - from_ms, 1500, 15000);
	assert_true(own_waits > 2);
	run_end(&run);
}

static int stop_pace(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	if (fd < 0)
		return err_set(err, ERR_AGAIN, "told to stop");
	return stream_wait_plain.wait(arg, fd, events, deadline_ms, err);
}

static void who_waits_for_its_rate_can_be_stopped(void **state)
{
	static const char *const script[] = { FETCH,
		"= * 1 FETCH (UID 1 BODY[] {60000}\r\n", "* 60000 x", "! stall", NULL };
	static const struct stream_wait wait = { stop_pace, NULL };
	struct source_sink sink;
	struct run run;

	(void)state;
	run_start(&run, script);
	run.account.rate = 2000;
	run.wait = &wait;
	assert_int_equal(run_select(&run), 0);
	sink = fetched_sink(&run.fetched);
	assert_int_equal(
		run.source->ops->fetch(run.source, items, 3, &sink, &run.err), -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "told to stop"));
	run_end(&run);
}

static void a_refused_connection_says_where(void **state)
{
	static const char *const script[] = { NULL };
	struct fake_server fake = fake_start(script);
	struct account_settings account = run_account(&fake, SOURCE_IMAP);
	struct source *source = NULL;
	struct err err = { 0 };

	(void)state;
	(void)kill(fake.pid, SIGKILL);
	assert_false(fake_end(&fake));
	assert_int_equal(
		source_open(&account, "pass", &stream_wait_plain, &source, &err), -1);
	assert_int_equal(err.kind, ERR_SESSION);
	assert_non_null(strstr(err.text, "127.0.0.1 port "));
	assert_non_null(strstr(err.text, "refused"));
	assert_null(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_is_selected_by_its_wire_name),
		cmocka_unit_test(a_folder_that_is_not_there_is_for_its_owner),
		cmocka_unit_test(clocks_stand_still_while_the_sink_waits),
		cmocka_unit_test(an_owner_that_stops_waiting_gets_its_reason_back),
		cmocka_unit_test(a_rate_is_kept_and_its_waits_are_nobodys_fault),
		cmocka_unit_test(who_waits_for_its_rate_can_be_stopped),
		cmocka_unit_test(a_refused_connection_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
