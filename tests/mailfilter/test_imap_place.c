/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/inplace_delivery.h"

/* Behind a part of a literal any command would be taken for the rest of it. */
static void where_the_bytes_end_too_early_the_session_is_left(void **state)
{
	static const char *const script[] = { ENTER, "< APPEND", "> + go on", "! stall",
		NULL };
	static const uint8_t piece[BODY_PIECE_MAX];
	const struct imap_place_facts facts = { 0 };
	struct fake_server fake = fake_start(script);
	struct imap_place *place = imap_place_new(&account, &stream_wait_plain);
	auto_body struct body bytes = { .fd = -1 };
	uint32_t uidvalidity = 0, uidnext;
	struct err err = { 0 };

	(void)state;
	account.port = fake.port;
	body_init(&bytes, top, sizeof(piece) + 1);
	assert_int_equal(
		body_add(&bytes, (struct span){ piece, sizeof(piece) }, NULL), 0);
	assert_int_equal(body_add(&bytes, span_str("x"), NULL), 0);
	assert_int_equal(ftruncate(bytes.fd, sizeof(piece)), 0);
	assert_int_equal(
		imap_place_enter(place, "Inb\xc3\xa4", &uidvalidity, &uidnext, &err), 0);
	assert_int_equal(imap_place_put(place, "Inb\xc3\xa4", &facts, &bytes, &err),
		IMAP_PLACE_DOUBT);
	assert_false(imap_place_is_open(place));
	imap_place_free(place);
	assert_true(fake_end(&fake));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(where_the_bytes_end_too_early_the_session_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
