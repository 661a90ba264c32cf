/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/recorded.h"

struct seen_items {
	unsigned count, stop_at;
	uint64_t sizes[1000];
};

static int see_item(const struct record_quarantined *item, void *arg)
{
	struct seen_items *seen = arg;

	assert_true(seen->count < 1000);
	seen->sizes[seen->count++] = item->size;
	return seen->count == seen->stop_at ? -1 : 0;
}

static void quarantined_items_are_found_and_walked_by_id(void **state)
{
	struct record *record = open_record(false);
	struct record_quarantined found, item = {
		.key = { "INBOX", 1, "9" },
		.time_s = 77,
		.why = "Eicar-Test-Signature",
		.subject = "\xff'\"",
		.sender = "a@example.org",
	};
	struct seen_items seen = { 0 };
	struct err err = { 0 };

	(void)state;
	memset(item.hash.bytes, 0xa5, HASH_SIZE);
	for (unsigned i = 300; i-- > 0;) {
		/* From none to all there is room for. */
		item.found_count = i ? i % RECORD_FOUND_MAX : RECORD_FOUND_MAX;
		for (size_t n = 0; n < RECORD_FOUND_MAX; n++) {
			item.found[n] = (struct record_found){ 0 };
			if (n >= item.found_count)
				continue;
			(void)snprintf(item.found[n].part, FINDING_PART_MAX, "1.%zu", n);
			memset(item.found[n].name, 0xff, FINDING_NAME_MAX - 1);
			memset(item.found[n].signature, 'x', FINDING_SIGNATURE_MAX - 1);
			item.found[n].hash.bytes[0] = (uint8_t)n;
		}
		(void)snprintf(item.id, sizeof(item.id), "id-%05u", i);
		item.size = i;
		assert_int_equal(record_put_quarantined(record, &item, &err), 0);
	}
	assert_int_equal(record_put_quarantined(record, &item, &err), 0);
	assert_int_equal(record_find_quarantined(record, "none", &found, &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-00000", &found, &err), 1);
	assert_memory_equal(&found, &item, sizeof(item));
	assert_int_equal(record_each_quarantined(record, see_item, &seen, &err), 0);
	assert_int_equal(seen.count, 300);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(seen.sizes[i], i);
	seen = (struct seen_items){ .stop_at = 7 };
	assert_int_equal(record_each_quarantined(record, see_item, &seen, &err), 0);
	assert_int_equal(seen.count, 7);
	record_close(record);
}

static struct record_quarantined an_item(const char *id, uint8_t digest)
{
	struct record_quarantined item = { .size = 100, .time_s = 5 };

	(void)snprintf(item.id, sizeof(item.id), "%s", id);
	memset(item.hash.bytes, digest, sizeof(item.hash.bytes));
	return item;
}

static void the_fate_of_an_original_is_told_with_it_and_dropped_with_it(void **state)
{
	const struct record_quarantined first = an_item("id-1", 1),
					second = an_item("id-2", 2);
	struct record *record = open_record(false);
	struct record_quarantined got;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_put_quarantined(record, &first, &err), 0);
	assert_int_equal(record_put_quarantined(record, &second, &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-1", &got, &err), 1);
	assert_int_equal(got.fate, RECORD_KEPT);
	assert_int_equal(got.fate_s, 0);
	assert_string_equal(got.name, "");
	assert_int_equal(record_is_released(record, 0, NULL, &err), 0);
	assert_int_equal(
		record_set_fate(record, "id-1", RECORD_RELEASING, "name", 77, &err), 0);
	assert_int_equal(record_is_released(record, 0, NULL, &err), 1);
	assert_int_equal(
		record_set_fate(record, "id-1", RECORD_RELEASED, "name", 78, &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-1", &got, &err), 1);
	assert_int_equal(got.fate, RECORD_RELEASED);
	assert_int_equal(got.fate_s, 78);
	assert_string_equal(got.name, "name");
	assert_int_equal(record_is_released(record, 0, NULL, &err), 1);
	assert_int_equal(record_is_released(record, 100, NULL, &err), 1);
	assert_int_equal(record_is_released(record, 101, NULL, &err), 0);
	assert_int_equal(record_is_released(record, 100, &first.hash, &err), 1);
	/* In quarantine, too, but not released. */
	assert_int_equal(record_is_released(record, 100, &second.hash, &err), 0);
	/* Kept again under its id, as by a try that was repeated. */
	assert_int_equal(record_put_quarantined(record, &first, &err), 0);
	assert_int_equal(record_is_released(record, 100, &first.hash, &err), 1);
	assert_int_equal(record_drop_quarantined(record, "id-1", &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-1", &got, &err), 0);
	assert_int_equal(record_is_released(record, 0, NULL, &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-2", &got, &err), 1);
	record_close(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(quarantined_items_are_found_and_walked_by_id),
		TEST(the_fate_of_an_original_is_told_with_it_and_dropped_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
