/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "scanner/quarantine_item.h"

static struct quarantine_item an_item(void)
{
	struct quarantine_item item = { .id = "20261122-0123456789abcdef",
		.state = QUARANTINE_KEPT,
		.path = "/home/a b/100%\n\xff\xc3\xa4",
		.signature = "Test.Find",
		.size = UINT64_MAX,
		.inode = 1,
		.links = 2,
		.uid = UINT32_MAX,
		.mode = 07777,
		.modified_s = (uint64_t)-5,
		.modified_ns = 999999999,
		.taken_s = 1 };

	memset(&item.hash, 0xab, sizeof(item.hash));
	return item;
}

static void encode(const struct quarantine_item *item, struct buf *text)
{
	struct err err = { 0 };

	buf_init(text, QUARANTINE_INFO_MAX);
	assert_int_equal(quarantine_item_encode(item, text, &err), 0);
}

static int decode(const struct buf *text, size_t len, struct quarantine_item *item)
{
	return quarantine_item_decode(span_part(buf_span(text), 0, len), item, NULL);
}

static void what_is_encoded_is_decoded(void **state)
{
	const struct quarantine_item item = an_item();
	struct quarantine_item back = { .id = "20261122-0123456789abcdef" };
	auto_buf struct buf text;

	(void)state;
	encode(&item, &text);
	assert_int_equal(decode(&text, text.len, &back), 0);
	assert_memory_equal(&back, &item, sizeof(item));
}

static void the_text_is_plain_and_a_line_for_each_field(void **state)
{
	const struct quarantine_item item = an_item();
	auto_buf struct buf text;
	struct err err = { 0 };

	(void)state;
	encode(&item, &text);
	assert_int_equal(buf_add(&text, "", 1, &err), 0);
	assert_non_null(
		strstr((char *)text.data, "\npath /home/a%20b/100%25%0A%FF%C3%A4\n"));
	assert_non_null(strstr((char *)text.data, "\nstate kept\n"));
	for (size_t i = 0; i + 1 < text.len; i++)
		assert_true(text.data[i] == '\n' ||
			    (text.data[i] >= ' ' && text.data[i] < 0x7f));
}

static void the_longest_fits(void **state)
{
	struct quarantine_item item = an_item(), back = { 0 };
	auto_buf struct buf text;

	(void)state;
	memset(item.path + 1, 0xff, sizeof(item.path) - 2);
	memset(item.signature, 1, sizeof(item.signature) - 1);
	memset(item.where, 1, sizeof(item.where) - 1);
	encode(&item, &text);
	assert_int_equal(decode(&text, text.len, &back), 0);
	assert_string_equal(back.path, item.path);
}

static void what_is_cut_off_is_refused(void **state)
{
	const struct quarantine_item item = an_item();
	struct quarantine_item back = { .path = "as it was" };
	auto_buf struct buf text;

	(void)state;
	encode(&item, &text);
	for (size_t len = 0; len < text.len; len++)
		assert_int_equal(decode(&text, len, &back), -1);
	assert_string_equal(back.path, "as it was");
}

static void any_byte_may_be_wrong(void **state)
{
	const struct quarantine_item item = an_item();
	auto_buf struct buf text;

	(void)state;
	encode(&item, &text);
	for (size_t i = 0; i < text.len; i++) {
		static const uint8_t bytes[] = { 0, '\n', ' ', '%', '/', '9', 0xff };
		const uint8_t was = text.data[i];

		for (size_t j = 0; j < sizeof(bytes); j++) {
			struct quarantine_item back = { 0 };

			text.data[i] = bytes[j];
			if (decode(&text, text.len, &back) == 0)
				assert_int_equal(back.path[0], '/');
		}
		text.data[i] = was;
	}
}

static const struct {
	const char *from, *to;
} wrong[] = {
	{ "quarantine 1\n", "quarantine 2\n" },
	{ "state kept\n", "state gone\n" },
	{ "path /home", "path xhome" },
	{ "path /home", "path /%41me" }, /* what needs no escape has none */
	{ "path /home", "path /%00me" },
	{ "links 2\n", "links x\n" },
	{ "mode 7777\n", "mode 7778\n" },
	{ "mode 7777\nmodified_s ", "mode 17777\nmodified_s" },
	{ "signature Test.Find\n", "signature \n         \n" },
};

static void a_value_that_cannot_be_is_refused(void **state)
{
	const struct quarantine_item item = an_item();

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct quarantine_item back = { 0 };
		auto_buf struct buf text;
		struct err err = { 0 };
		char *at;

		encode(&item, &text);
		at = memmem(text.data, text.len, wrong[i].from, strlen(wrong[i].from));
		assert_non_null(at);
		memcpy(at, wrong[i].to, strlen(wrong[i].from));
		assert_int_equal(
			quarantine_item_decode(buf_span(&text), &back, &err), -1);
		assert_int_equal(err.kind, ERR_MESSAGE);
	}
}

static void an_id_has_one_form(void **state)
{
	static const char *const none[] = { "", "20261122", "../20261122-0123456789ab",
		"20261122-0123456789abcde", "20261122-0123456789abcdefa",
		"20261122-0123456789ABCDEF", "2026112-00123456789abcdef",
		"20261122/0123456789abcdef", "20261122-0123456789abcde." };

	(void)state;
	assert_true(quarantine_is_id("20261122-0123456789abcdef"));
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(quarantine_is_id(none[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(the_text_is_plain_and_a_line_for_each_field),
		cmocka_unit_test(the_longest_fits),
		cmocka_unit_test(what_is_cut_off_is_refused),
		cmocka_unit_test(any_byte_may_be_wrong),
		cmocka_unit_test(a_value_that_cannot_be_is_refused),
		cmocka_unit_test(an_id_has_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
