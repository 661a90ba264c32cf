/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/scanner_address.h"

#define KEY "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

static void an_endpoint_may_have_a_key_behind_it(void **state)
{
	static const struct {
		const char *text, *endpoint, *key;
	} good[] = {
		{ "ipc:///run/x", "ipc:///run/x", "" },
		{ "tcp://127.0.0.1:7", "tcp://127.0.0.1:7", "" },
		{ "tcp://127.0.0.1:7 " KEY, "tcp://127.0.0.1:7", KEY },
		{ "tcp://scan.example.org:7 \t " KEY, "tcp://scan.example.org:7", KEY },
		{ "tcp://[2001:db8::1]:7 " KEY, "tcp://[2001:db8::1]:7", KEY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct scanner_address address;
		struct err err = { 0 };

		assert_int_equal(scanner_address_check(good[i].text, &err), 0);
		assert_int_equal(scanner_address_parse(good[i].text, &address, &err), 0);
		assert_string_equal(address.endpoint, good[i].endpoint);
		assert_string_equal(address.server.text, good[i].key);
		assert_int_equal(
			scanner_address_has_key(&address), good[i].key[0] != '\0');
	}
}

static void all_else_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", KEY, "ipc:///run/x " KEY,
		"tcp://192.0.2.1:7", "tcp://scan.example.org:7", "tcp://192.0.2.1:7 x",
		"tcp://192.0.2.1:7 " KEY " ", "tcp://192.0.2.1:7 " KEY " " KEY,
		"tcp://192.0.2.1 " KEY, "tcp://*:7 " KEY, " tcp://192.0.2.1:7 " KEY };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct scanner_address address = { .endpoint = "untouched" };
		struct err err = { 0 };

		assert_int_equal(scanner_address_parse(bad[i], &address, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_non_null(strstr(err.text, "expected"));
		assert_string_equal(address.endpoint, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_may_have_a_key_behind_it),
		cmocka_unit_test(all_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
