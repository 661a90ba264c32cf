/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "scanner/readings.h"

#define HEAD  "From: a@example.org\nSubject: x\nMIME-Version: 1.0\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\n\n"
#define TEXT  "--b\nContent-Type: text/plain\n\nSome text.\n"
#define OCTET "Content-Type: application/octet-stream\n"
/* "The hidden file that no one is to see." */
#define HIDDEN "The hidden file that no one is to see."
#define BASE64 "VGhlIGhpZGRlbiBmaWxlIHRoYXQgbm8gb25lIGlzIHRvIHNlZS4="
#define QUOTED "=54=68=65 hidden file that no one =69=73 to =\nsee=2e"

enum {
	MAIL_MAX = 64 * 1024 * 1024
};

struct given {
	size_t count, bytes;
	size_t hidden;     /* readings that start with the hidden file */
	size_t start, end; /* of the first of those */
	size_t stop_after;
	struct span passed; /* what a part holds that is of no interest */
};

static int take(void *context, const struct reading *reading, struct err *err)
{
	struct given *given = context;

	(void)err;
	assert_true(reading->bytes.len > 0 && reading->start <= reading->end);
	assert_non_null(reading->why);
	given->count++;
	given->bytes += reading->bytes.len;
	if (span_equal(span_part(reading->bytes, 0, strlen(HIDDEN)), span_str(HIDDEN)) &&
		given->hidden++ == 0) {
		given->start = reading->start;
		given->end = reading->end;
	}
	return given->count == given->stop_after;
}

static bool pass(void *context, struct span bytes)
{
	struct given *given = context;

	return given->passed.len > 0 && span_equal(given->passed, bytes);
}

static bool read_all(struct span message, struct given *given)
{
	const struct reading_to to = { take, pass, given };
	struct mime *mime;
	bool is_cut = false;

	assert_int_equal(mime_parse(message, &mime, NULL), 0);
	assert_int_equal(readings_each(message, mime, &to, &is_cut, NULL), 0);
	mime_free(mime);
	return is_cut;
}

/* What stands in a part is not given, what it may be otherwise is. */
static void what_is_passed_over_is_not_looked_into_but_read_otherwise(void **state)
{
	static const char text[] =
		"begin 644 a\nF5&AE(&AI9&1E;B!F:6QE('1H870@;F\\@;VYE(&ES('1O('-E92X`\n"
		"`\nend\n";
	static const struct {
		const char *head, *body, *known;
		size_t hidden;
	} cases[] = {
		{ HEAD "\n", text, "", 1 },
		{ HEAD "\n", text, text, 0 },
		/* Padding inside: what goes on behind it is passed over, what stops there is not. */
		{ HEAD OCTET "Content-Transfer-Encoding: base64\n\n",
			BASE64 "\nQUJD\nQQ==\n", HIDDEN "ABCA", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct given given = { .passed = span_str(cases[i].known) };
		auto_buf struct buf mail = { .max = MAIL_MAX };

		assert_int_equal(buf_add_str(&mail, cases[i].head, NULL), 0);
		assert_int_equal(buf_add_str(&mail, cases[i].body, NULL), 0);
		assert_false(read_all(buf_span(&mail), &given));
		if ((given.hidden > 0) != (cases[i].hidden > 0))
			fail_msg("case %zu: %zu", i, given.hidden);
	}
}

static void well_formed_mail_has_no_other_reading(void **state)
{
	static const char *const mails[] = {
		HEAD "\nHello,\nthis is text = text, see http://x.example/?a=20&b=c\n",
		HEAD "Content-Type: text/html; charset=utf-8\n"
		     "Content-Transfer-Encoding: quoted-printable\n\n<p a=3D1>=C3=A4 =\n"
		     "b</p>\n",
		MIXED "This is a multi-part message in MIME format.\n" TEXT "--b\n" OCTET
		      "Content-Transfer-Encoding: base64\n\n" BASE64 "\n--b--\n",
		MIXED TEXT "--b\nContent-Type: message/rfc822\n\n" MIXED TEXT
			   "--b--\n--b--\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
		struct given given = { 0 };

		assert_false(read_all(span_str(mails[i]), &given));
		assert_int_equal(given.count, 0);
	}
}

static void other_readings_are_given_with_their_place(void **state)
{
	/* where: a text that stands in the bytes of the reading */
	static const struct {
		const char *mail, *where;
	} cases[] = {
		{ MIXED TEXT "--b\n" OCTET "Content-Transfer-Encoding: 7bit\n"
			     "Content-Transfer-Encoding: base64\n\n" BASE64 "\n--b--\n",
			BASE64 },
		{ MIXED TEXT "--b\n" OCTET "\n" QUOTED "\n--b--\n", QUOTED },
		{ MIXED TEXT "--b\n" OCTET
			     "Content-Transfer-Encoding: x-base64\n\n" BASE64 "\n--b--\n",
			BASE64 },
		{ MIXED TEXT "--b--\n--b\n" OCTET
			     "Content-Transfer-Encoding: base64\n\n" BASE64 "\n--b--\n",
			BASE64 },
		{ MIXED "--x\n" OCTET "Content-Transfer-Encoding: base64\n\n" BASE64
			"\n" TEXT "--b--\n",
			BASE64 },
		{ HEAD "Content-Type: multipart/mixed\n\n" TEXT "--b\n" OCTET
		       "Content-Transfer-Encoding: base64\n\n" BASE64 "\n--b--\n",
			BASE64 },
		{ MIXED TEXT "--b\n" OCTET
			     "Content-Transfer-Encoding: base64\nno field\n" BASE64
			     "VGhlIGhpZGRlbiBmaWxl\n--b--\n",
			BASE64 },
		{ MIXED TEXT "--b\n" OCTET
			     "Content-Transfer-Encoding: base64\n\nQQ==\n" BASE64
			     "VGhlIGhpZGRlbiBmaWxl\n--b--\n",
			BASE64 },
		{ MIXED TEXT "--b\nContent-Type: text/plain\n\n" BASE64 "\n"
			     "VGhlIGhpZGRlbiBmaWxlIHRoYXQ=\n--b--\n",
			BASE64 },
		{ HEAD "\nbegin 644 a\nF5&AE(&AI9&1E;B!F:6QE('1H870@;F\\@;VYE(&ES('1O('-E92X`\n"
		       "`\nend\n",
			"begin 644" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct given given = { 0 };
		struct span mail = span_str(cases[i].mail);

		assert_false(read_all(mail, &given));
		if (given.hidden == 0)
			fail_msg("case %zu: not in %zu readings", i, given.count);
		assert_true((ptrdiff_t)given.start <=
			    span_find(mail, span_str(cases[i].where)));
		assert_true(
			(ptrdiff_t)given.end > span_find(mail, span_str(cases[i].where)));
	}
}

static void the_caller_may_have_enough(void **state)
{
	struct given given = { .stop_after = 1 };

	(void)state;
	assert_true(read_all(
		span_str(HEAD "Content-Type: multipart/mixed\n\n" TEXT "--b\n" OCTET
			      "Content-Transfer-Encoding: base64\n\n" BASE64 "\n--b--\n"),
		&given));
	assert_int_equal(given.count, 1);
}

static void endless_doubts_are_cut(void **state)
{
	auto_buf struct buf mail;
	struct given given = { 0 };

	(void)state;
	buf_init(&mail, MAIL_MAX);
	assert_int_equal(buf_add_str(&mail, HEAD "\n", NULL), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_add_str(&mail, "QUFBQUFBQUE=\n", NULL), 0);
	assert_true(read_all(buf_span(&mail), &given));
	assert_true(given.count <= READINGS_MAX);
	assert_true(
		given.bytes <= mail.len * READINGS_BYTES_TIMES + READINGS_BYTES_SPARE);
}

/* A few bytes decoded from many, from many places. */
static void endless_looking_is_cut(void **state)
{
	auto_buf struct buf mail;
	struct given given = { 0 };

	(void)state;
	buf_init(&mail, MAIL_MAX);
	assert_int_equal(buf_add_str(&mail, HEAD "\n", NULL), 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(buf_add_str(&mail, "QUFBQUFBQUE=\n", NULL), 0);
	for (int i = 0; i < 1000 * 1000; i++)
		assert_int_equal(buf_add_str(&mail, "\n", NULL), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_add_str(&mail, "QUFBQUFBQUE=\n", NULL), 0);
	assert_true(read_all(buf_span(&mail), &given));
	assert_in_range(given.count, 1, READINGS_LOOK_TIMES + 20);
}

static void messages_in_messages_end(void **state)
{
	auto_buf struct buf mail, next;
	struct given given = { 0 };

	(void)state;
	buf_init(&mail, MAIL_MAX);
	buf_init(&next, MAIL_MAX);
	assert_int_equal(buf_add_str(&mail, HEAD "\nText.\n", NULL), 0);
	for (int i = 0; i < 12; i++) {
		buf_clear(&next);
		assert_int_equal(
			buf_add_str(&next,
				"Content-Type: message/rfc822\n"
				"Content-Transfer-Encoding: quoted-printable\n\n",
				NULL),
			0);
		assert_int_equal(buf_add(&next, mail.data, mail.len, NULL), 0);
		buf_clear(&mail);
		assert_int_equal(buf_add(&mail, next.data, next.len, NULL), 0);
	}
	assert_true(read_all(buf_span(&mail), &given));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_is_passed_over_is_not_looked_into_but_read_otherwise),
		cmocka_unit_test(well_formed_mail_has_no_other_reading),
		cmocka_unit_test(other_readings_are_given_with_their_place),
		cmocka_unit_test(the_caller_may_have_enough),
		cmocka_unit_test(endless_doubts_are_cut),
		cmocka_unit_test(endless_looking_is_cut),
		cmocka_unit_test(messages_in_messages_end),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
