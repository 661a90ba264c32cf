/* SPDX-License-Identifier: ISC */
#include "tests/common/parsed.h"

static void ordinary_mail_has_exact_parts_and_no_doubts(void **state)
{
	static const struct example table[] = {
		{ "Subject: a\n\nHello\n", " text/plain <Hello\n>\n", 0 },
		{ "Subject: a\n\nno line end", " text/plain <no line end>\n", 0 },
		{ "Subject: a\n\n", " text/plain <>\n", 0 },
		{ "\nbody\n", " text/plain <body\n>\n", 0 },
		{ "From a@b Mon\nSubject: a\n\nHello\n", " text/plain <Hello\n>\n", 0 },
		{ "Content-Type: TEXT/HTML\n\n<b>\n", " text/html <<b>\n>\n", 0 },
		{ MIXED "preamble\n--b\n\nHello\n\n--b\nContent-Type: image/png\n\nPNG\n--b--\n"
			"epilogue\n",
			" multipart/mixed *\n1 text/plain <Hello\n>\n2 image/png <PNG>\n",
			0 },
		{ MIXED "--b\n\none\n--b  \n\ntwo\n--b-- \t\n",
			" multipart/mixed *\n1 text/plain <one>\n2 text/plain <two>\n",
			0 },
		{ MIXED "--b\n\none\n--b--", " multipart/mixed *\n1 text/plain <one>\n",
			0 },
		/* Empty bodies, and lines that are nearly delimiters. */
		{ MIXED "--b\n\n--b\n\n\n--b--\n",
			" multipart/mixed *\n1 text/plain <>\n2 text/plain <>\n", 0 },
		{ MIXED "--b\n\n--\n-- \n---b\n--c\n --b\nx--b\n--b--\n",
			" multipart/mixed *\n1 text/plain <--\n-- \n---b\n--c\n --b\nx--b>\n",
			0 },
		/* The inner boundary starts with the outer one. */
		{ MIXED "--b\nContent-Type: multipart/alternative; boundary=b-1\n\n--b-1\n\none\n"
			"--b-1--\n--b\n\ntwo\n--b--\n",
			" multipart/mixed *\n1 multipart/alternative *\n1.1 text/plain <one>\n"
			"2 text/plain <two>\n",
			0 },
		{ MIXED "--b\nContent-Type: message/rfc822\n\nSubject: in\n\ninner\n--b--\n",
			" multipart/mixed *\n1 message/rfc822 *\n1.1 text/plain <inner>\n",
			0 },
		{ MIXED "--b\n\none\n--b\nContent-Type: message/rfc822\n\nContent-Type: "
			"multipart/mixed; boundary=c\n\n--c\n\ntwo\n--c\n\nthree\n--c--\n--b--\n",
			" multipart/mixed *\n1 text/plain <one>\n2 message/rfc822 *\n"
			"2.TEXT multipart/mixed *\n2.1 text/plain <two>\n2.2 text/plain <three>\n",
			0 },
		{ "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nSubject: in\n"
		  "\nhi",
			" message/rfc822 *\n1.1 message/rfc822 *\n1.1.1 text/plain <hi>\n",
			0 },
		{ "Content-Type: message/rfc822\n\n" MIXED "--b\n\none\n--b--\n",
			" message/rfc822 *\n1.TEXT multipart/mixed *\n1.1 text/plain <one>\n",
			0 },
		{ "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\none\n--b\n"
		  "Content-Type: text/plain\n\ntwo\n--b--\n",
			" multipart/digest *\n1 message/rfc822 *\n1.1 text/plain <one>\n"
			"2 text/plain <two>\n",
			0 },
		{ "Content-Type: multipart/report;\n boundary=\"=_a b:c\"\n\n--=_a b:c\n\none\n"
		  "--=_a b:c\nContent-Type: message/delivery-status\n\nX: y\n\nZ: a\n"
		  "--=_a b:c--\n",
			" multipart/report *\n1 text/plain <one>\n"
			"2 message/delivery-status <X: y\n\nZ: a>\n",
			0 },
	};

	(void)state;
	expect_all(table, COUNT(table));
}

static void odd_structure_is_read_and_doubted(void **state)
{
	static const struct example table[] = {
		/* No terminator, of the root and of an inner multipart. */
		{ MIXED "--b\n\none\n", " multipart/mixed *\n1 text/plain <one\n>\n",
			MIME_DOUBT_PARSER },
		{ MIXED "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b\n\n"
			"two\n--b--\n",
			" multipart/mixed *\n1 multipart/mixed *\n1.1 text/plain <one>\n"
			"2 text/plain <two>\n",
			MIME_DOUBT_PARSER },
		{ MIXED "--b\n", " multipart/mixed *\n1 text/plain <>\n",
			MIME_DOUBT_PARSER },
		/* Headers that a delimiter cuts. */
		{ MIXED "--b\n--b\n\none\n--b--\n",
			" multipart/mixed *\n1 text/plain <>\n2 text/plain <one>\n",
			MIME_DOUBT_PARSER },
		{ MIXED "--b\nContent-Type: message/rfc822\n\n--b--\n",
			" multipart/mixed *\n1 message/rfc822 *\n1.1 text/plain <>\n",
			MIME_DOUBT_PARSER },
		/* A multipart in which no part starts is a leaf. */
		{ MIXED "nothing\n", " multipart/mixed <nothing\n>\n",
			MIME_DOUBT_PARSER },
		{ MIXED "--b--\nnothing\n", " multipart/mixed <--b--\nnothing\n>\n",
			MIME_DOUBT_PARSER },
		{ "Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n",
			" multipart/mixed <--b\n\none\n--b--\n>\n", MIME_DOUBT_PARSER },
		{ MIXED "--b\n\none\n--b--\n--b\n\ntwo\n--b--\n",
			" multipart/mixed *\n1 text/plain <one>\n", MIME_DOUBT_EPILOGUE },
		{ MIXED "--b\n\none\n--b--\n--c\nContent-Type: a/b\n\ntwo\n",
			" multipart/mixed *\n1 text/plain <one>\n", MIME_DOUBT_EPILOGUE },
		{ MIXED "--b\n\none\n--b--\n____\n-- \n-----\nlist footer\n",
			" multipart/mixed *\n1 text/plain <one>\n", 0 },
		{ MIXED "--b\n\none\n--bc\n\ntwo\n--b--\n",
			" multipart/mixed *\n1 text/plain <one\n--bc\n\ntwo>\n",
			MIME_DOUBT_PARSER },
		{ MIXED "--b\n\none\n--b--c\n--b--\n",
			" multipart/mixed *\n1 text/plain <one\n--b--c>\n",
			MIME_DOUBT_PARSER },
		{ MIXED "--b\nContent-Type: multipart/mixed; boundary=b--\n\n--b--\n\none\n--b----\n"
			"--b--\n",
			" multipart/mixed *\n1 multipart/mixed *\n1.1 text/plain <one>\n",
			MIME_DOUBT_PARSER | MIME_DOUBT_EPILOGUE },
	};

	(void)state;
	expect_all(table, COUNT(table));
}

static void ranges_of_what_has_parts_are_exact(void **state)
{
	static const char text[] =
		"A: b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n"
		"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\none\r\n--c--\r\nepi\r\n"
		"--b\r\nContent-Type: message/rfc822\r\n\r\nS: t\r\n\r\ntwo\r\n--b--\r\nend\r\n";
	static const char *const headers[] = {
		"A: b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
		"Content-Type: multipart/mixed; boundary=c\r\n\r\n", "\r\n",
		"Content-Type: message/rfc822\r\n\r\n", "S: t\r\n\r\n"
	};
	static const char *const bodies[] = { NULL, "--c\r\n\r\none\r\n--c--\r\nepi",
		"one", "S: t\r\n\r\ntwo", "two" };
	const struct span message = span_str(text);
	struct mime *mime = parse(message);

	(void)state;
	assert_int_equal(5, mime->count);
	assert_int_equal(0, mime->doubts);
	assert_string_equal("\r\n", mime->eol);
	for (size_t i = 0; i < 5; i++) {
		const struct mime_part *part = &mime->parts[i];

		assert_true(span_equal(span_str(headers[i]),
			span_part(message, part->header_start,
				part->body_start - part->header_start)));
		if (bodies[i])
			assert_true(
				span_equal(span_str(bodies[i]), body_of(message, part)));
	}
	assert_int_equal(message.len, mime->parts[0].end);
	mime_free(mime);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_mail_has_exact_parts_and_no_doubts),
		cmocka_unit_test(odd_structure_is_read_and_doubted),
		cmocka_unit_test(ranges_of_what_has_parts_are_exact),
	};
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
