/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "scanner/settings.h"
#include "tests/sample.h"

static const char sample_path[] = "conf/scanner.conf";

static void the_sample_loads_as_it_is(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	struct err err = { 0 };

	(void)state;
	if (settings_load(sample_path, &settings, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(settings.queue, 64);
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
	assert_int_equal(settings.recursion_max, 17);
}

static void sample_and_manual_have_every_option(void **state)
{
	auto_free char *sample = sample_read(sample_path);
	auto_free char *manual = sample_read("scanner/mailfilter-scanner.conf.5");

	(void)state;
	sample_check(sample, manual, "", settings_options);
}

static void sample_and_manual_have_no_option_that_is_not_there(void **state)
{
	const struct schema_option *const tables[] = { settings_options, NULL };
	auto_free char *sample = sample_read(sample_path);
	auto_free char *manual = sample_read("scanner/mailfilter-scanner.conf.5");

	(void)state;
	sample_check_names(sample, "#", " = ", tables);
	sample_check_names(manual, ".It Ic ", " No = ", tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_loads_as_it_is),
		cmocka_unit_test(the_sample_loads_with_every_option_taken_in),
		cmocka_unit_test(sample_and_manual_have_every_option),
		cmocka_unit_test(sample_and_manual_have_no_option_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
