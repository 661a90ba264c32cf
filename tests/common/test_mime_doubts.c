/* SPDX-License-Identifier: ISC */
#include "tests/common/parsed.h"

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
		cmocka_unit_test(each_doubt_is_found),
		cmocka_unit_test(odd_line_ends_are_doubted),
		cmocka_unit_test(samples_have_the_doubts_they_were_made_for),
		cmocka_unit_test(doubts_have_names),
	};
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
