/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/mime.h"
#include "common/utf8.h"

enum {
	ROOM = 64 * 1024 * 1024
};

#define MIXED "Content-Type: multipart/mixed; boundary=\"b\"\n\n"

static struct mime *parse(struct span message)
{
	struct mime *mime = NULL;
	struct err err = { 0 };

	assert_int_equal(0, mime_parse(message, &mime, &err));
	assert_non_null(mime);
	return mime;
}

static struct span body_of(struct span message, const struct mime_part *part)
{
	return span_part(message, part->body_start, part->end - part->body_start);
}

/* "PATH type <body>" for each leaf, "PATH type *" for what has parts; LF for all line ends. */
static void describe(struct span message, const struct mime *mime, struct buf *out)
{
	struct err err = { 0 };

	for (size_t i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];
		struct span body = body_of(message, part);

		assert_int_equal(
			0, buf_printf(out, &err, "%s %s ", part->path, part->type));
		if (part->is_composite)
			body = span_str("*");
		else
			assert_int_equal(0, buf_add_str(out, "<", &err));
		for (size_t at = 0; at < body.len; at++)
			if (body.data[at] != '\r')
				assert_int_equal(
					0, buf_add(out, body.data + at, 1, &err));
		assert_int_equal(
			0, buf_add_str(out, part->is_composite ? "\n" : ">\n", &err));
	}
}

/* What must hold for any bytes. */
static void check_shape(struct span message, const struct mime *mime)
{
	assert_true(mime->count >= 1 && mime->count <= MIME_PARTS_MAX);
	for (size_t i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];
		const struct mime_part *parent =
			part->parent >= 0 ? &mime->parts[part->parent] : NULL;

		assert_true(part->header_start <= part->body_start);
		assert_true(part->body_start <= part->end && part->end <= message.len);
		assert_true(part->parent < (ptrdiff_t)i && (i == 0) == !parent);
		assert_true(part->depth == (parent ? parent->depth + 1 : 0));
		assert_true(part->depth <= MIME_DEPTH_MAX);
		if (!parent)
			continue;
		assert_true(parent->is_composite);
		assert_true(part->header_start >= parent->body_start);
		assert_true(part->end <= parent->end);
		if (mime->parts[i - 1].parent == part->parent)
			assert_true(mime->parts[i - 1].end <= part->header_start);
	}
}

/* The same with CRLF in place of LF. */
static void to_crlf(const char *text, struct buf *out)
{
	struct err err = { 0 };

	for (; *text; text++)
		assert_int_equal(0, *text == '\n' ? buf_add_str(out, "\r\n", &err)
						  : buf_add(out, text, 1, &err));
}

struct example {
	const char *message, *parts;
	unsigned doubts;
};

static void expect_parts(struct span message, const char *wanted, unsigned doubts)
{
	struct mime *mime = parse(message);
	auto_buf struct buf got;

	buf_init(&got, ROOM);
	check_shape(message, mime);
	describe(message, mime, &got);
	if (!span_equal(buf_span(&got), span_str(wanted)))
		fail_msg("<%.*s>\ngot:\n%.*swanted:\n%s", (int)message.len, message.data,
			(int)got.len, got.data, wanted);
	if (mime->doubts != doubts)
		fail_msg("<%.*s>\ndoubts %#x, wanted %#x", (int)message.len, message.data,
			mime->doubts, doubts);
	mime_free(mime);
}

/* As they stand, and with CRLF: the parts are the same. */
static void expect_all(const struct example *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_buf struct buf crlf;

		buf_init(&crlf, ROOM);
		to_crlf(table[i].message, &crlf);
		expect_parts(span_str(table[i].message), table[i].parts, table[i].doubts);
		expect_parts(buf_span(&crlf), table[i].parts, table[i].doubts);
	}
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

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

static void each_doubt_is_found(void **state)
{
	static const struct example table[] = {
		{ "Content-Type: text/plain\nContent-Type: text/plain\n\nx\n",
			" text/plain <x\n>\n", MIME_DOUBT_DUPLICATE },
		{ "Content-Type: text/plain; charset=a; charset=b\n\nx\n",
			" text/plain <x\n>\n", MIME_DOUBT_DUPLICATE },
		{ "Content-Type: text/plain; name=a\nContent-Disposition: attachment; filename=b"
		  "\n\nx\n",
			" text/plain <x\n>\n", MIME_DOUBT_DUPLICATE },
		{ "Content-Transfer-Encoding: \"base64\"\n\nSGk=\n",
			" text/plain <SGk=\n>\n", MIME_DOUBT_ENCODING },
		{ "Content-Transfer-Encoding: base64;\n\nSGk=\n",
			" text/plain <SGk=\n>\n", MIME_DOUBT_ENCODING },
		{ "Content-Transfer-Encoding: x-odd\n\nx\n", " text/plain <x\n>\n",
			MIME_DOUBT_ENCODING },
		{ "Content-Transfer-Encoding:\n\nx\n", " text/plain <x\n>\n",
			MIME_DOUBT_ENCODING },
		{ "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nSGk=\n",
			" message/rfc822 <SGk=\n>\n", MIME_DOUBT_ENCODING },
		{ "Content-Transfer-Encoding: base64\n\nSGk=SGk=\n",
			" text/plain <SGk=SGk=\n>\n", MIME_DOUBT_BASE64 },
		{ "Content-Transfer-Encoding: base64\n\nSG!k=\n",
			" text/plain <SG!k=\n>\n", MIME_DOUBT_BASE64 },
		{ "Content-Transfer-Encoding: base64\n\nSGk\n", " text/plain <SGk\n>\n",
			MIME_DOUBT_BASE64 },
		{ "Subject: a\n\n\x01\n", " text/plain <\x01\n>\n", MIME_DOUBT_BINARY },
		{ "Subject: \xc3\xa4\n\nx\n", " text/plain <x\n>\n", MIME_DOUBT_BINARY },
		{ "Content-Type: message/partial; id=a\n\nx\n",
			" message/partial <x\n>\n", MIME_DOUBT_PARTIAL },
		{ "Content-Type: message/external-body; access-type=url\n\nx\n",
			" message/external-body <x\n>\n", MIME_DOUBT_PARTIAL },
		{ "Content-Type: application/pkcs7-mime\n\nx\n",
			" application/pkcs7-mime <x\n>\n", MIME_DOUBT_ENCRYPTED },
		{ "Content-Type: application/x-pkcs7-mime; smime-type=signed-data\n\nx\n",
			" application/x-pkcs7-mime <x\n>\n", 0 },
		{ "Subject: a\n\n-----BEGIN PGP MESSAGE-----\n",
			" text/plain <-----BEGIN PGP MESSAGE-----\n>\n",
			MIME_DOUBT_ENCRYPTED },
		{ "Subject: a\n\nbegin 644 a.exe\n", " text/plain <begin 644 a.exe\n>\n",
			MIME_DOUBT_EMBEDDED },
		{ "Subject: a\n\nbegin the 644 a\nbegin 9 a\n",
			" text/plain <begin the 644 a\nbegin 9 a\n>\n", 0 },
		{ "Content-Transfer-Encoding: quoted-printable\n\n=62egin 644 a.exe\n",
			" text/plain <=62egin 644 a.exe\n>\n", MIME_DOUBT_EMBEDDED },
		{ "Content-Transfer-Encoding: base64\n\nYmVnaW4gNjQ0IGEuZXhlCg==\n",
			" text/plain <YmVnaW4gNjQ0IGEuZXhlCg==\n>\n",
			MIME_DOUBT_EMBEDDED },
		{ "Content-Type : text/plain\n\nx\n", " text/plain <x\n>\n",
			MIME_DOUBT_PARSER },
		{ "Content-Type: text/plain\n \t\n\nx\n", " text/plain <x\n>\n",
			MIME_DOUBT_PARSER },
		{ "junk\nSubject: a\n\nx\n", " text/plain <x\n>\n", MIME_DOUBT_PARSER },
		{ "Content-Type: text/plain (a)\n\nx\n", " text/plain <x\n>\n",
			MIME_DOUBT_PARSER },
		{ "Content-Type: multipart/mixed; boundary*=us-ascii''%62\n\n--b\n\nx\n--b--\n",
			" multipart/mixed *\n1 text/plain <x>\n", MIME_DOUBT_PARSER },
	};

	(void)state;
	expect_all(table, COUNT(table));
}

static void odd_line_ends_are_doubted(void **state)
{
	static const struct example table[] = {
		{ "Subject: a\r\rx\n\nx\n", " text/plain <x\n>\n", MIME_DOUBT_LINES },
		{ "Subject: a\r\n\r\nx\n", " text/plain <x\n>\n", MIME_DOUBT_LINES },
		{ "Subject: a\n\nx\r\n", " text/plain <x\n>\n", MIME_DOUBT_LINES },
		{ "Subject: a\r\n\r\nx\r\r\n", " text/plain <x\n>\n", MIME_DOUBT_LINES },
		{ "Subject: a\r\n\r\nx\r", " text/plain <x>\n", MIME_DOUBT_LINES },
		{ "\r\n\r\n\r\n", " text/plain <\n\n>\n", 0 },
	};
	char longest[1100] = "A: b\n\n";

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		expect_parts(span_str(table[i].message), table[i].parts, table[i].doubts);
	memset(longest + 6, 'x', 998);
	for (size_t over = 0; over < 2; over++) {
		struct mime *mime = parse(span_str(longest));

		assert_int_equal(over ? MIME_DOUBT_LINES : 0, mime->doubts);
		mime_free(mime);
		longest[6 + 998] = 'x';
	}
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

struct named {
	const char *header, *name;
	bool has_name, is_attachment;
};

static void names_are_decoded(void **state)
{
	static const struct named table[] = {
		{ "Content-Type: a/b", "", false, false },
		{ "Content-Type: a/b; name=\"x y.exe\"", "x y.exe", true, false },
		{ "Content-Type: a/b; name=x.exe", "x.exe", true, false },
		{ "Content-Disposition: attachment", "", false, true },
		{ "Content-Disposition: inline; filename=\"a.txt\"", "a.txt", true,
			false },
		{ "Content-Disposition: attachment; filename=\"\"", "", true, true },
		{ "Content-Disposition: ATTACHMENT; FileName*=utf-8''%c3%a4.exe",
			"\xc3\xa4.exe", true, true },
		{ "Content-Disposition: attachment; filename*0=a.; filename*1=exe",
			"a.exe", true, true },
		{ "Content-Type: a/b; name=\"=?utf-8?b?w6Q=?=.exe\"", "\xc3\xa4.exe",
			true, false },
		{ "Content-Disposition: attachment; filename=\"../../x\"", "../../x",
			true, true },
		{ "Content-Type: a/b; filename=x", "", true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		char text[256];
		struct mime *mime;

		(void)snprintf(text, sizeof(text), "%s\n\nx\n", table[i].header);
		mime = parse(span_str(text));
		assert_string_equal(table[i].name, mime->parts[0].name);
		assert_int_equal(table[i].has_name, mime->parts[0].has_name);
		assert_int_equal(table[i].is_attachment, mime->parts[0].is_attachment);
		mime_free(mime);
	}
}

static struct buf repeated(
	const char *before, const char *each, size_t count, const char *after)
{
	struct buf text;
	struct err err = { 0 };

	buf_init(&text, ROOM);
	assert_int_equal(0, buf_add_str(&text, before, &err));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(0, buf_add_str(&text, each, &err));
	assert_int_equal(0, buf_add_str(&text, after, &err));
	return text;
}

static void long_names_keep_their_end_and_are_cut_between_characters(void **state)
{
	auto_buf struct buf text =
		repeated("Content-Disposition: attachment; filename*=utf-8''x", "%c3%a4",
			200, ".exe\n\nx\n");
	struct mime *mime = parse(buf_span(&text));
	const char *name = mime->parts[0].name;

	(void)state;
	assert_in_range(strlen(name), MIME_NAME_MAX - 3, MIME_NAME_MAX - 1);
	assert_true(utf8_valid(span_str(name)));
	assert_memory_equal("x\xc3\xa4", name, 3);
	assert_string_equal("\xc3\xa4.exe", name + strlen(name) - 6);
	mime_free(mime);
}

struct limit {
	const char *before, *each;
	size_t count;
	const char *after;
	unsigned doubts; /* at least */
	size_t parts;
};

static void limits_hold_and_are_told(void **state)
{
	static const struct limit table[] = {
		{ "A: ", "x", MIME_FIELD_BYTES_MAX, "\n\nx", MIME_DOUBT_HEADER_LIMIT, 1 },
		{ "", "A: b\n", MIME_HEADER_FIELDS_MAX, "\nx", 0, 1 },
		{ "", "A: b\n", MIME_HEADER_FIELDS_MAX + 1, "\nx",
			MIME_DOUBT_HEADER_LIMIT, 1 },
		{ "",
			"A: 4567890 234567890 234567890 234567890 234567890 234567890 234567890 "
			"234567890 234567890 234567890 234567890 234567890 234567890 234567890 "
			"234567890 234567890 234567890 234567890 234567890 234567890 234567890 "
			"234567890 234567890 234567890 234567890 234567890 234567890 234567890 "
			"234567890\n",
			950, "\nx", MIME_DOUBT_HEADER_LIMIT, 1 },
		{ "Content-Type: a/b", "; c=d", 5000, "\n\nx", MIME_DOUBT_HEADER_LIMIT,
			1 },
		{ "To: ", "a:", 20000, "\n\nx", MIME_DOUBT_HEADER_LIMIT, 1 },
		/* The same in a nested block. */
		{ MIXED "--b\n", "A: b\n", MIME_HEADER_FIELDS_MAX + 1,
			"Content-Type: message/rfc822\n\nx\n--b--\n",
			MIME_DOUBT_HEADER_LIMIT, 2 },
		{ MIXED, "--b\n\nx\n", MIME_PARTS_MAX - 1, "--b--\n", 0, MIME_PARTS_MAX },
		{ MIXED, "--b\n\nx\n", MIME_PARTS_MAX, "--b--\n", MIME_DOUBT_PARTS,
			MIME_PARTS_MAX },
		{ MIXED, "--b\n", 100000, "--b--\n", MIME_DOUBT_PARTS, MIME_PARTS_MAX },
		{ "", "Content-Type: message/rfc822\n\n", MIME_DEPTH_MAX, "\nx", 0,
			MIME_DEPTH_MAX + 1 },
		{ "", "Content-Type: message/rfc822\n\n", MIME_DEPTH_MAX + 1, "\nx",
			MIME_DOUBT_DEPTH, MIME_DEPTH_MAX + 1 },
		{ "", "Content-Type: message/rfc822\n\n", 100000, "\nx", MIME_DOUBT_DEPTH,
			MIME_DEPTH_MAX + 1 },
		{ "", MIXED "--b\n", 60000, "\nx", MIME_DOUBT_DEPTH | MIME_DOUBT_PARTS,
			MIME_PARTS_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		auto_buf struct buf text = repeated(
			table[i].before, table[i].each, table[i].count, table[i].after);
		struct mime *mime = parse(buf_span(&text));

		check_shape(buf_span(&text), mime);
		if (mime->count != table[i].parts ||
			(mime->doubts & table[i].doubts) != table[i].doubts ||
			(table[i].doubts == 0 && mime->doubts != 0))
			fail_msg("%zu: %zu parts, doubts %#x", i, mime->count,
				mime->doubts);
		mime_free(mime);
	}
}

static void what_is_over_a_limit_is_a_leaf_of_no_type(void **state)
{
	auto_buf struct buf text = repeated(
		"Content-Type: text/plain\n", "A: b\n", MIME_HEADER_FIELDS_MAX, "\nbody");
	struct mime *mime = parse(buf_span(&text));

	(void)state;
	assert_string_equal("application/octet-stream", mime->parts[0].type);
	assert_true(
		span_equal(span_str("body"), body_of(buf_span(&text), &mime->parts[0])));
	mime_free(mime);
}

static void paths_are_unique_at_any_depth(void **state)
{
	auto_buf struct buf text =
		repeated("", "Content-Type: message/rfc822\n\n", MIME_DEPTH_MAX, "\nx");
	struct mime *mime = parse(buf_span(&text));

	(void)state;
	for (size_t i = 1; i < mime->count; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(mime->parts[i].path, mime->parts[j].path);
	mime_free(mime);
}

/* A header that GMime is slow or deep with, or could be. */
static void hostile_headers_end_soon(void **state)
{
	static const char *const fields[] = { "To: ", "Subject: ",
		"Content-Type: a/b; c=", "Content-Disposition: ", "References: ",
		"Content-Transfer-Encoding: " };
	static const char *const fills[] = { "(", "<", "\"", "\\", "a@b,", "=?",
		"=?a?q?b?= ", "[", ",", "*0=", "%", "a:" };

	(void)state;
	for (size_t i = 0; i < COUNT(fields) * COUNT(fills); i++) {
		const char *fill = fills[i % COUNT(fills)];
		auto_buf struct buf text = repeated(
			fields[i / COUNT(fills)], fill, 60000 / strlen(fill), "\n\nx\n");
		struct mime *mime = parse(buf_span(&text));

		check_shape(buf_span(&text), mime);
		mime_free(mime);
	}
}

struct coded {
	enum mime_encoding encoding;
	const char *from, *to;
};

static void decoding_is_lenient(void **state)
{
	static const struct coded table[] = {
		{ MIME_IDENTITY, "a=\r\nb", "a=\r\nb" },
		{ MIME_BASE64, "", "" },
		{ MIME_BASE64, "SGVsbG8=", "Hello" },
		{ MIME_BASE64, "SGVs\r\nbG8=\r\n", "Hello" },
		{ MIME_BASE64, "SGVsbG8", "Hello" },
		{ MIME_BASE64, "SGVsbG8=SGVsbG8=", "HelloHello" },
		{ MIME_BASE64, "SGVsbA==SGVsbG8=", "HellHello" },
		{ MIME_BASE64, "====SGVsbG8=", "Hello" },
		{ MIME_BASE64, "!S G*V-s.b_G8", "Hello" },
		{ MIME_BASE64, "SGVsbG8=\r\n--\r\nlist", "Hello\x96+-" },
		{ MIME_BASE64, "S", "" },
		{ MIME_QUOTED_PRINTABLE, "a=3Db=3db", "a=b=b" },
		{ MIME_QUOTED_PRINTABLE,
			"soft=\r\nbreak=\nnow= \t\r\nhere=", "softbreaknowhere" },
		{ MIME_QUOTED_PRINTABLE, "a=ZZ=4=", "a=ZZ=4" },
		{ MIME_QUOTED_PRINTABLE, "=E4=", "\xe4" },
		{ MIME_QUOTED_PRINTABLE, "=", "" },
		{ MIME_QUOTED_PRINTABLE, "=\r", "" },
		{ MIME_UUENCODE, "begin 644 a\n%2&5L;&\\\n`\nend\n", "Hello" },
		{ MIME_UUENCODE, "begin 644 a\r\n%2&5L;&\\\r\n`\r\nend\r\n", "Hello" },
		{ MIME_UUENCODE,
			"text\nbegin 644 a\n%2&5L;&\\\nend\nmore\nbegin 0755 b\n"
			"%2&5L;&\\ \n \nend\n",
			"HelloHello" },
		{ MIME_UUENCODE, "%2&5L;&\\\n", "Hello" },
		{ MIME_UUENCODE, "begin 644 a\n%2&5L;&", "Hell" },
		{ MIME_UUENCODE, "M!", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct mime_part part = { .end = strlen(table[i].from),
			.encoding = table[i].encoding };
		struct err err = { 0 };
		auto_buf struct buf out;

		buf_init(&out, part.end); /* it never becomes more */
		assert_int_equal(
			0, mime_decode(span_str(table[i].from), &part, &out, &err));
		if (!span_equal(buf_span(&out), span_str(table[i].to)))
			fail_msg("<%s>: got <%.*s>, wanted <%s>", table[i].from,
				(int)out.len, (char *)out.data, table[i].to);
	}
}

static void decoding_of_all_bytes_gives_them_back(void **state)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	auto_buf struct buf coded, out;
	struct mime_part part = { .encoding = MIME_BASE64 };
	struct err err = { 0 };

	(void)state;
	buf_init(&coded, ROOM);
	buf_init(&out, ROOM);
	for (uint32_t i = 0; i < 30000; i += 3) {
		uint32_t bits =
			(i & 0xff) << 16 | ((i + 1) & 0xff) << 8 | ((i + 2) & 0xff);
		char group[4] = { digits[bits >> 18], digits[bits >> 12 & 63],
			digits[bits >> 6 & 63], digits[bits & 63] };
		assert_int_equal(0, buf_add(&coded, group, 4, &err));
	}
	part.end = coded.len;
	assert_int_equal(0, mime_decode(buf_span(&coded), &part, &out, &err));
	assert_int_equal(30000, out.len);
	for (size_t i = 0; i < out.len; i++)
		assert_int_equal(i & 0xff, out.data[i]);
	buf_done(&out);
	buf_init(&out, 29999);
	assert_int_equal(-1, mime_decode(buf_span(&coded), &part, &out, &err));
	assert_int_equal(ERR_MESSAGE, err.kind);
}

static void fields_are_found_and_shown_on_one_line(void **state)
{
	static const char text[] =
		"From a@b Mon\r\nSUBJECT : =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?_an?= all\r\n"
		"X-Empty:\r\nX: \x01\x1b[2J\xff\r\nX: second\r\n\r\nBody: no\r\n";
	const struct span message = span_str(text);
	char shown[64], small[6];

	(void)state;
	assert_true(span_equal(span_str("\x01\x1b[2J\xff"), mime_field(message, 0, "x")));
	assert_non_null(mime_field(message, 0, "x-empty").data);
	assert_int_equal(0, mime_field(message, 0, "x-empty").len);
	assert_null(mime_field(message, 0, "body").data);
	assert_null(mime_field((struct span){ NULL, 0 }, 0, "x").data);
	mime_field_text(message, "subject", shown, sizeof(shown));
	assert_string_equal("Gr\xc3\xbc\xc3\x9f"
			    "e an all",
		shown);
	mime_field_text(message, "subject", small, sizeof(small));
	assert_string_equal("Gr\xc3\xbc", small);
	mime_field_text(message, "body", shown, sizeof(shown));
	assert_string_equal("", shown);
	mime_field_text(message, "x", shown, sizeof(shown));
	assert_string_equal("  [2J\xc3\xbf", shown);
}

static void the_line_end_of_the_message_is_told(void **state)
{
	static const struct named table[] = { { "A: b\n\nx\r\n", "\n", 0, 0 },
		{ "A: b\r\n\nx", "\r\n", 0, 0 }, { "", "\r\n", 0, 0 },
		{ "x", "\r\n", 0, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct mime *mime = parse(span_str(table[i].header));
		assert_string_equal(table[i].name, mime->eol);
		mime_free(mime);
	}
}

static struct buf read_sample(const char *name)
{
	char path[512];
	auto_fclose FILE *file = NULL;
	struct buf data;
	struct err err = { 0 };
	uint8_t *room;

	(void)snprintf(path, sizeof(path), "tests/data/mime/%s", name);
	file = fopen(path, "rbe");
	assert_non_null(file);
	buf_init(&data, 65536);
	assert_int_equal(0, buf_reserve(&data, 65536, &room, &err));
	data.len = fread(room, 1, 65536, file);
	assert_true(data.len > 0 && data.len < 65536);
	return data;
}

struct sample {
	const char *name;
	unsigned doubts;
};

/* What is only unpleasant, not in doubt, is not in the list. */
static void samples_have_the_doubts_they_were_made_for(void **state)
{
	static const struct sample table[] = { { "inline-uuencode", MIME_DOUBT_EMBEDDED },
		{ "uuencode-in-quoted-printable", MIME_DOUBT_EMBEDDED },
		{ "inline-yenc", MIME_DOUBT_EMBEDDED },
		{ "inline-binhex", MIME_DOUBT_EMBEDDED },
		{ "padding-inside-base64", MIME_DOUBT_BASE64 },
		{ "junk-inside-base64", MIME_DOUBT_BASE64 },
		{ "rfc822-in-base64", MIME_DOUBT_ENCODING },
		{ "multipart-in-base64", MIME_DOUBT_ENCODING },
		{ "encoding-in-quotes", MIME_DOUBT_ENCODING },
		{ "encoding-with-semicolon", MIME_DOUBT_ENCODING },
		{ "encoding-with-comment", MIME_DOUBT_ENCODING },
		{ "encoding-unknown", MIME_DOUBT_ENCODING },
		{ "encoding-twice", MIME_DOUBT_DUPLICATE },
		{ "part-after-the-end", MIME_DOUBT_EPILOGUE },
		{ "part-before-the-start", MIME_DOUBT_EPILOGUE },
		{ "type-twice", MIME_DOUBT_DUPLICATE },
		{ "boundary-twice", MIME_DOUBT_DUPLICATE },
		{ "boundary-missing", MIME_DOUBT_PARSER },
		{ "boundary-never-used", MIME_DOUBT_PARSER },
		{ "boundary-with-semicolon", MIME_DOUBT_PARSER },
		{ "boundary-in-disposition", MIME_DOUBT_PARSER },
		{ "boundary-rfc2231", MIME_DOUBT_PARSER },
		{ "boundary-prefix", MIME_DOUBT_PARSER },
		{ "boundary-same-inside", MIME_DOUBT_PARSER },
		{ "terminator-missing", MIME_DOUBT_PARSER },
		{ "inner-terminator-missing", MIME_DOUBT_PARSER },
		{ "blank-line-missing", MIME_DOUBT_PARSER },
		{ "blank-line-of-blanks", MIME_DOUBT_PARSER },
		{ "junk-in-header", MIME_DOUBT_PARSER },
		{ "blank-before-colon", MIME_DOUBT_PARSER },
		{ "bare-cr", MIME_DOUBT_LINES }, { "mixed-line-ends", MIME_DOUBT_LINES },
		{ "long-line", MIME_DOUBT_LINES }, { "nul-bytes", MIME_DOUBT_BINARY },
		{ "names-differ", MIME_DOUBT_DUPLICATE },
		{ "filename-twice", MIME_DOUBT_DUPLICATE },
		{ "partial", MIME_DOUBT_PARTIAL },
		{ "external-body", MIME_DOUBT_PARTIAL },
		{ "pgp-mime", MIME_DOUBT_ENCRYPTED },
		{ "pgp-inline", MIME_DOUBT_ENCRYPTED },
		{ "smime-enveloped", MIME_DOUBT_ENCRYPTED },
		{ "delimiter-in-header", MIME_DOUBT_PARSER },
		{ "rfc822-without-end", MIME_DOUBT_PARSER },
		{ "encoded-word-type", MIME_DOUBT_PARSER },
		{ "type-nonsense", MIME_DOUBT_PARSER } };

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		char name[64];
		struct mime *mime;
		auto_buf struct buf data;

		(void)snprintf(name, sizeof(name), "%s.eml", table[i].name);
		data = read_sample(name);
		mime = parse(buf_span(&data));
		if (!(mime->doubts & table[i].doubts))
			fail_msg("%s: doubts %#x", name, mime->doubts);
		mime_free(mime);
	}
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return *seed >> 33;
}

/* One change: a byte, a piece cut, a piece doubled, or a word that parsers know. */
static void mutate(struct buf *data, uint64_t *seed)
{
	static const char *const words[] = { "--b1", "\r\n", "\n\n", "--b1--", "\r\n--",
		"Content-Type:", "multipart/mixed;",
		"boundary=", "message/rfc822\r\n\r\n", "\0", "=?utf-8?q?", "\"", "(", ";",
		"*0*=", "=", "begin 644 a\n", "base64" };
	const char *word = words[next_random(seed) % COUNT(words)];
	size_t at = next_random(seed) % (data->len + 1);
	size_t len = next_random(seed) % (data->len - at + 1) % 200;
	auto_buf struct buf piece;
	struct err err = { 0 };

	buf_init(&piece, 65536);
	switch (next_random(seed) % 4) {
	case 0:
		if (at < data->len)
			data->data[at] = (uint8_t)next_random(seed);
		return;
	case 1:
		memmove(data->data + at, data->data + at + len, data->len - at - len);
		data->len -= len;
		return;
	case 2:
		(void)buf_add(&piece, data->data + at, len, &err);
		break;
	default:
		(void)buf_add(&piece, word, *word ? strlen(word) : 1, &err);
		break;
	}
	if (data->len + piece.len > data->size)
		return;
	memmove(data->data + at + piece.len, data->data + at, data->len - at);
	if (piece.len > 0)
		memcpy(data->data + at, piece.data, piece.len);
	data->len += piece.len;
}

static void read_mutated(struct buf *data, uint64_t *seed)
{
	for (size_t n = 1 + next_random(seed) % 8; n > 0; n--)
		mutate(data, seed);
	/* An exact copy on the heap: the sanitizers see one byte too many. */
	auto_free uint8_t *exact = malloc(data->len ? data->len : 1);
	struct span message = { exact, data->len };
	struct mime *mime;
	char text[64];

	assert_non_null(exact);
	if (data->len > 0)
		memcpy(exact, data->data, data->len);
	mime = parse(message);
	check_shape(message, mime);
	for (size_t i = 0; i < mime->count; i++) {
		struct mime_part part = mime->parts[i];
		struct err err = { 0 };
		auto_buf struct buf out;

		buf_init(&out, part.end - part.body_start);
		part.encoding = (enum mime_encoding)(next_random(seed) % 4);
		assert_int_equal(0, mime_decode(message, &part, &out, &err));
		(void)mime_field(message, part.header_start, "subject");
	}
	mime_field_text(message, "subject", text, sizeof(text));
	mime_free(mime);
}

static void mutated_samples_keep_their_shape(void **state)
{
	static const char *const names[] = { "rfc822-nested.eml",
		"boundary-same-inside.eml", "inner-terminator-missing.eml", "digest.eml",
		"padding-inside-base64.eml", "uuencode-in-quoted-printable.eml",
		"name-rfc2231.eml", "nul-bytes.eml" };
	uint64_t seed = 2024;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		for (size_t round = 0; round < 400; round++) {
			auto_buf struct buf data = read_sample(names[i]);
			read_mutated(&data, &seed);
		}
	}
}

static void doubts_have_names(void **state)
{
	(void)state;
	for (unsigned bit = 1; bit <= MIME_DOUBT_EMBEDDED; bit <<= 1)
		assert_string_not_equal("unknown", mime_doubt_name((enum mime_doubt)bit));
	mime_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_mail_has_exact_parts_and_no_doubts),
		cmocka_unit_test(odd_structure_is_read_and_doubted),
		cmocka_unit_test(each_doubt_is_found),
		cmocka_unit_test(odd_line_ends_are_doubted),
		cmocka_unit_test(ranges_of_what_has_parts_are_exact),
		cmocka_unit_test(names_are_decoded),
		cmocka_unit_test(
			long_names_keep_their_end_and_are_cut_between_characters),
		cmocka_unit_test(limits_hold_and_are_told),
		cmocka_unit_test(what_is_over_a_limit_is_a_leaf_of_no_type),
		cmocka_unit_test(paths_are_unique_at_any_depth),
		cmocka_unit_test(hostile_headers_end_soon),
		cmocka_unit_test(decoding_is_lenient),
		cmocka_unit_test(decoding_of_all_bytes_gives_them_back),
		cmocka_unit_test(fields_are_found_and_shown_on_one_line),
		cmocka_unit_test(the_line_end_of_the_message_is_told),
		cmocka_unit_test(samples_have_the_doubts_they_were_made_for),
		cmocka_unit_test(mutated_samples_keep_their_shape),
		cmocka_unit_test(doubts_have_names),
	};
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
