/* SPDX-License-Identifier: ISC */
#include "tests/scanner/checked.h"

#include "scanner/memory.h"

static void little_memory_is_told_of(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	says(&at, check_memory, CHECK_OK, "MB are left");
	limit_is(&at, "memory-left 1048576G 1M");
	says(&at, check_memory, CHECK_WARNING, "MB are left");
	limit_is(&at, "memory-left 1048576G 1048576G");
	says(&at, check_memory, CHECK_CRITICAL, "MB are left");
	checked_stop(&at);
}

/* A tree as the kernel shows it: /a has no limit, /a/b has one, /a/b/c a wider one. */
static void the_tightest_limit_of_all_groups_counts(void **state)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ "proc/meminfo", "MemTotal: 9000 kB\nMemAvailable: 4096 kB\n" },
		{ "proc/self/cgroup", "1:cpu:/x\n0::/a/b/c\n" },
		{ "sys/fs/cgroup/a/memory.max", "max\n" },
		{ "sys/fs/cgroup/a/memory.current", "1\n" },
		{ "sys/fs/cgroup/a/b/memory.max", "3145728\n" },
		{ "sys/fs/cgroup/a/b/memory.current", "2097152\n" },
		{ "sys/fs/cgroup/a/b/memory.stat", "anon 5\ninactive_file 524288\n" },
		{ "sys/fs/cgroup/a/b/c/memory.max", "99999999\n" },
		{ "sys/fs/cgroup/a/b/c/memory.current", "2097152\n" },
	};
	char path[CHECKED_PATH];
	struct checked at;
	uint64_t left = 0;
	bool limited = true;

	(void)state;
	checked_start(&at);
	assert_false(memory_left(at.folder, &left, &limited));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)in_folder(&at, files[i].path, path);
		*strrchr(path, '/') = '\0';
		assert_int_equal(file_mkdirs(path, 0700, NULL), 0);
		put(&at, files[i].path, files[i].text, NOW);
		if (i == 0)
			assert_true(memory_left(at.folder, &left, &limited));
		if (i == 0)
			assert_int_equal(left, 4194304);
		if (i == 0)
			assert_false(limited);
	}
	assert_true(memory_left(at.folder, &left, &limited));
	assert_int_equal(left, 3145728 - 2097152 + 524288);
	assert_true(limited);
	put(&at, "sys/fs/cgroup/a/b/memory.current", "9999999\n", NOW);
	assert_true(memory_left(at.folder, &left, &limited));
	assert_int_equal(left, 0);
	checked_stop(&at);
}

/* One group with a limit, wherever the kernel shows it, of which 1 MB is left. */
static void a_limit_is_seen_in_each_version_of_control_groups(void **state)
{
	static const struct {
		const char *groups, *folder, *max, *used, *stat;
		bool limited;
	} cases[] = {
		/* a container sees its own group as the root */
		{ "0::/\n", "sys/fs/cgroup", "memory.max", "memory.current",
			"inactive_file 1048576\n", true },
		{ "9:pids:/p\n4:memory:/a\n0::/\n", "sys/fs/cgroup/memory/a",
			"memory.limit_in_bytes", "memory.usage_in_bytes",
			"inactive_file 7\ntotal_inactive_file 1048576\n", true },
		{ "4:cpu,memory:/a/b\n0::/\n", "sys/fs/cgroup/memory/a",
			"memory.limit_in_bytes", "memory.usage_in_bytes",
			"total_inactive_file 1048576\n", true },
		{ "4:memory:/elsewhere\n", "sys/fs/cgroup/memory",
			"memory.limit_in_bytes", "memory.usage_in_bytes",
			"total_inactive_file 1048576\n", true },
		/* not of memory, not ours, not well-formed */
		{ "4:memory_other:/a\n", "sys/fs/cgroup/memory/a",
			"memory.limit_in_bytes", "memory.usage_in_bytes", "", false },
		{ "4:memory:/b\n", "sys/fs/cgroup/memory/a", "memory.limit_in_bytes",
			"memory.usage_in_bytes", "", false },
		{ "4:memory\n:memory:/a\n4:memory:a\n", "sys/fs/cgroup/memory/a",
			"memory.limit_in_bytes", "memory.usage_in_bytes", "", false },
		{ "", "sys/fs/cgroup/memory", "memory.limit_in_bytes",
			"memory.usage_in_bytes", "", false },
	};
	char path[CHECKED_PATH];
	uint64_t left;
	bool limited;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct {
			const char *folder, *name, *text;
		} files[] = { { "proc", "meminfo", "MemAvailable: 4096 kB\n" },
			{ "proc/self", "cgroup", cases[i].groups },
			{ cases[i].folder, cases[i].max, "3145728\n" },
			{ cases[i].folder, cases[i].used, "3145728\n" },
			{ cases[i].folder, "memory.stat", cases[i].stat } };
		struct checked at;

		checked_start(&at);
		for (size_t j = 0; j < sizeof(files) / sizeof(*files); j++) {
			char name[64];

			assert_int_equal(
				file_mkdirs(in_folder(&at, files[j].folder, path), 0700,
					NULL),
				0);
			(void)snprintf(name, sizeof(name), "%s/%s", files[j].folder,
				files[j].name);
			put(&at, name, files[j].text, NOW);
		}
		if (!memory_left(at.folder, &left, &limited) ||
			limited != cases[i].limited ||
			left != (limited ? 1048576 : 4194304))
			fail_msg("case %zu: %ju left", i, (uintmax_t)left);
		checked_stop(&at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_memory_is_told_of),
		cmocka_unit_test(the_tightest_limit_of_all_groups_counts),
		cmocka_unit_test(a_limit_is_seen_in_each_version_of_control_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
