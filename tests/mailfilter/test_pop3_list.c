/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/pop3_run.h"

struct list_case {
	const char *answer[30];
	const char *text; /* "number:uid:size;" */
	enum err_kind kind;
	const char *why;
};

static const char long_uidl[] =
	"> 2 0123456789012345678901234567890123456789012345678901234567890123456789"
	"0123456789012345678901234567890123456789";

static const struct list_case list_cases[] = {
	{ { "< UIDL", "> +OK", "> 1 a", "> 2 b", "> .", "< LIST", "> +OK 2 messages",
		  "> 1 100", "> 2 200 more", "> ." },
		"1:a:100;2:b:200;", ERR_NONE, "" },
	{ { "< UIDL", "> +ok", "> .", "< LIST", "> +OK", "> ." }, "", ERR_NONE, "" },
	{ { "< UIDL", "> +OK", "> 2 b", "> 1 a", "> .", "< LIST", "> +OK", "> 2 5",
		  "> 1 4", "> ." },
		"1:a:4;2:b:5;", ERR_NONE, "" },
	/* Equal ones are counted, by number, if nothing tells them apart. */
	{ { "< UIDL", "> +OK", "> 1 same", "> 2 x", "> 3 same", "> 4 same", "> .",
		  "< LIST", "> +OK", "> 1 1", "> 2 2", "> 3 3", "> 4 4", "> .",
		  "< TOP 1 0", "> -ERR no TOP" },
		"1:same:1;2:x:2;3:same#2:3;4:same#3:4;", ERR_NONE, "" },
	{ { "< UIDL", "> +OK", "> 1 same", "> 2 same", "> .", "< LIST", "> +OK", "> 1 1",
		  "> 2 2", "> .", "< TOP 1 0", "> +OK", "> A: 1", "> Status: RO", "> ",
		  "> .", "< TOP 2 0", "> +OK", "> A: 1", "> X-UIDL: 7", ">  folded", "> ",
		  "> ." },
		"1:same:1;2:same#2:2;", ERR_NONE, "" },
	{ { "< UIDL", "> +OK", "> 1 same", "> 2 same", "> .", "< LIST", "> +OK", "> 1 1",
		  "> 2 2", "> .", "< TOP 1 0", "> +OK", "> A: 1", "> .", "< TOP 2 0",
		  "> +OK", "> A: 2", "> ." },
		"", ERR_NONE, "by TOP" },
	/* What could be mistaken for such a name, is too long, odd or missing: hashed. */
	{ { "< UIDL", "> +OK", "> 1 a#2", long_uidl, "> 3 b c", "> 4", "> 5 ", "> .",
		  "< LIST", "> +OK", "> 1 1", "> 2 2", "> 3 3", "> 4 4", "> 5 5", "> .",
		  "< TOP 4 0", "> -ERR no TOP" },
		"", ERR_NONE, "hashed" },
	/* No UIDL at all. */
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> 1 5", "> 2 6",
		  "> .", "< TOP 1 0", "> +OK", "> A: 1", "> .", "< TOP 2 0", "> +OK",
		  "> A: 2", "> ." },
		"", ERR_NONE, "by TOP" },
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> 1 5", "> 2 6",
		  "> .", "< TOP 1 0", "> -ERR unknown" },
		"", ERR_ACCOUNT, "neither UIDL nor TOP" },
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> ." }, "", ERR_NONE,
		"" },
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> 1 5", "> .",
		  "< TOP 1 0", "= +OK\r\nA: ", "! flood x" },
		"", ERR_SESSION, "a message over the limit" },
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> 1 5", "> .",
		  "< TOP 1 0", "> +OK", "> A: 1" },
		"", ERR_SESSION, "closed" },
	{ { "< UIDL", "> -ERR [SYS/TEMP] later" }, "", ERR_SESSION, "not now" },
	{ { "< UIDL", "> +OK", "> 0 a", "> ." }, "", ERR_SESSION, "no message number" },
	{ { "< UIDL", "> +OK", "> -5 a", "> ." }, "", ERR_SESSION, "no message number" },
	{ { "< UIDL", "> +OK", "> 4294967295 a", "> ." }, "", ERR_SESSION,
		"no message number" },
	{ { "< UIDL", "> +OK", "> 4294967297 a", "> ." }, "", ERR_SESSION,
		"no message number" },
	{ { "< UIDL", "> +OK", "> x", "> ." }, "", ERR_SESSION, "no message number" },
	{ { "< UIDL", "> +OK", "> 1 a", "> 1 b", "> ." }, "", ERR_SESSION, "twice" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> 0 5", "> ." }, "",
		ERR_SESSION, "no message number" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> 1 -5", "> ." }, "",
		ERR_SESSION, "no size" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> 1", "> ." }, "",
		ERR_SESSION, "no size" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> 2 5", "> ." }, "",
		ERR_SESSION, "different messages" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> ." }, "",
		ERR_SESSION, "UIDL 1" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> -ERR no" }, "", ERR_SESSION,
		"LIST: no" },
	{ { "< UIDL", "> +OK", "> 1 a" }, "", ERR_SESSION, "closed" },
	{ { "< UIDL", "= +OK\r\n1 ", "! flood z" }, "", ERR_SESSION, "endless line" },
};

static void write_list(
	const struct source_item *list, size_t count, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%u:%s:%llu;",
			list[i].number, list[i].uid, (unsigned long long)list[i].size);
}

static void check_hashed(const struct source_item *list, size_t count)
{
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(list[i].uid, "sha256:", 7);
	for (size_t i = 1; i < 4; i++)
		assert_string_not_equal(list[i].uid, list[i - 1].uid);
	/* The two that have none are equal, so counted. */
	assert_memory_equal(list[4].uid, list[3].uid, strlen(list[3].uid));
	assert_string_equal(list[4].uid + strlen(list[3].uid), "#2");
}

/* Two messages of different headers, which are named by them, each time alike. */
static void check_by_top(const struct source_item *list, size_t count)
{
	static char first[2][MESSAGE_UID_MAX];

	assert_int_equal(count, 2);
	assert_string_not_equal(list[0].uid, list[1].uid);
	for (size_t i = 0; i < 2; i++) {
		assert_memory_equal(list[i].uid, "top-sha256:", 11);
		assert_int_equal(strlen(list[i].uid), 11 + 64);
		if (first[i][0])
			assert_string_equal(list[i].uid, first[i]);
		memcpy(first[i], list[i].uid, sizeof(first[i]));
	}
}

static void a_listing_names_each_message_once_or_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(list_cases) / sizeof(list_cases[0]); i++) {
		const struct list_case *test = &list_cases[i];
		const char *script[STEPS_MAX] = { LOGIN };
		auto_free struct source_item *list = NULL;
		size_t count = 0;
		char text[2000];
		struct run run;
		int result;

		JOIN(script, test->answer);
		run_opened(&run, script);
		result = run.source->ops->list(run.source, 0, &list, &count, &run.err);
		write_list(list, count, text, sizeof(text));
		if (strcmp(test->why, "hashed") == 0)
			check_hashed(list, count);
		else if (strcmp(test->why, "by TOP") == 0)
			check_by_top(list, count);
		else if (strcmp(text, test->text) != 0)
			fail_msg("case %zu: %s (%s)", i, text, run.err.text);
		else
			run_check(&run, i, result, test->kind, test->why);
		run_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listing_names_each_message_once_or_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
