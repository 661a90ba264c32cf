/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "common/json.h"

static void check(struct json *json, const char *expected)
{
	const char *text;

	assert_int_equal(json->err.kind, ERR_NONE);
	assert_int_equal(buf_text(&json->out, &text, NULL), 0);
	assert_string_equal(text, expected);
}

static void objects_arrays_and_commas_nest(void **state)
{
	struct json json DEFER(json_done);

	(void)state;
	json_init(&json);
	json_open(&json, NULL, '{');
	json_text(&json, "file", span_str("a.eml"));
	json_open(&json, "list", '[');
	json_number(&json, NULL, 1);
	json_open(&json, NULL, '{');
	json_close(&json, '}');
	json_close(&json, ']');
	json_bool(&json, "ok", true);
	json_close(&json, '}');
	check(&json, "{\"file\":\"a.eml\",\"list\":[1,{}],\"ok\":true}");
}

static void text_from_outside_stays_inside_its_quotes(void **state)
{
	static const uint8_t bytes[] = { 'a', '"', '\\', '\n', 0, 0x1b, 0xff, 0xc3, 0xa4,
		0xe2, 0x80, 0xae };
	struct json json DEFER(json_done);

	(void)state;
	json_init(&json);
	json_text(&json, NULL, (struct span){ bytes, sizeof(bytes) });
	check(&json,
		"\"a\\\"\\\\\\u000a\\u0000\\u001b\\ufffd\xc3\xa4\\ufffd\\ufffd\\ufffd\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_arrays_and_commas_nest),
		cmocka_unit_test(text_from_outside_stays_inside_its_quotes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
