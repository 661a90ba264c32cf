/* SPDX-License-Identifier: ISC
 *
 * Archives that unpack to too much. */
#include "tests/scanner/dissected.h"
#include "tests/scanner/make_archive.h"

static void load_with_small_limits(void)
{
	f.settings.file_size_max = 1UL << 20;
	f.settings.scan_size_max = 4UL << 20;
	f.settings.files_max = 200;
	f.settings.recursion_max = 8;
	fixture_load(&f);
}

static void zeros_by_the_megabyte_end_at_a_limit(void **state)
{
	static char zeros[8UL << 20];
	static const char *const filters[] = { "gzip", "bzip2", "xz", "zstd", "lz4" };
	const struct member member = { "zeros", zeros };

	(void)state;
	load_with_small_limits();
	memset(zeros, '0', sizeof(zeros) - 1);
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		auto_buf struct buf bomb;

		buf_init(&bomb, FIXTURE_MAX);
		make_archive(&bomb, "raw", filters[i], NULL, &member, 1);
		assert_true(bomb.len < 64UL * 1024);
		assert_result(filters[i], "", buf_span(&bomb), VERDICT_UNSCANNABLE,
			REASON_LIMIT);
	}
}

static void rar_in_rar_ends_at_the_depth_limit(void **state)
{
	auto_buf struct buf inner, outer;

	(void)state;
	load_with_small_limits();
	buf_init(&inner, FIXTURE_MAX);
	buf_init(&outer, FIXTURE_MAX);
	make_rar5(&inner, "e.com", span_str(EICAR));
	for (int depth = 0; depth < 20; depth++) {
		struct buf swap = inner;

		buf_clear(&outer);
		make_rar5(&outer, "x.rar", buf_span(&inner));
		inner = outer;
		outer = swap;
		if (depth == 3)
			assert_infected("not so deep", buf_span(&inner),
				"x.rar > x.rar > x.rar > x.rar > e.com");
	}
	assert_result("deep", "", buf_span(&inner), VERDICT_UNSCANNABLE, REASON_LIMIT);
}

static void many_files_end_at_a_limit(void **state)
{
	auto_buf struct buf rar;
	char name[32];

	(void)state;
	load_with_small_limits();
	buf_init(&rar, FIXTURE_MAX);
	start_rar5(&rar, false);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "%d.txt", i);
		add_rar5(&rar, name, span_str(name), false);
	}
	end_rar5(&rar);
	assert_result("many", "", buf_span(&rar), VERDICT_UNSCANNABLE, REASON_LIMIT);
}

/* Each of 100 archives of one megabyte's worth: all of them together count. */
static void what_all_archives_unpack_to_has_one_limit(void **state)
{
	static char zeros[900UL * 1024];
	const struct member member = { "zeros", zeros };
	auto_buf struct buf rar;
	char name[32];

	(void)state;
	load_with_small_limits();
	memset(zeros, '0', sizeof(zeros) - 1);
	buf_init(&rar, FIXTURE_MAX);
	start_rar5(&rar, false);
	for (int i = 0; i < 8; i++) {
		auto_buf struct buf zst;

		buf_init(&zst, FIXTURE_MAX);
		zeros[0] = (char)('a' + i);
		make_archive(&zst, "raw", "zstd", NULL, &member, 1);
		(void)snprintf(name, sizeof(name), "%d.zst", i);
		add_rar5(&rar, name, buf_span(&zst), false);
	}
	end_rar5(&rar);
	assert_result("sum", "", buf_span(&rar), VERDICT_UNSCANNABLE, REASON_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITHOUT_ENGINE(zeros_by_the_megabyte_end_at_a_limit),
		WITHOUT_ENGINE(rar_in_rar_ends_at_the_depth_limit),
		WITHOUT_ENGINE(many_files_end_at_a_limit),
		WITHOUT_ENGINE(what_all_archives_unpack_to_has_one_limit),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
