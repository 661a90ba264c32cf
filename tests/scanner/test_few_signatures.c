/* SPDX-License-Identifier: ISC
 *
 * libclamav has two ways to match plain patterns, and the engine takes one for few signatures and the
 * other for many: both must find the same. */
#include "tests/test.h"

#include "tests/scanner/fixture.h"

enum {
	PADDING = 128 * 1024, /* of comments: as large as many signatures */
	WINDOW = 128 * 1024,  /* libclamav matches so many bytes at a time */
	FILL = 'x'
};

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

/* "alphabet", "alphabetic", "betamax", "gammaray", "deltawing", "epsilon" */
static const char signatures[] = "Any.Where:0:*:616c706861626574\n"
				 "Any.Longer:0:*:616c7068616265746963\n"
				 "At.Start:0:0:626574616d6178\n"
				 "At.Ten:0:10:67616d6d61726179\n"
				 "Near.Ten:0:10,5:64656c746177696e67\n"
				 "Before.End:0:EOF-7:657073696c6f6e\n"
				 "In.Programs:1:*:7a6574617a657461\n"
				 "In.Pages:3:*:657461657461\n"
				 "Three:0:*:fe01fd\n";

/* In bytes of filling, the text is put at this offset. */
static const struct {
	const char *text;
	size_t at, size;
	const char *head; /* in the place of the first bytes of filling */
	const char *name; /* or "": none */
} cases[] = {
	{ "alphabet", 0, 8, "", "Any.Where" },
	{ "alphabet", 1, 9, "", "Any.Where" },
	{ "alphabet", 500, 508, "", "Any.Where" },
	{ "alphabet", WINDOW - 4, 2 * WINDOW, "", "Any.Where" },
	{ "alphabet", WINDOW - 8, WINDOW, "", "Any.Where" },
	{ "alphabet", WINDOW, 2 * WINDOW, "", "Any.Where" },
	{ "alphabe", 0, 50, "", "" },
	{ "alphab3t", 3, 50, "", "" },
	{ "alphabetalphabet", 20, 90, "", "Any.Where" },
	{ "alphalphabet", 20, 90, "", "Any.Where" },
	{ "betamax", 0, 40, "", "At.Start" },
	{ "betamax", 1, 40, "", "" },
	{ "gammaray", 10, 40, "", "At.Ten" },
	{ "gammaray", 9, 40, "", "" },
	{ "gammaray", 11, 40, "", "" },
	{ "deltawing", 10, 40, "", "Near.Ten" },
	{ "deltawing", 15, 40, "", "Near.Ten" },
	{ "deltawing", 16, 40, "", "" },
	{ "deltawing", 9, 40, "", "" },
	{ "epsilon", 33, 40, "", "Before.End" },
	{ "epsilon", 32, 40, "", "" },
	{ "epsilon", 2 * WINDOW - 7, 2 * WINDOW, "", "Before.End" },
	{ "zetazeta", 100, 400, "MZ", "In.Programs" },
	{ "zetazeta", 100, 400, "", "" },
	{ "etaeta", 100, 400, "<html><body>", "In.Pages" },
	{ "etaeta", 100, 400, "", "" },
	{ "\xfe\x01\xfd", 700, 900, "", "Three" },
	{ "\xfe\x01\xfd", 897, 900, "", "Three" },
	{ "\xfe\x01\xfc", 700, 900, "", "" },
};

static void load(size_t padding)
{
	static const char comment[] = "# Nothing to look for, only room taken up.\n";
	char path[200];
	FILE *file;

	free(f.items[0]);
	f.items[0] = strdup(f.temp);
	(void)snprintf(path, sizeof(path), "%s/own.ndb", f.temp);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(signatures, file) >= 0);
	for (size_t i = 0; i < padding; i += strlen(comment))
		assert_true(fputs(comment, file) >= 0);
	assert_int_equal(fclose(file), 0);
	fixture_load(&f);
	assert_int_equal(unlink(path), 0);
}

static void assert_finds_all(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const size_t len = strlen(cases[i].text), name = strlen(cases[i].name);
		struct result result;
		auto_buf struct buf file;
		uint8_t *bytes;

		buf_init(&file, FIXTURE_MAX);
		assert_int_equal(buf_reserve(&file, cases[i].size, &bytes, NULL), 0);
		memset(bytes, FILL, cases[i].size);
		memcpy(bytes, cases[i].head, strlen(cases[i].head));
		memcpy(bytes + cases[i].at, cases[i].text, len);
		file.len = cases[i].size;
		engine_scan(f.engine, buf_span(&file), NULL, &result);
		if (result.kind != (name > 0 ? VERDICT_INFECTED : VERDICT_CLEAN) ||
			strncmp(result.signature, cases[i].name, name) != 0)
			fail_msg("case %zu: %s \"%s\", not \"%s\"", i,
				verdict_name(result.kind), result.signature,
				cases[i].name);
	}
}

static void few_signatures_find_what_they_say(void **state)
{
	(void)state;
	load(0);
	assert_finds_all();
}

static void many_find_the_same(void **state)
{
	(void)state;
	load(PADDING);
	assert_finds_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			few_signatures_find_what_they_say, start, stop),
		cmocka_unit_test_setup_teardown(many_find_the_same, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
