/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "mailfilter/import.h"

/* text with its NULs; a string literal. */
#define FILE_OF(text)                                                                    \
	{                                                                                \
		(const uint8_t *)(text), sizeof(text) - 1                                \
	}

struct import_case {
	const char *what;
	const char *kind;
	bool imap;
	struct span text;
	uint64_t uidvalidity;
	uint64_t older;
	const char *uids; /* each with a ';' behind it */
};

static const char *uids(const struct import *import)
{
	static char text[1024];
	size_t used = 0;

	text[0] = '\0';
	for (size_t at = 0; at < import->uids.len; at += MESSAGE_UID_MAX)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s;",
			(const char *)import->uids.data + at);
	return text;
}

static const struct import_case good[] = {
	{ "mbsync 1.4", "mbsync", true,
		FILE_OF("FarUidValidity 17\nNearUidValidity 3\nMaxPulledUid 9\n"
			"MaxPushedUid 0\n\n1 1 S\n2 2 \n9 0 FRS\n"),
		17, 0, "1;2;9;" },
	{ "mbsync: expired was fetched", "mbsync", true,
		FILE_OF("FarUidValidity 17\nMaxExpiredFarUid 4\n\n4 0 ~\n5 5 ~S\n"), 17,
		0, "4;5;" },
	{ "mbsync: pushed from here", "mbsync", true,
		FILE_OF("FarUidValidity 17\n\n0 4 S\n5 5 <\n"), 17, 0, "5;" },
	{ "mbsync: placeholders and what was too large", "mbsync", true,
		FILE_OF("FarUidValidity 17\n\n1 1 >\n2 2 >~S\n3 0 ^\n4 4294967295 \n"
			"4294967295 5 \n6 6 \n"),
		17, 0, "6;" },
	{ "mbsync 1.3", "mbsync", true,
		FILE_OF("MasterUidValidity 8\nSlaveUidValidity 3\n\n7 7 \n"), 8, 0,
		"7;" },
	{ "mbsync: nothing yet", "mbsync", true, FILE_OF("FarUidValidity 1\n\n"), 1, 0,
		"" },
	{ "mbsync: the highest UID", "mbsync", true,
		FILE_OF("FarUidValidity 4294967295\n\n4294967294 1 \n"), UINT32_MAX, 0,
		"4294967294;" },
	{ "getmail of IMAP", "getmail", true,
		FILE_OF("5/1\0"
			"1700000000\n5/33\0"
			"1700000001\n"),
		5, 0, "1;33;" },
	{ "getmail: numbered anew", "getmail", true,
		FILE_OF("5/1\0"
			"1\n5/2\0"
			"1\n6/1\0"
			"2\n5/3\0"
			"1\n"),
		6, 3, "1;" },
	{ "getmail of POP3", "getmail", false,
		FILE_OF("abc\0"
			"1700000000\n5-1\0"
			"0\n"),
		0, 0, "abc;5-1;" },
	{ "getmail: nothing yet", "getmail", false, FILE_OF(""), 0, 0, "" },
	{ "mpop", "mpop", false,
		FILE_OF("# mpop\n 2 pop.example.org me\n#a\nb\n 1 other.org me\nc\n"), 0,
		0, "#a;b;" },
	{ "mpop with times", "mpop", false,
		FILE_OF(" 2 POP.example.org me\na 1700000000\nb 1700000000\n"), 0, 0,
		"a;b;" },
	{ "fetchmail", "fetchmail", false,
		FILE_OF("me@pop.example.org a\nme@other.org b\nME@POP.example.org <c@d>\n"),
		0, 0, "a;<c@d>;" },
	{ "fdm", "fdm", false, FILE_OF("3 abc\n1 d\n"), 0, 0, "abc;d;" },
};

static int read_case(
	struct import *import, const struct import_case *one, struct err *err)
{
	import_init(import, one->imap, "me@pop.example.org");
	return import_read(import, import_kind(one->kind), "file", one->text, err);
}

static void what_each_program_fetched_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct import_case *one = &good[i];
		struct err err = { 0 };
		struct import import;

		if (read_case(&import, one, &err) < 0)
			fail_msg("%s: %s", one->what, err.text);
		if (import.uidvalidity != one->uidvalidity ||
			import.older != one->older ||
			strcmp(uids(&import), one->uids) != 0)
			fail_msg("%s: UIDVALIDITY %u, older %d, \"%s\"", one->what,
				import.uidvalidity, (int)import.older, uids(&import));
		import_done(&import);
	}
}

static const struct {
	const char *kind;
	bool imap;
	struct span text;
	const char *error; /* how it begins */
} bad[] = {
	{ "mbsync", true, FILE_OF(""), "file:0: mbsync's header" },
	{ "mbsync", true, FILE_OF("FarUidValidity 17\n"), "file:1: mbsync's header" },
	{ "mbsync", true, FILE_OF("NearUidValidity 17\n\n"), "file:2: mbsync's header" },
	{ "mbsync", true, FILE_OF("FarUidValidity 0\n\n1 1 \n"), "file:2: mbsync's" },
	{ "mbsync", true, FILE_OF("FarUidValidity 4294967296\n\n"),
		"file:1: this is no" },
	{ "mbsync", true, FILE_OF("FarUidValidity -1\n\n"), "file:1: this is no" },
	{ "mbsync", true, FILE_OF("Colour 3\n\n"), "file:1: this is no" },
	{ "mbsync", true, FILE_OF("17:9 3:9:9\n1 1 \n"),
		"file:1: this is of mbsync before" },
	{ "mbsync", true, FILE_OF("FarUidValidity 17\n\n1 1 \n2"),
		"file:4: the line has no end" },
	{ "mbsync", true, FILE_OF("FarUidValidity 17\n\n1\n"),
		"file:3: this is no pair" },
	{ "mbsync", true, FILE_OF("FarUidValidity 17\n\n1 x \n"),
		"file:3: this is no pair" },
	{ "mbsync", true, FILE_OF("FarUidValidity 17\n\n1\0 1 \n"),
		"file:3: this is no pair" },
	{ "mbsync", true, FILE_OF("FarUidValidity 17\n\n\n"), "file:3: this is no pair" },
	{ "getmail", true, FILE_OF("5/1\n"), "file:1: this is no line of an oldmail" },
	{ "getmail", true, FILE_OF("51\0001\n"), "file:1: this is no UIDVALIDITY/UID" },
	{ "getmail", true, FILE_OF("None/1\0001\n"),
		"file:1: this is no UIDVALIDITY/UID" },
	{ "getmail", true, FILE_OF("5/INBOX/1\0001\n"),
		"file:1: this is no UIDVALIDITY" },
	{ "getmail", true, FILE_OF("5/0\0001\n"), "file:1: this is no UIDVALIDITY/UID" },
	{ "getmail", false, FILE_OF("a\0001\nb\0-1\n"), "file:2: this is no line of an" },
	{ "getmail", false, FILE_OF("\0001\n"), "file:1: this is no UIDL" },
	{ "mpop", false, FILE_OF("a\n"), "file:1: this is no head" },
	{ "mpop", false, FILE_OF(" 0 pop.example.org me\n"), "file:1: this is no head" },
	{ "mpop", false, FILE_OF(" 9999999999 pop.example.org me\n"),
		"file:1: this is no head" },
	{ "mpop", false, FILE_OF(" 1 pop.example.org\n"), "file:1: this is no head" },
	{ "mpop", false, FILE_OF(" 2 pop.example.org me\na\n"),
		"file:2: the list has fewer" },
	{ "mpop", false, FILE_OF(" 2 a b\na\n 1 c d\ne\n"),
		"file:3: the list has fewer" },
	{ "mpop", false, FILE_OF(" 1 pop.example.org you\na\n"),
		"file: it has nothing of me@pop.example.org, but of you@pop.example.org: --login" },
	{ "mpop", false, FILE_OF(""),
		"file: it has nothing of me@pop.example.org: --login" },
	{ "fetchmail", false, FILE_OF("me a\n"), "file:1: this is no USER@HOST" },
	{ "fetchmail", false, FILE_OF("me@pop.example.org\n"),
		"file:1: this is no USER@HOST" },
	{ "fetchmail", false, FILE_OF("me@pop.example.org  \n"),
		"file:1: this is no UIDL" },
	{ "fetchmail", false, FILE_OF("me@pop.example.org a\0b\n"),
		"file:1: this is no UIDL" },
	{ "fetchmail", false, FILE_OF("you@pop.example.org a\n"),
		"file: it has nothing of" },
	{ "fdm", false, FILE_OF("abc\n"), "file:1: this is no length" },
	{ "fdm", false, FILE_OF("4 abc\n"), "file:1: this is no length" },
	{ "fdm", false, FILE_OF("2 abc\n"), "file:1: this is no length" },
	{ "fdm", false, FILE_OF("0 \n"), "file:1: this is no UIDL" },
	{ "fdm", false, FILE_OF("18446744073709551616 a\n"),
		"file:1: this is no length" },
};

static void what_is_not_of_the_form_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct import_case one = {
			.kind = bad[i].kind, .imap = bad[i].imap, .text = bad[i].text
		};
		struct err err = { 0 };
		struct import import;

		if (read_case(&import, &one, &err) == 0)
			fail_msg("case %zu (%s) was read", i, bad[i].error);
		if (err.kind != ERR_MESSAGE ||
			strncmp(err.text, bad[i].error, strlen(bad[i].error)) != 0)
			fail_msg("case %zu: %s", i, err.text);
		import_done(&import);
	}
}

static void a_line_that_is_too_long_is_refused(void **state)
{
	static char text[IMPORT_LINE_MAX + 3];
	const struct import_case one = { .kind = "fdm",
		.text = { (const uint8_t *)text, sizeof(text) - 1 } };
	struct err err = { 0 };
	struct import import;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 2] = '\n';
	assert_int_equal(read_case(&import, &one, &err), -1);
	assert_string_equal(err.text, "file:1: the line is too long");
	import_done(&import);
}

static void files_of_one_folder_add_up_and_must_agree(void **state)
{
	const struct span first = FILE_OF("FarUidValidity 5\n\n1 1 \n");
	const struct span second = FILE_OF("FarUidValidity 6\n\n2 2 \n");
	const struct import_kind *kind = import_kind("mbsync");
	struct err err = { 0 };
	struct import import;

	(void)state;
	import_init(&import, true, "");
	assert_int_equal(import_read(&import, kind, "a", first, &err), 0);
	assert_int_equal(import_read(&import, kind, "b", first, &err), 0);
	assert_string_equal(uids(&import), "1;1;");
	assert_int_equal(import_read(&import, kind, "c", second, &err), -1);
	assert_string_equal(
		err.text, "c:2: its UIDVALIDITY is not that of the file before");
	import_done(&import);
}

static void a_uidl_is_named_as_where_servers_list_it(void **state)
{
	const struct span text = FILE_OF("8 with#123\n3 a b\n");
	struct err err = { 0 };
	struct import import;

	(void)state;
	import_init(&import, false, "");
	assert_int_equal(import_read(&import, import_kind("fdm"), "f", text, &err), 0);
	assert_int_equal(import.uids.len, 2 * MESSAGE_UID_MAX);
	assert_memory_equal(import.uids.data, "sha256:", 7);
	assert_memory_equal(import.uids.data + MESSAGE_UID_MAX, "sha256:", 7);
	import_done(&import);
}

static void there_is_no_other_kind(void **state)
{
	(void)state;
	assert_null(import_kind("offlineimap"));
	assert_null(import_kind(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_each_program_fetched_is_read),
		cmocka_unit_test(what_is_not_of_the_form_is_refused_with_its_line),
		cmocka_unit_test(a_line_that_is_too_long_is_refused),
		cmocka_unit_test(files_of_one_folder_add_up_and_must_agree),
		cmocka_unit_test(a_uidl_is_named_as_where_servers_list_it),
		cmocka_unit_test(there_is_no_other_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
