/* SPDX-License-Identifier: ISC */
#include "tests/scanner/engined.h"

#include "common/mime.h"

#include "scanner/pkcs7.h"
#include "scanner/worker.h"

#define LETTER "A letter, in which there is nothing to be found. "

/* One BER element; an open one has no length and two zeros behind it. */
static void put_ber(struct buf *out, uint8_t tag, struct span body, bool is_open)
{
	put_number(out, tag, 1);
	if (is_open) {
		put_number(out, 0x80, 1);
	} else {
		put_number(out, 0x82, 1);
		put_number(out, (uint32_t)body.len >> 8, 1);
		put_number(out, (uint32_t)body.len & 0xff, 1);
	}
	put_span(out, body);
	if (is_open)
		put_number(out, 0, 2);
}

static void wrap_ber(struct buf *buf, uint8_t tag, bool is_open)
{
	auto_buf struct buf inner;

	buf_init(&inner, FIXTURE_MAX);
	put_span(&inner, buf_span(buf));
	buf_clear(buf);
	put_ber(buf, tag, buf_span(&inner), is_open);
}

/* An opaque S/MIME signature around text, without the signature. */
static void make_signed(struct buf *out, const char *text, bool is_open)
{
	static const char oids[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
	auto_buf struct buf info;

	buf_init(&info, FIXTURE_MAX);
	if (text) {
		put_ber(&info, 0x04, span_str(text), false);
		if (is_open)
			wrap_ber(&info, 0x24, true);
		wrap_ber(&info, 0xa0, is_open);
	}
	buf_clear(out);
	put_text(out, oids);
	put_number(out, 1, 1);
	put_span(out, buf_span(&info));
	wrap_ber(out, 0x30, is_open);
	buf_clear(&info);
	put_span(&info, (struct span){ (const uint8_t *)"\x02\x01\x01\x31\x00", 5 });
	put_span(&info, buf_span(out));
	wrap_ber(&info, 0x30, is_open);
	wrap_ber(&info, 0xa0, is_open);
	buf_clear(out);
	put_text(out, oids);
	put_number(out, 2, 1);
	put_span(out, buf_span(&info));
	wrap_ber(out, 0x30, is_open);
}

static void scan_signed_mail(const char *text, bool is_open, struct verdict *verdict)
{
	auto_buf struct buf mail, der;

	buf_init(&mail, FIXTURE_MAX);
	buf_init(&der, FIXTURE_MAX);
	make_signed(&der, text, is_open);
	put_text(&mail, HEAD "Content-Type: application/pkcs7-mime;"
			     " smime-type=signed-data; name=smime.p7m\r\n"
			     "Content-Transfer-Encoding: base64\r\n\r\n");
	add_base64(&mail, buf_span(&der), "\r\n");
	put_text(&mail, "\r\n");
	*verdict = (struct verdict){ 0 };
	if (worker_clean(f.engine, buf_span(&mail), 0, "", verdict, &f.err) < 0)
		fail_msg("%s", f.err.text);
}

static void what_an_opaque_signature_holds_is_scanned(void **state)
{
	static const char infected[] =
		"Content-Type: application/octet-stream; name=e.com\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n";

	(void)state;
	for (int is_open = 0; is_open < 2; is_open++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

		scan_signed_mail(infected, is_open, &verdict);
		assert_int_equal(verdict.kind, VERDICT_INFECTED);
		assert_int_equal(verdict.finding_count, 1);
		verdict_done(&verdict);
		scan_signed_mail("Content-Type: text/plain\r\n\r\n" LETTER "\r\n",
			is_open, &verdict);
		assert_int_equal(verdict.kind, VERDICT_CLEAN);
		verdict_done(&verdict);
		scan_signed_mail(NULL, is_open, &verdict);
		assert_int_equal(verdict.kind, VERDICT_CLEAN);
	}
}

static void a_signature_that_is_cut_off_or_changed_does_no_harm(void **state)
{
	(void)state;
	for (int is_open = 0; is_open < 2; is_open++) {
		auto_buf struct buf der, out;
		enum pkcs7_kind kind;

		buf_init(&der, FIXTURE_MAX);
		buf_init(&out, FIXTURE_MAX);
		make_signed(&der, LETTER, is_open);
		for (size_t len = 0; len < der.len; len++) {
			auto_buf struct buf exact;

			buf_init(&exact, FIXTURE_MAX);
			put_span(&exact, span_part(buf_span(&der), 0, len));
			buf_clear(&out);
			assert_int_equal(
				pkcs7_open(buf_span(&exact), &out, &kind, NULL), 0);
			assert_int_not_equal(kind, PKCS7_DETACHED);
		}
		for (size_t at = 0; at < der.len; at++)
			for (int bit = 0; bit < 8; bit++) {
				der.data[at] ^= (uint8_t)(1 << bit);
				buf_clear(&out);
				assert_int_equal(
					pkcs7_open(buf_span(&der), &out, &kind, NULL), 0);
				der.data[at] ^= (uint8_t)(1 << bit);
			}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(what_an_opaque_signature_holds_is_scanned),
		cmocka_unit_test(a_signature_that_is_cut_off_or_changed_does_no_harm),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
