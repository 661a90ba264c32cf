/* SPDX-License-Identifier: ISC
 *
 * libclamav has two ways to match plain patterns, and the engine takes one for few signatures and the
 * other for many: both must find the same. And what the engine leaves out where no signature asks for
 * it must be done where one does. */
#include "tests/scanner/engined.h"

enum {
	PADDING = 128 * 1024, /* of comments: as large as many signatures */
	WINDOW = 128 * 1024,  /* libclamav matches so many bytes at a time */
	TWO_WINDOWS = 2 * WINDOW,
	FILL = 'x'
};

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
	{ "alphabet", WINDOW - 4, TWO_WINDOWS, "", "Any.Where" },
	{ "alphabet", WINDOW - 8, WINDOW, "", "Any.Where" },
	{ "alphabet", WINDOW, TWO_WINDOWS, "", "Any.Where" },
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
	{ "epsilon", TWO_WINDOWS - 7, TWO_WINDOWS, "", "Before.End" },
	{ "zetazeta", 100, 400, "MZ", "In.Programs" },
	{ "zetazeta", 100, 400, "", "" },
	{ "etaeta", 100, 400, "<html><body>", "In.Pages" },
	{ "etaeta", 100, 400, "", "" },
	{ "\xfe\x01\xfd", 700, 900, "", "Three" },
	{ "\xfe\x01\xfd", 897, 900, "", "Three" },
	{ "\xfe\x01\xfc", 700, 900, "", "" },
};

static void load_lines(const char *name, const char *lines, size_t padding)
{
	static const char comment[] = "# Nothing to look for, only room taken up.\n";
	char path[200];
	FILE *file;

	free(f.items[0]);
	f.items[0] = strdup(f.temp);
	(void)snprintf(path, sizeof(path), "%s/%s", f.temp, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(lines, file) >= 0);
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

/* A picture of 8 by 8 points, and what libclamav makes of its looks. */
static const char picture[] =
	"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00"
	"\x00\x00\x08\x00\x00\x00\x08\x08\x00\x00\x00\x00\xe1\x64\xe1\x57\x00"
	"\x00\x00\x4f\x49\x44\x41\x54\x78\xda\x63\x60\x90\xb5\x0a\x2f\x99\xb8"
	"\xee\x34\x03\x83\x8a\x47\xce\x84\x2d\x37\xfe\x30\x30\x68\x87\x35\xae"
	"\xb9\xce\xa4\xcb\xc0\x60\x94\x32\xed\xc4\x2f\x9d\x38\x06\x06\xcb\xa2"
	"\xd5\x4f\x64\xc3\xfa\x19\x18\x1c\x1a\x0e\x80\x31\x83\x7b\xdf\x55\x99"
	"\xe4\x55\x1f\x19\x18\xfc\xe6\xbc\xb2\x68\xbb\xa2\x04\x00\xa4\x15\x1a"
	"\xd1\x9d\xf4\x46\x7e\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

static void pictures_are_known_by_their_looks_where_a_signature_asks_for_it(void **state)
{
	static const struct {
		const char *line, *name;
	} ldbs[] = {
		{ "Of.Looks;Engine:150-255,Target:0;0;fuzzy_img#8e3ba42dd9725649#0\n",
			"Of.Looks" },
		{ "Of.Others;Engine:150-255,Target:0;0;fuzzy_img#0e3ba42dd9725649#0\n",
			"" },
		{ "Of.Words;Engine:150-255,Target:0;0;49484452\n", "Of.Words" },
	};
	struct span bytes = { (const uint8_t *)picture, sizeof(picture) - 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(ldbs) / sizeof(*ldbs); i++) {
		struct result result;

		engine_free(f.engine);
		f.engine = NULL;
		load_lines("own.ldb", ldbs[i].line, 0);
		engine_scan(f.engine, bytes, NULL, &result);
		assert_int_equal(
			result.kind, ldbs[i].name[0] ? VERDICT_INFECTED : VERDICT_CLEAN);
		assert_memory_equal(result.signature, ldbs[i].name, strlen(ldbs[i].name));
	}
}

static void few_signatures_find_what_they_say(void **state)
{
	(void)state;
	load_lines("own.ndb", signatures, 0);
	assert_finds_all();
}

static void many_find_the_same(void **state)
{
	(void)state;
	load_lines("own.ndb", signatures, PADDING);
	assert_finds_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITHOUT_ENGINE(few_signatures_find_what_they_say),
		WITHOUT_ENGINE(many_find_the_same),
		WITHOUT_ENGINE(
			pictures_are_known_by_their_looks_where_a_signature_asks_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
