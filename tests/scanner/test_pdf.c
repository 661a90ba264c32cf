/* SPDX-License-Identifier: ISC */
#include "tests/scanner/dissected.h"
#include "tests/scanner/make_document.h"

#include "scanner/pdf.h"

/* What libclamav does not see of it: behind its last two kilobytes, or written in another way. */
static void a_pdf_is_encrypted_wherever_it_says_so(void **state)
{
	static const struct {
		const char *what, *encrypt;
		size_t behind;
		const char *gone, *after; /* "startxref" */
		bool is_encrypted;
	} cases[] = {
		{ "as usual", "/Encrypt 6 0 R", 0, "", "", true },
		{ "far from the end", "/Encrypt 6 0 R", 4000, "", "", true },
		{ "without a start", "/Encrypt 6 0 R", 0, "startxref", "", true },
		{ "without an end", "/Encrypt 6 0 R", 0, "%%EOF", "", true },
		{ "in other letters", "/#45ncr#79pt\n6\n0\nR", 0, "", "", true },
		{ "right there", "/Encrypt<</Filter/Standard>>", 4000, "", "", true },
		{ "twice", "/Encrypt 6 0 R", 4000, "",
			"trailer<</Encrypt 5 0 R>>startxref 0 %%EOF", true },
		{ "not", "", 4000, "", "", false },
		{ "in a text", "/Title(/Encrypt it)/EncryptMetadata true", 4000, "", "",
			false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf file;
		ptrdiff_t gone;

		buf_init(&file, FIXTURE_MAX);
		make_pdf(&file, span_str("????????????????????"), cases[i].encrypt);
		gone = span_find(buf_span(&file), span_str(cases[i].gone));
		if (cases[i].gone[0])
			file.data[gone] = 'x';
		put_zeros(&file, cases[i].behind);
		put_text(&file, cases[i].after);
		assert_result("encrypted ", cases[i].what, buf_span(&file),
			cases[i].is_encrypted ? VERDICT_UNSCANNABLE : VERDICT_CLEAN,
			cases[i].is_encrypted ? REASON_ENCRYPTED : REASON_NONE);
		for (size_t len = 0; len < file.len; len += 13)
			(void)pdf_encryption(span_part(buf_span(&file), 0, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(a_pdf_is_encrypted_wherever_it_says_so),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
