/* SPDX-License-Identifier: ISC */
#include "tests/common/loaded.h"

static void check_presets(const struct config *config)
{
	assert_string_equal(config->text, "abc");
	assert_null(config->given);
	assert_int_equal(config->items.count, 1);
	assert_string_equal(config->items.items[0], "x");
	assert_int_equal(config->count, 5);
	assert_int_equal(config->size, 50 << 20);
	assert_int_equal(config->time_ms, 300000);
	assert_int_equal(config->mode, 1);
	assert_int_equal(config->open_mode, -1);
	assert_int_equal(config->parts.count, 0);
	assert_int_equal(config->count_line, 0);
}

static void an_empty_file_and_no_file_give_the_presets(void **state)
{
	struct config config = { 0 };

	(void)state;
	assert_int_equal(schema_preset(options, &config, NULL), 0);
	check_presets(&config);
	schema_free(options, &config);
	load_good("", &config);
	check_presets(&config);
	schema_free(options, &config);
	load_good("\n\n# nothing\n", &config);
	check_presets(&config);
	schema_free(options, &config);
	schema_free(options, &config);
}

static void a_long_value_is_refused(void **state)
{
	char text[SCHEMA_VALUE_MAX + 32];
	struct config config;

	(void)state;
	(void)snprintf(text, sizeof(text), "text = \"%0*d\"", SCHEMA_VALUE_MAX, 0);
	load_good(text, &config);
	assert_int_equal(strlen(config.text), SCHEMA_VALUE_MAX);
	schema_free(options, &config);
	(void)snprintf(text, sizeof(text), "text = \"%0*d\"", SCHEMA_VALUE_MAX + 1, 0);
	load_bad(text, strlen(text), 1, "too long: expected at most 4096 bytes");
}

static void list_repeat_finds_the_second_of_two(void **state)
{
	char a[] = "a", b[] = "b", c[] = "a";
	char *items[] = { a, b, c };

	(void)state;
	assert_null(schema_list_repeat(&(struct schema_list){ 0 }));
	assert_null(schema_list_repeat(&(struct schema_list){ items, 2 }));
	assert_string_equal(schema_list_repeat(&(struct schema_list){ items, 3 }), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_and_no_file_give_the_presets),
		cmocka_unit_test(a_long_value_is_refused),
		cmocka_unit_test(list_repeat_finds_the_second_of_two),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
