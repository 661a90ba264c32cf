/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/headers.h"

enum {
	ROOM = 1024 * 1024
};

#define OURS "X-Virus-Status: infected\r\nX-Virus-Scanned: mailfilter\r\n"
#define ID   "X-Quarantine-ID: q1\r\n"

static void mark(struct span message, const char *eol, const char *status, const char *id,
	struct body *out)
{
	struct edits edits = { 0 };
	struct err err = { 0 };

	body_init(out, "/tmp", ROOM);
	assert_int_equal(0, headers_mark(message, eol, status, id, &edits, &err));
	edits_sort(&edits);
	assert_int_equal(0, edits_apply(&edits, message, out, &err));
	edits_done(&edits);
}

static void expect(
	const char *message, const char *eol, const char *id, const char *wanted)
{
	auto_body struct body out;
	struct err err;
	struct span got;

	mark(span_str(message), eol, "infected", id, &out);
	assert_int_equal(0, body_span(&out, &got, &err));
	if (!span_equal(got, span_str(wanted)))
		fail_msg("got <%.*s>, wanted <%s>", (int)got.len, got.data, wanted);
}

struct example {
	const char *message, *id, *wanted;
};

static void marks_each_kind_of_message(void **state)
{
	static const struct example table[] = {
		{ "Subject: a\r\n\r\nb", "", OURS "Subject: a\r\n\r\nb" },
		{ "Subject: a\r\n\r\nb", "q1", OURS ID "Subject: a\r\n\r\nb" },
		{ "", "q1", OURS ID },
		{ "\r\nno header", "", OURS "\r\nno header" },
		{ "From a@b Mon\r\nSubject: a\r\n\r\nb", "",
			"From a@b Mon\r\n" OURS "Subject: a\r\n\r\nb" },
		{ "From a@b", "", "From a@b\r\n" OURS },
		{ "From : a@b\r\n\r\n", "", OURS "From : a@b\r\n\r\n" },
		{ " X: folded first line\r\n\r\n", "q1",
			OURS ID "X-Old-Line: \r\n X: folded first line\r\n\r\n" },
		/* The body is not looked at. */
		{ "A: b\r\n\r\nX-Virus-Status: c\r\n", "",
			OURS "A: b\r\n\r\nX-Virus-Status: c\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect(table[i].message, "\r\n", table[i].id, table[i].wanted);
}

static void renames_what_could_be_forged(void **state)
{
	static const struct example table[] = {
		{ "X-Virus-Status: clean\r\n\r\n", "",
			OURS "X-Old-Virus-Status: clean\r\n\r\n" },
		{ "x-VIRUS-scanned: by me\r\n twice\r\nX-Quarantine-Id:q\r\n\r\n", "",
			OURS "x-Old-VIRUS-scanned: by me\r\n twice\r\n"
			     "X-Old-Quarantine-Id:q\r\n\r\n" },
		{ "X-Virus-Status \t: clean\r\n\r\n", "",
			OURS "X-Old-Virus-Status \t: clean\r\n\r\n" },
		{ "X-Virus-Status\r\n : clean\r\n\r\n", "",
			OURS "X-Old-Virus-Status\r\n : clean\r\n\r\n" },
		{ "A: b\rX-Virus-Status: clean\r\n\r\n", "",
			OURS "A: b\rX-Old-Virus-Status: clean\r\n\r\n" },
		{ "junk line\r\nX-Virus-Status: clean", "",
			OURS "junk line\r\nX-Old-Virus-Status: clean" },
		/* Others, and a value that holds a name, stay. */
		{ "X-Virus-Status-2: a\r\nX-Spam-Status: X-Virus-Status: b\r\n"
		  " X-Virus-Status: folded\r\nX-Virus: c\r\n\r\n",
			"",
			OURS "X-Virus-Status-2: a\r\nX-Spam-Status: X-Virus-Status: b\r\n"
			     " X-Virus-Status: folded\r\nX-Virus: c\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect(table[i].message, "\r\n", table[i].id, table[i].wanted);
}

static void uses_the_line_end_it_is_given(void **state)
{
	(void)state;
	expect("X-Virus-Status: a\nB: c\n\nd\n", "\n", "q",
		"X-Virus-Status: infected\nX-Virus-Scanned: mailfilter\n"
		"X-Quarantine-ID: q\nX-Old-Virus-Status: a\nB: c\n\nd\n");
}

static size_t count(struct span text, const char *needle)
{
	size_t found = 0;
	ptrdiff_t at;

	while ((at = span_find(text, span_str(needle))) >= 0) {
		text = span_part(text, (size_t)at + 1, text.len);
		found++;
	}
	return found;
}

static void marking_twice_leaves_one_status_that_counts(void **state)
{
	auto_body struct body once, twice;
	struct span text;
	struct err err;

	(void)state;
	mark(span_str("Subject: a\r\n\r\nb"), "\r\n", "infected", "q1", &once);
	assert_int_equal(0, body_span(&once, &text, &err));
	mark(text, "\r\n", "encrypted", "q2", &twice);
	assert_int_equal(0, body_span(&twice, &text, &err));
	assert_int_equal(1, count(text, "X-Virus-Status: "));
	assert_int_equal(1, count(text, "X-Virus-Status: encrypted\r\n"));
	assert_int_equal(1, count(text, "X-Old-Virus-Status: infected\r\n"));
	assert_int_equal(1, count(text, "X-Old-Quarantine-ID: q1\r\n"));
	assert_int_equal(1, count(text, "X-Quarantine-ID: q2\r\n"));
}

static void nothing_breaks_out_of_its_line(void **state)
{
	static const char evil[] = "a\r\nBcc: x@y\r\n\r\n<script>\x1b[2J\x80\xff";
	char longest[5000];
	auto_body struct body out, cut;
	struct span text;
	struct err err;

	(void)state;
	mark(span_str("A: b\r\n\r\n"), "\r\n", evil, evil, &out);
	assert_int_equal(0, body_span(&out, &text, &err));
	assert_int_equal(0, count(text, "\nBcc:"));
	assert_int_equal(0, count(text, "\x1b"));
	assert_int_equal(5, count(text, "\r\n"));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	mark(span_str("A: b\r\n\r\n"), "\r\n", longest, longest, &cut);
	assert_int_equal(0, body_span(&cut, &text, &err));
	assert_int_equal(2 * HEADERS_VALUE_MAX, count(text, "x"));
}

static void too_many_forged_fields_are_the_messages_fault(void **state)
{
	auto_buf struct buf message;
	struct edits edits = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&message, ROOM);
	for (size_t i = 0; i < EDITS_MAX + 1; i++)
		assert_int_equal(0, buf_add_str(&message, "X-Virus-Status: a\n", &err));
	assert_int_equal(
		-1, headers_mark(buf_span(&message), "\n", "clean", "", &edits, &err));
	assert_int_equal(ERR_MESSAGE, err.kind);
	edits_done(&edits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_each_kind_of_message),
		cmocka_unit_test(renames_what_could_be_forged),
		cmocka_unit_test(uses_the_line_end_it_is_given),
		cmocka_unit_test(marking_twice_leaves_one_status_that_counts),
		cmocka_unit_test(nothing_breaks_out_of_its_line),
		cmocka_unit_test(too_many_forged_fields_are_the_messages_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
