/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "tests/scanner/make_archive.h"

#include "common/clock.h"

#include "scanner/rar.h"
#include "scanner/trail.h"
#include "scanner/unpack.h"

/* What was unpacked: "NAME=BYTES;" for each member, long ones by their size. */
struct got {
	char text[4096];
	size_t members;
	bool refuse;
};

static struct unpack_budget budget;

static int start(void **state)
{
	(void)state;
	budget = (struct unpack_budget){ "/tmp", 1000, 64UL << 20, 16UL << 20,
		clock_ms() + 30000 };
	return 0;
}

static int take(void *context, const char *name, struct span bytes, struct err *err)
{
	struct got *got = context;
	size_t len = strlen(got->text);

	if (got->refuse)
		return err_set(err, ERR_AGAIN, "refused");
	got->members++;
	if (bytes.len <= 100)
		(void)snprintf(got->text + len, sizeof(got->text) - len, "%s=%.*s;", name,
			(int)bytes.len, (const char *)bytes.data);
	else
		(void)snprintf(got->text + len, sizeof(got->text) - len, "%s=%zu;", name,
			bytes.len);
	return 0;
}

/* The first that these bytes hold, and where it starts. */
static enum sniff_kind sniff_first(struct span bytes, size_t *at_r)
{
	struct sniffed list[SNIFFED_MAX];
	size_t count;

	sniff(bytes, list, &count);
	*at_r = count > 0 ? list[0].start : 0;
	return count > 0 ? list[0].kind : SNIFF_NONE;
}

static struct result unpack_all(struct span archive, struct got *got)
{
	struct result trouble;
	struct err err = { 0 };
	size_t at;

	*got = (struct got){ 0 };
	result_init(&trouble);
	if (unpack(sniff_first(archive, &at), archive, &budget,
		    &(struct unpack_to){ take, got, &trouble }, &err) < 0)
		fail_msg("%s", err.text);
	return trouble;
}

static void assert_trouble(
	struct result trouble, enum verdict_kind kind, enum verdict_reason reason)
{
	if (trouble.kind != kind || trouble.reason != reason)
		fail_msg("%s %s: %s", verdict_name(trouble.kind),
			verdict_reason_name(trouble.reason), trouble.detail);
}

static void members_of_both_rar_formats_come_out(void **state)
{
	void (*const make[])(
		struct buf *, const char *, struct span) = { make_rar4, make_rar5 };
	struct got got;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		auto_buf struct buf rar;

		buf_init(&rar, FIXTURE_MAX);
		make[i](&rar, "letter.txt", span_str("Hello."));
		assert_trouble(
			unpack_all(buf_span(&rar), &got), VERDICT_CLEAN, REASON_NONE);
		assert_string_equal(got.text, "letter.txt=Hello.;");
	}
}

static void members_of_other_kinds_come_out(void **state)
{
	static const struct {
		const char *format, *filter, *expected;
	} cases[] = {
		{ "raw", "gzip", "data=Hello.;" }, { "raw", "bzip2", "data=Hello.;" },
		{ "raw", "xz", "data=Hello.;" }, { "raw", "lzip", "data=Hello.;" },
		{ "raw", "lz4", "data=Hello.;" }, { "raw", "zstd", "data=Hello.;" },
		{ "raw", "lzma", "data=Hello.;" }, { "raw", "compress", "data=Hello.;" },
		{ "ustar", NULL, "a=Hello.;" }, { "pax", NULL, "a=Hello.;" },
		{ "gnutar", NULL, "a=Hello.;" }, { "newc", NULL, "a=Hello.;" },
		{ "odc", NULL, "a=Hello.;" }, { "bin", NULL, "a=Hello.;" },
		{ "arbsd", NULL, "a=Hello.;" }, { "7zip", NULL, "a=Hello.;" },
		{ "xar", NULL, "a=Hello.;" }, { "iso9660", NULL, "A.;1=Hello.;" },
		{ "zip", NULL, "a=Hello.;a=Hello.;" }, /* read in two ways */
	};
	static const struct member member = { "a", "Hello." };
	struct got got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf archive;
		struct result trouble;
		size_t at;

		buf_init(&archive, FIXTURE_MAX);
		make_archive(
			&archive, cases[i].format, cases[i].filter, NULL, &member, 1);
		assert_int_not_equal(sniff_first(buf_span(&archive), &at), SNIFF_NONE);
		trouble = unpack_all(buf_span(&archive), &got);
		assert_trouble(trouble, VERDICT_CLEAN, REASON_NONE);
		if (strcmp(cases[i].format, "iso9660") == 0)
			assert_int_equal(got.members, 1);
		else if (strcmp(got.text, cases[i].expected) != 0)
			fail_msg("%s %s: \"%s\"", cases[i].format,
				cases[i].filter ? cases[i].filter : "", got.text);
	}
}

static void what_is_encrypted_is_said_to_be(void **state)
{
	auto_buf struct buf rar;
	struct got got;

	(void)state;
	buf_init(&rar, FIXTURE_MAX);
	start_rar4(&rar, 0);
	add_rar4(&rar, "secret", span_str("????????????????"), RAR4_FILE_ENCRYPTED);
	end_rar4(&rar);
	assert_trouble(
		unpack_all(buf_span(&rar), &got), VERDICT_UNSCANNABLE, REASON_ENCRYPTED);
	buf_clear(&rar);
	start_rar4(&rar, RAR4_HEADERS_ENCRYPTED);
	put_text(&rar, "????????????????????????????????");
	assert_trouble(
		unpack_all(buf_span(&rar), &got), VERDICT_UNSCANNABLE, REASON_ENCRYPTED);
	buf_clear(&rar);
	start_rar5(&rar, false);
	add_rar5(&rar, "secret", span_str("????????????????"), true);
	end_rar5(&rar);
	assert_true(rar5_is_encrypted(buf_span(&rar)));
	assert_trouble(
		unpack_all(buf_span(&rar), &got), VERDICT_UNSCANNABLE, REASON_ENCRYPTED);
}

static void a_volume_is_unsupported(void **state)
{
	auto_buf struct buf rar;
	struct got got;

	(void)state;
	buf_init(&rar, FIXTURE_MAX);
	start_rar4(&rar, RAR4_VOLUME);
	add_rar4(&rar, "a", span_str("Hello."), 0);
	end_rar4(&rar);
	assert_trouble(unpack_all(buf_span(&rar), &got), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	buf_clear(&rar);
	start_rar5(&rar, true);
	add_rar5(&rar, "a", span_str("Hello."), false);
	end_rar5(&rar);
	assert_trouble(unpack_all(buf_span(&rar), &got), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	assert_int_equal(got.members, 0);
}

/* Whatever is cut off or changed: no crash, and what was in it is not passed over in silence. */
static void a_damaged_archive_is_never_fine(void **state)
{
	void (*const make[])(
		struct buf *, const char *, struct span) = { make_rar4, make_rar5 };
	struct got got;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		auto_buf struct buf rar;
		size_t data_end;

		buf_init(&rar, FIXTURE_MAX);
		make[i](&rar, "letter.txt", span_str("Hello."));
		data_end = (size_t)span_find(buf_span(&rar), span_str("Hello.")) + 6;
		for (size_t len = 8; len < data_end; len++) {
			struct result trouble =
				unpack_all(span_part(buf_span(&rar), 0, len), &got);

			if (trouble.kind != VERDICT_UNSCANNABLE)
				fail_msg("%zu of %zu bytes: %s", len, rar.len, got.text);
		}
		for (size_t at = 0; at < rar.len; at++) {
			rar.data[at] ^= 0xff;
			(void)unpack_all(buf_span(&rar), &got);
			rar.data[at] ^= 0xff;
		}
	}
}

static void make_zeros(struct buf *out, const char *filter, size_t size)
{
	char *zeros = malloc(size + 1);
	struct member member = { "zeros", zeros };

	assert_non_null(zeros);
	memset(zeros, '0', size);
	zeros[size] = '\0';
	make_archive(out, "raw", filter, NULL, &member, 1);
	free(zeros);
}

static void each_limit_ends_the_unpacking(void **state)
{
	static const struct member two[] = { { "a", "Hello." }, { "b", "World." } };
	auto_buf struct buf tar, gz;
	struct got got;

	buf_init(&tar, FIXTURE_MAX);
	buf_init(&gz, FIXTURE_MAX);
	make_archive(&tar, "ustar", NULL, NULL, two, 2);
	budget.members = 1;
	assert_trouble(
		unpack_all(buf_span(&tar), &got), VERDICT_UNSCANNABLE, REASON_LIMIT);
	assert_string_equal(got.text, "a=Hello.;");
	start(state);
	budget.member_max = 5;
	assert_trouble(
		unpack_all(buf_span(&tar), &got), VERDICT_UNSCANNABLE, REASON_LIMIT);
	start(state);
	budget.bytes = 7;
	assert_trouble(
		unpack_all(buf_span(&tar), &got), VERDICT_UNSCANNABLE, REASON_LIMIT);
	start(state);
	budget.deadline_ms = clock_ms();
	assert_trouble(
		unpack_all(buf_span(&tar), &got), VERDICT_UNSCANNABLE, REASON_TIMEOUT);
	start(state);
	make_zeros(&gz, "gzip", 20UL << 20);
	assert_trouble(
		unpack_all(buf_span(&gz), &got), VERDICT_UNSCANNABLE, REASON_LIMIT);
	start(state);
	budget.member_max = 32UL << 20;
	assert_trouble(unpack_all(buf_span(&gz), &got), VERDICT_CLEAN, REASON_NONE);
	assert_string_equal(got.text, "data=20971520;");
}

static void more_out_than_an_archive_can_hold_is_a_bomb(void **state)
{
	auto_buf struct buf bz;
	struct got got;

	(void)state;
	buf_init(&bz, FIXTURE_MAX);
	make_zeros(&bz, "bzip2", 40UL << 20);
	assert_true(bz.len * UNPACK_RATIO_MAX < 40UL << 20);
	budget.member_max = 64UL << 20;
	assert_trouble(
		unpack_all(buf_span(&bz), &got), VERDICT_UNSCANNABLE, REASON_LIMIT);
}

static void bytes_that_look_like_an_archive_by_chance_are_none(void **state)
{
	static const char texts[][24] = { "\x1f\x9d is no archive",
		"\x71\xc7 is none either, is it", "a -lh5- b", "]\0\0 text" };
	struct got got;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_trouble(unpack_all((struct span){ (const uint8_t *)texts[i],
						  sizeof(texts[i]) },
				       &got),
			VERDICT_CLEAN, REASON_NONE);
}

static void rar_behind_other_bytes_is_found_by_its_first_block(void **state)
{
	auto_buf struct buf file;
	size_t at = 0;

	(void)state;
	buf_init(&file, FIXTURE_MAX);
	put_text(&file, "MZ a program that knows Rar!\x1a\x07");
	put_number(&file, 0, 1);
	put_text(&file, " and more");
	assert_int_equal(sniff_first(buf_span(&file), &at), SNIFF_NONE);
	make_rar5(&file, "a", span_str("Hello."));
	assert_int_equal(sniff_first(buf_span(&file), &at), SNIFF_RAR5);
	assert_memory_equal(file.data + at, "Rar!\x1a\x07\x01", 7);
	assert_true(at > 30);
	buf_clear(&file);
	/* A thousand that are none: no chance, and not looked through for ever. */
	for (int i = 0; i < 1001; i++) {
		put_text(&file, "-Rar!\x1a\x07\x01");
		put_number(&file, 0, 1);
	}
	assert_int_equal(sniff_first(buf_span(&file), &at), SNIFF_OPAQUE);
}

static void names_are_made_printable_and_cut(void **state)
{
	char trail[TRAIL_MAX] = "", longest[2 * TRAIL_MAX];
	auto_buf struct buf rar;
	struct got got;

	(void)state;
	buf_init(&rar, FIXTURE_MAX);
	make_rar5(&rar, "a\x1b[2J\r\n\xff.txt", span_str("x"));
	assert_trouble(unpack_all(buf_span(&rar), &got), VERDICT_CLEAN, REASON_NONE);
	for (const char *c = got.text; *c; c++)
		assert_true(*c >= ' ' && *c < 0x7f);
	trail_add(trail, NULL);
	trail_add(trail, "");
	assert_string_equal(trail, "");
	trail_add(trail, "outer.zip");
	trail_add(trail, "a\nb");
	assert_string_equal(trail, "outer.zip > a?b");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	trail_add(trail, longest);
	trail_add(trail, longest);
	assert_int_equal(strlen(trail), TRAIL_MAX - 1);
	trail[0] = '\0';
	for (int i = 0; i < TRAIL_MAX; i++)
		memcpy(longest + 2L * i, "\xc3\xa9", 2);
	longest[sizeof(longest) - 1] = '\0';
	trail_add(trail, longest);
	assert_true(strlen(trail) % 2 == 0);
}

static void what_the_taker_refuses_ends_it(void **state)
{
	struct got got = { .refuse = true };
	auto_buf struct buf rar;
	struct result trouble;
	struct err err = { 0 };

	(void)state;
	buf_init(&rar, FIXTURE_MAX);
	make_rar5(&rar, "a", span_str("x"));
	result_init(&trouble);
	assert_int_equal(unpack(SNIFF_RAR5, buf_span(&rar), &budget,
				 &(struct unpack_to){ take, &got, &trouble }, &err),
		-1);
	assert_int_equal(err.kind, ERR_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(members_of_both_rar_formats_come_out, start),
		cmocka_unit_test_setup(members_of_other_kinds_come_out, start),
		cmocka_unit_test_setup(what_is_encrypted_is_said_to_be, start),
		cmocka_unit_test_setup(a_volume_is_unsupported, start),
		cmocka_unit_test_setup(a_damaged_archive_is_never_fine, start),
		cmocka_unit_test_setup(each_limit_ends_the_unpacking, start),
		cmocka_unit_test_setup(
			more_out_than_an_archive_can_hold_is_a_bomb, start),
		cmocka_unit_test_setup(
			bytes_that_look_like_an_archive_by_chance_are_none, start),
		cmocka_unit_test_setup(
			rar_behind_other_bytes_is_found_by_its_first_block, start),
		cmocka_unit_test_setup(names_are_made_printable_and_cut, start),
		cmocka_unit_test_setup(what_the_taker_refuses_ends_it, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
