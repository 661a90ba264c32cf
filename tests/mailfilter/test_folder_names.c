/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "mailfilter/folder_names.h"

static struct source_folder folder_of(const char *name, char separator, unsigned marks)
{
	struct source_folder folder = { .separator = separator, .marks = marks };

	(void)snprintf(folder.name, sizeof(folder.name), "%s", name);
	return folder;
}

static void wildcards_mean_what_rfc_3501_says(void **state)
{
	static const struct {
		const char *pattern, *name;
		char separator;
		bool matches;
	} cases[] = {
		{ "*", "INBOX", '/', true },
		{ "*", "a/b/c", '/', true },
		{ "%", "INBOX", '/', true },
		{ "%", "a/b", '/', false },
		{ "%", "a.b", '/', true },
		{ "%", "a/b", '\0', true },
		{ "Lists/*", "Lists/a", '/', true },
		{ "Lists/*", "Lists/a/b", '/', true },
		{ "Lists/*", "Lists", '/', false },
		{ "Lists/%", "Lists/a", '/', true },
		{ "Lists/%", "Lists/a/b", '/', false },
		/* A slash is any server's separator, and itself. */
		{ "Lists/*", "Lists.a", '.', true },
		{ "Lists/*", "Lists.a", '/', false },
		{ "Lists/*", "Lists/a", '.', true },
		{ "Lists.*", "Lists/a", '/', false },
		{ "a/%/c", "a.b.c", '.', true },
		{ "a/%/c", "a.b.b.c", '.', false },
		{ "a/*/c", "a.b.b.c", '.', true },
		{ "*b", "aab", '/', true },
		{ "*b", "aba", '/', false },
		{ "*ab*ab*", "xxabxab", '/', true },
		{ "%*", "a/b", '/', true },
		{ "*%", "a/b", '/', true },
		{ "a%b%c", "axbyc", '/', true },
		{ "a%b%c", "ax/byc", '/', false },
		{ "", "a", '/', false },
		{ "Entw*", "Entwürfe", '/', true },
		{ "lists/*", "Lists/a", '/', false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source_folder folder =
			folder_of(cases[i].name, cases[i].separator, 0);

		if (folder_names_match(cases[i].pattern, &folder) != cases[i].matches)
			fail_msg("\"%s\" and \"%s\"", cases[i].pattern, cases[i].name);
	}
}

static void no_pattern_takes_long(void **state)
{
	char pattern[MESSAGE_FOLDER_MAX], name[MESSAGE_FOLDER_MAX];
	struct source_folder folder;

	(void)state;
	for (size_t i = 0; i < sizeof(pattern) - 1; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	pattern[sizeof(pattern) - 2] = 'b';
	pattern[sizeof(pattern) - 1] = '\0';
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	folder = folder_of(name, '/', 0);
	for (int i = 0; i < 20; i++)
		assert_false(folder_names_match(pattern, &folder));
}

static void what_is_excluded_or_no_folder_is_not_wanted(void **state)
{
	char *wanted_items[] = { (char[]){ "INBOX" }, (char[]){ "Lists/*" },
		(char[]){ "%" }, (char[]){ "!Lists/spam*" }, (char[]){ "!Junk" } };
	const struct schema_list wanted = { wanted_items, 5 };
	static const struct {
		const char *name;
		unsigned marks;
		bool wants;
	} cases[] = {
		{ "Work", 0, true },
		{ "Lists/a", 0, true },
		{ "Lists/a/b", SOURCE_FOLDER_TRASH, true },
		{ "Lists/spam", 0, false },
		{ "Lists/spam/old", 0, false },
		{ "Junk", 0, false },
		{ "Junk/a", 0, false }, /* "%" is one level */
		{ "Work", SOURCE_FOLDER_NONE, false },
		{ "All Mail", SOURCE_FOLDER_VIEW, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source_folder folder =
			folder_of(cases[i].name, '/', cases[i].marks);

		assert_int_equal(folder_names_wants(&wanted, &folder), cases[i].wants);
	}
	assert_false(folder_names_is_pattern("INBOX"));
	assert_true(folder_names_is_pattern("!INBOX"));
	assert_true(folder_names_is_pattern("a%"));
}

static void the_trash_is_what_is_marked_or_else_named_so(void **state)
{
	struct source_folder folders[] = { folder_of("INBOX", '.', 0),
		folder_of("INBOX.Trash", '.', 0), folder_of("Bin", '.', 0),
		folder_of("Trashes", '.', 0) };
	struct source_folder_list list = { .items = folders, .count = 4 };

	(void)state;
	assert_string_equal(folder_names_trash(&list)->name, "INBOX.Trash");
	folders[2].marks = SOURCE_FOLDER_TRASH;
	assert_string_equal(folder_names_trash(&list)->name, "Bin");
	folders[2].marks |= SOURCE_FOLDER_NONE;
	folders[1].marks = SOURCE_FOLDER_NONE;
	assert_null(folder_names_trash(&list));
	folders[0] = folder_of("deleted items", '\0', 0);
	assert_string_equal(folder_names_trash(&list)->name, "deleted items");
	list.count = 0;
	assert_null(folder_names_trash(&list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wildcards_mean_what_rfc_3501_says),
		cmocka_unit_test(no_pattern_takes_long),
		cmocka_unit_test(what_is_excluded_or_no_folder_is_not_wanted),
		cmocka_unit_test(the_trash_is_what_is_marked_or_else_named_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
