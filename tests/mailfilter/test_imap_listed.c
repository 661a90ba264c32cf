/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "mailfilter/imap_listed.h"

struct listed_case {
	const char *in;
	const char
		*out; /* "name separator marks;" for each, "?" for one that is refused */
};

static const struct listed_case cases[] = {
	{ "", "" },
	{ "* LIST () \"/\" INBOX\r\n", "INBOX / 0;" },
	{ "* LIST () \"/\" inBox\r\n", "INBOX / 0;" },
	{ "* list () NIL \"INBOX\"\r\n", "INBOX  0;" },
	{ "* LIST (\\HasNoChildren) \".\" \"Lists.a b\"\r\n", "Lists.a b . 0;" },
	{ "* LIST (\\NoInferiors \\NOSELECT) \"/\" x\r\n", "x / 1;" },
	{ "* LIST (\\NonExistent) \"/\" x\r\n", "x / 1;" },
	{ "* LIST (\\All) \"/\" x\r\n* LIST (\\Trash \\Marked) \"/\" y\r\n",
		"x / 2;y / 4;" },
	{ "* LIST (\\X-Very-Long-Flag-That-Nobody-Ever-Heard-Of) \"/\" x\r\n", "x / 0;" },
	{ "* LIST () \"\\\\\" \"a\\\"b\\\\c\"\r\n", "a\"b\\c \\ 0;" },
	{ "* LIST () \"/\" {7}\r\nEntw \\(\r\n", "Entw \\( / 0;" },
	{ "* LIST () \"/\" {2}\r\n\r\n\r\n* LIST () \"/\" z\r\n", "?z / 0;" },
	{ "* LIST () \"/\" Entw&APw-rfe\r\n", "Entw\xc3\xbcrfe / 0;" },
	{ "* LIST () \"\" x\r\n", "x  0;" },
	{ "* LIST () \"/\" x (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n* LIST () \"/\" y\r\n",
		"x / 0;y / 0;" },
	/* Something is wrong, and the next one is right. */
	{ "* LIST () \"/\" a&b\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST () \"/\" \"\"\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST () \"/\" \"\xc3\xbc\"\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST () / x\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST () \"ab\" x\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST \"/\" x\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST (\\A\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST () \"/\" \"x\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST () \"/\" {99999}\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST () \"/\" {}\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST ({3}\r\n* L) \"/\" x\r\n* LIST () \"/\" y\r\n", "?y / 0;" },
	{ "* LIST () \"/\" {50}\r\nx\r\n", "??" },
	{ "* LIST () \"/\" ", "?" },
	{ "* LIST", "?" },
	{ "{5}\r\nab", "??" },
};

static const char *read_all(struct span in)
{
	static char text[4096];
	struct source_folder folder;
	struct err err;
	size_t used = 0;
	int result;

	text[0] = '\0';
	while ((result = imap_listed_next(&in, &folder, &err)) != 0) {
		if (result < 0)
			assert_int_equal(err.kind, ERR_MESSAGE);
		used += (size_t)(result < 0
					 ? snprintf(text + used, sizeof(text) - used, "?")
					 : snprintf(text + used, sizeof(text) - used,
						   "%s %.1s %u;", folder.name,
						   &folder.separator, folder.marks));
		assert_true(used < sizeof(text));
	}
	assert_int_equal(in.len, 0);
	return text;
}

static void folders_are_read_and_what_is_odd_is_left_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(read_all(span_str(cases[i].in)), cases[i].out);
}

static void a_name_that_is_too_long_is_left_out(void **state)
{
	static const char next[] = "\r\n* LIST () \"/\" y\r\n";
	char line[MESSAGE_FOLDER_MAX * 8] = "* LIST () \"/\" ";
	size_t start = strlen(line);

	(void)state;
	memset(line + start, 'x', sizeof(line) - start - sizeof(next));
	memcpy(line + strlen(line), next, sizeof(next));
	assert_string_equal(read_all(span_str(line)), "?y / 0;");
	line[start + MESSAGE_FOLDER_MAX] = '\0';
	assert_string_equal(read_all(span_str(line)), "?");
}

/* Each byte may be any other: nothing is read past the end, and it comes to an end. */
static void no_changed_byte_does_harm(void **state)
{
	static const char good[] =
		"* LIST (\\Trash) \"/\" {3}\r\nabc\r\n* LIST () NIL \"a\\\\b\"\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		for (unsigned c = 0; c < 256; c++) {
			auto_free uint8_t *bytes = malloc(sizeof(good) - 1);
			struct span in = { bytes, sizeof(good) - 1 };
			struct source_folder folder;

			assert_non_null(bytes);
			memcpy(bytes, good, sizeof(good) - 1);
			bytes[i] = (uint8_t)c;
			for (size_t n = 0; imap_listed_next(&in, &folder, NULL) != 0; n++)
				assert_true(n < sizeof(good));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_read_and_what_is_odd_is_left_out),
		cmocka_unit_test(a_name_that_is_too_long_is_left_out),
		cmocka_unit_test(no_changed_byte_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
