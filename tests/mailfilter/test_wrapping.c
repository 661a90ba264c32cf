/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/wrapping.h"

#include <string.h>

#include "common/mime.h"

/* EICAR, made here from its digits, so that it stands in no file in clear. */
static const uint8_t eicar_hex[] =
	"58354f2150254041505b345c505a58353428505e2937434329377d2445494341522d5354414e444152442d414e"
	"544956495255532d544553542d46494c452124482b482a";

static struct span eicar(uint8_t *bytes)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = (sizeof(eicar_hex) - 1) / 2;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((strchr(digits, eicar_hex[2 * i]) - digits) << 4 |
				     (strchr(digits, eicar_hex[2 * i + 1]) - digits));
	return (struct span){ bytes, len };
}

/* Does any part of the mail decode to something that holds EICAR? */
static bool holds(struct span mail, struct span virus)
{
	struct mime *mime = NULL;
	bool found = false;

	assert_int_equal(mime_parse(mail, &mime, NULL), 0);
	for (size_t i = 0; i < mime->count; i++) {
		struct mime_part part = mime->parts[i];
		struct buf out DEFER(buf_done);

		buf_init(&out, WRAPPING_MAIL_MAX);
		if (part.is_composite)
			continue;
		assert_int_equal(mime_decode(mail, &part, &out, NULL), 0);
		found = found || span_find(buf_span(&out), virus) >= 0;
		part.encoding = MIME_UUENCODE;
		buf_clear(&out);
		assert_int_equal(mime_decode(mail, &part, &out, NULL), 0);
		found = found || span_find(buf_span(&out), virus) >= 0;
	}
	mime_free(mime);
	return found;
}

static void every_wrapping_but_none_holds_eicar(void **state)
{
	uint8_t bytes[128];
	struct span virus = eicar(bytes);

	(void)state;
	for (int i = 0; i < WRAPPINGS; i++) {
		struct buf mail DEFER(buf_done);

		buf_init(&mail, WRAPPING_MAIL_MAX);
		assert_int_equal(wrapping_make((enum wrapping)i, &mail, NULL), 0);
		assert_int_equal(holds(buf_span(&mail), virus), i != WRAPPING_NONE);
		assert_string_not_equal(wrapping_name((enum wrapping)i), "");
	}
}

static void a_mail_that_does_not_fit_is_an_error(void **state)
{
	struct buf mail DEFER(buf_done);
	struct err err = { 0 };

	(void)state;
	buf_init(&mail, 200);
	assert_int_equal(wrapping_make(WRAPPING_ZIP, &mail, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrapping_but_none_holds_eicar),
		cmocka_unit_test(a_mail_that_does_not_fit_is_an_error),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
