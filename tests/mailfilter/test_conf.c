/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/account_settings.h"
#include "mailfilter/rule_settings.h"
#include "mailfilter/settings.h"
#include "tests/sample.h"

static const char sample_path[] = "conf/mailfilter.conf";

static void the_sample_loads_as_it_is_and_changes_nothing(void **state)
{
	DEFER(settings_free) struct settings sample = { 0 };
	struct settings presets = { 0 };
	struct err err = { 0 };

	(void)state;
	if (settings_load(sample_path, &sample, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(schema_preset(settings_options, &presets, &err), 0);
	assert_int_equal(sample.jobs, presets.jobs);
	assert_int_equal(sample.interval_ms, presets.interval_ms);
	assert_int_equal(sample.accounts.count, 0);
	schema_free(settings_options, &presets);
}

static void the_sample_loads_with_every_option_taken_in(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	char path[] = "/tmp/test_conf.XXXXXX";
	auto_free char *text = sample_read(sample_path);
	auto_close int fd = mkstemp(path);
	struct err err = { 0 };
	int result;

	(void)state;
	assert_true(fd >= 0);
	sample_uncomment(text);
	assert_int_equal(file_write(fd, span_str(text), path, &err), 0);
	result = settings_load(path, &settings, &err);
	assert_int_equal(unlink(path), 0);
	if (result < 0)
		fail_msg("%s", err.text);
	assert_int_equal(settings.accounts.count, 9);
	assert_string_equal(settings_account(&settings, 0)->name, "work");
	assert_int_equal(settings_account(&settings, 1)->kind, SOURCE_POP3S);
	assert_non_null(settings_account(&settings, 8)->password);
	assert_int_equal(settings.rules.count, 4);
	assert_string_equal(settings_rule(&settings, 0)->name, "programs");
	assert_int_equal(settings_check_accounts(&settings, &err), 0);
}

static void sample_and_manual_have_every_option(void **state)
{
	auto_free char *sample = sample_read(sample_path);
	auto_free char *manual = sample_read("mailfilter/mailfilter.conf.5");

	(void)state;
	sample_check(sample, manual, "", settings_options);
	sample_check(sample, manual, "    ", account_options);
	sample_check(sample, manual, "    ", rule_options);
}

static void sample_and_manual_have_no_option_that_is_not_there(void **state)
{
	const struct schema_option *const tables[] = { settings_options, account_options,
		rule_options, NULL };
	auto_free char *sample = sample_read(sample_path);
	auto_free char *manual = sample_read("mailfilter/mailfilter.conf.5");

	(void)state;
	sample_check_names(sample, "#", " = ", tables);
	sample_check_names(manual, ".It Ic ", " No = ", tables);
}

static void a_missing_option_and_a_wrong_preset_are_noticed(void **state)
{
	char value[256], entry[4096];

	(void)state;
	assert_null(sample_value("\n#jobs = 5\n", "", "job", value));
	assert_null(sample_value("\n# jobs = 5\n", "", "jobs", value));
	assert_string_equal(sample_value("\n#jobs = 5\n", "", "jobs", value), "5");
	assert_false(sample_is_preset("50", "5"));
	assert_true(sample_is_preset("{ \"a\" }", "a"));
	assert_null(sample_manual_entry("\n.It Ic jobs-max No = 5\n", "jobs", entry));
	assert_string_equal(
		sample_manual_entry(
			"\n.It Ic a No = x\nA.\n.It Ic b No = y\n", "a", entry),
		"x\nA.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_loads_as_it_is_and_changes_nothing),
		cmocka_unit_test(the_sample_loads_with_every_option_taken_in),
		cmocka_unit_test(sample_and_manual_have_every_option),
		cmocka_unit_test(sample_and_manual_have_no_option_that_is_not_there),
		cmocka_unit_test(a_missing_option_and_a_wrong_preset_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
