/* SPDX-License-Identifier: ISC
 *
 * The checks that look at the system, each with what it warns of brought about. */
#include "tests/scanner/checked.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/clock.h"

#include "scanner/alert.h"
#include "scanner/memory.h"
#include "scanner/sandbox.h"

/* A file system of so many bytes and files, for this process alone. */
static bool mount_small(const char *path, const char *options)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", path, "tmpfs", 0, options) == 0;
}

static void fill(const char *path, size_t bytes)
{
	static const char zeros[65536];
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	for (size_t at = 0; at < bytes; at += sizeof(zeros))
		if (write(fd, zeros, sizeof(zeros)) <= 0)
			return;
}

static void temp_space_that_is_full_is_told_of_until_it_is_not(void **state)
{
	char path[CHECKED_PATH];
	struct checked at;

	(void)state;
	checked_start(&at);
	if (!mount_small(at.folder, "size=4m,nr_inodes=100")) {
		checked_stop(&at);
		skip();
	}
	limit_is(&at, "temp-left 3M 1M");
	says(&at, check_space, CHECK_CRITICAL, "files is left");
	at.settings.check_limits.count = 2;
	at.limits[1] = strdup("temp-files 50 20");
	assert_non_null(at.limits[1]);
	says(&at, check_space, CHECK_OK, "4 of 4 MB are left");
	fill(in_folder(&at, "a", path), 2 << 20);
	says(&at, check_space, CHECK_WARNING, "2 of 4 MB are left");
	fill(in_folder(&at, "b", path), 8 << 20);
	says(&at, check_space, CHECK_CRITICAL, "0 of 4 MB are left");
	assert_int_equal(unlink(in_folder(&at, "b", path)), 0);
	assert_int_equal(unlink(in_folder(&at, "a", path)), 0);
	says(&at, check_space, CHECK_OK, "4 of 4 MB are left");
	for (int i = 0; i < 90; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", i);
		fill(in_folder(&at, name, path), 0);
		if (i == 60)
			says(&at, check_space, CHECK_WARNING, "files is left");
	}
	says(&at, check_space, CHECK_CRITICAL, "files is left");
	for (int i = 0; i < 90; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(unlink(in_folder(&at, name, path)), 0);
	}
	says(&at, check_space, CHECK_OK, "4 of 4 MB are left");
	free(at.limits[1]);
	assert_int_equal(umount(at.folder), 0);
	checked_stop(&at);
}

static void a_disk_that_is_full_is_told_of_until_it_is_not(void **state)
{
	char path[CHECKED_PATH], metrics[CHECKED_PATH];
	struct checked at;

	(void)state;
	checked_start(&at);
	if (!mount_small(at.folder, "size=4m")) {
		checked_stop(&at);
		skip();
	}
	limit_is(&at, "disk-left 3M 1M");
	says(&at, check_disk, CHECK_OK, "4 MB are left where least is");
	fill(in_folder(&at, "a", path), 2 << 20);
	says(&at, check_disk, CHECK_WARNING, "2 MB are left for new signatures");
	fill(in_folder(&at, "b", path), 8 << 20);
	says(&at, check_disk, CHECK_CRITICAL, "0 MB are left for new signatures");
	at.signatures[0] = at.test;
	says(&at, check_disk, CHECK_OK, "nothing is written");
	at.settings.sweep.count = 1;
	at.settings.sweep_state = at.folder;
	says(&at, check_disk, CHECK_CRITICAL, "for what the sweep remembers");
	at.settings.sweep.count = 0;
	at.settings.metrics_file = in_folder(&at, "x.prom", metrics);
	says(&at, check_disk, CHECK_CRITICAL, "0 MB are left for the metrics");
	assert_int_equal(unlink(in_folder(&at, "b", path)), 0);
	assert_int_equal(unlink(in_folder(&at, "a", path)), 0);
	says(&at, check_disk, CHECK_OK, "4 MB are left where least is");
	/* Nobody writes there. */
	assert_int_equal(mount("none", at.folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	says(&at, check_disk, CHECK_OK, "nothing is written");
	assert_int_equal(umount(at.folder), 0);
	checked_stop(&at);
}

static void a_temp_folder_that_is_gone_is_critical(void **state)
{
	char path[CHECKED_PATH];
	struct checked at;

	(void)state;
	checked_start(&at);
	at.settings.temp_dir = in_folder(&at, "gone", path);
	says(&at, check_space, CHECK_CRITICAL, "No such file or directory: mail waits");
	checked_stop(&at);
}

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

static void what_others_may_change_is_told_of(void **state)
{
	struct checked at;
	char conf[CHECKED_PATH], temp[CHECKED_PATH], key[CHECKED_PATH],
		folder[CHECKED_PATH], socket[CHECKED_PATH], endpoint[CHECKED_PATH + 16],
		set[CHECKED_PATH];
	const struct {
		const char *path;
		mode_t good, bad;
		enum check_level level;
		const char *says;
	} cases[] = {
		{ conf, 0600, 0602, CHECK_CRITICAL, "everybody may change it" },
		{ key, 0600, 0604, CHECK_CRITICAL, "others may read it" },
		{ key, 0600, 0640, CHECK_CRITICAL, "others may read it" },
		{ temp, 0700, 0710, CHECK_CRITICAL, "others may enter it" },
		{ temp, 0700, 0704, CHECK_CRITICAL, "others may enter it" },
		{ socket, 0750, 0757, CHECK_CRITICAL, "the socket's folder" },
		{ folder, 0755, 0777, CHECK_CRITICAL, "signatures folder" },
		{ set, 0644, 0646, CHECK_CRITICAL, "folder/own.ndb: everybody" },
	};

	(void)state;
	checked_start(&at);
	put(&at, "conf", "", NOW);
	put(&at, "key", "", NOW);
	assert_int_equal(mkdir(in_folder(&at, "temp", temp), 0700), 0);
	assert_int_equal(mkdir(in_folder(&at, "folder", folder), 0755), 0);
	assert_int_equal(mkdir(in_folder(&at, "socket", socket), 0750), 0);
	put(&at, "folder/own.ndb", "", NOW);
	(void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/s", socket);
	(void)in_folder(&at, "folder/own.ndb", set);
	at.settings.path = in_folder(&at, "conf", conf);
	at.settings.curve_key = in_folder(&at, "key", key);
	at.settings.temp_dir = temp;
	at.signatures[0] = folder;
	at.listen[0] = endpoint;
	at.settings.listen.count = 1;
	says(&at, check_permissions, CHECK_OK, "nobody else");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(chmod(cases[i].path, cases[i].bad), 0);
		says(&at, check_permissions, cases[i].level, cases[i].says);
		assert_int_equal(chmod(cases[i].path, cases[i].good), 0);
		says(&at, check_permissions, CHECK_OK, "nobody else");
	}
	/* Who writes there cannot remove what is another's. */
	assert_int_equal(chmod(socket, 01777), 0);
	says(&at, check_permissions, CHECK_OK, "nobody else");
	if (geteuid() == 0) {
		assert_int_equal(chown(conf, 0, 12345), 0);
		assert_int_equal(chmod(conf, 0660), 0);
		says(&at, check_permissions, CHECK_WARNING, "its group may change it");
		assert_int_equal(chown(key, 12345, 0), 0);
		assert_int_equal(chmod(conf, 0640), 0);
		says(&at, check_permissions, CHECK_WARNING, "belongs to another user");
	}
	assert_int_equal(unlink(key), 0);
	says(&at, check_permissions, CHECK_WARNING, "No such file");
	checked_stop(&at);
}

static void a_worker_that_is_not_shut_in_is_critical(void **state)
{
	struct checked at;
	char status;
	int ready[2];
	pid_t child;

	(void)state;
	checked_start(&at);
	says(&at, check_isolation, CHECK_OK, "0 of them were looked at");
	at.facts.pid_count = 1;
	at.facts.pids[0] = getpid();
	says(&at, check_isolation, CHECK_CRITICAL, "is not shut in");
	(void)snprintf(at.facts.isolation, sizeof(at.facts.isolation), "no landlock");
	says(&at, check_isolation, CHECK_WARNING, "no landlock");
	at.facts.isolation[0] = '\0';
	if (sandbox_missing()[0] == 't' && strstr(sandbox_missing(), "seccomp")) {
		checked_stop(&at);
		return; /* a build without the filter */
	}
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		status = sandbox_enter_host(NULL) == 0 ? 'y' : 'n';
		if (write(ready[1], &status, 1) == 1)
			(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &status, 1), 1);
	assert_int_equal(status, 'y');
	at.facts.pids[0] = child;
	says(&at, check_isolation, CHECK_OK, "1 of them were looked at");
	(void)close(ready[0]);
	(void)close(ready[1]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	/* One that has ended, or is hidden, says nothing. */
	says(&at, check_isolation, CHECK_OK, "/proc does not show them");
	checked_stop(&at);
}

static const struct checks_entry about = { "space", NOW,
	{ CHECK_WARNING, "3 \"MB\" are $(left)" } };

static void an_alert_has_its_sentence_and_no_shell(void **state)
{
	char script[3 * CHECKED_PATH], path[CHECKED_PATH], shell[] = "/bin/sh",
							   option[] = "-c";
	char *command[] = { shell, option, script };
	struct schema_list list = { command, 3 };
	struct checked at;
	auto_buf struct buf out;
	struct err err = { 0 };
	const char *text;

	(void)state;
	checked_start(&at);
	buf_init(&out, 4096);
	(void)snprintf(script, sizeof(script),
		"{ cat; echo \"$CHECK_NAME|$CHECK_LEVEL|$CHECK_TEXT|$NOTIFY_SOCKET|\"; } "
		">%s",
		in_folder(&at, "out", path));
	assert_int_equal(setenv("NOTIFY_SOCKET", "/secret", 1), 0);
	assert_int_equal(alert_run(&list, &about, 20, -1, &err), 0);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(file_read(path, 4096, &out, NULL), 0);
	assert_int_equal(buf_text(&out, &text, NULL), 0);
	assert_string_equal(text, "space: warning: 3 \"MB\" are $(left)\n"
				  "space|warning|3 \"MB\" are $(left)||\n");
	checked_stop(&at);
}

static void an_alert_that_fails_says_how(void **state)
{
	static const struct {
		const char *script;
		const char *says;
	} cases[] = { { "exit 3", "exit code 3" }, { "kill -9 $$", "signal 9" },
		{ "sleep 60", "not done in 1 seconds: killed" },
		{ "trap '' TERM HUP; sleep 60 & sleep 60", "not done in 1 seconds" } };
	char script[64], shell[] = "/bin/sh", option[] = "-c",
			 none[] = "/no/such/program";
	char *command[] = { shell, option, script };
	struct schema_list list = { command, 3 };
	struct err err = { 0 };
	int64_t from;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		from = clock_ms();
		(void)snprintf(script, sizeof(script), "%s", cases[i].script);
		assert_int_equal(alert_run(&list, &about, 1, -1, &err), -1);
		assert_non_null(strstr(err.text, cases[i].says));
		assert_true(clock_ms() - from < 20000);
	}
	command[0] = none;
	assert_int_equal(alert_run(&list, &about, 1, -1, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
}

/* The scanner stops: the command has a moment more, and nothing of it is left. */
static void an_alert_ends_with_the_scanner(void **state)
{
	char script[2 * CHECKED_PATH], shell[] = "/bin/sh", option[] = "-c",
				       pid_file[CHECKED_PATH];
	char *command[] = { shell, option, script };
	struct schema_list list = { command, 3 };
	struct checked at;
	struct err err = { 0 };
	int64_t from = clock_ms();
	int ends[2];

	(void)state;
	checked_start(&at);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	(void)close(ends[1]);
	(void)snprintf(script, sizeof(script), "exec sleep 0.2");
	assert_int_equal(alert_run(&list, &about, 60, ends[0], &err), 0);
	/* A child that stays longer than its parent goes as well. */
	(void)snprintf(script, sizeof(script), "sleep 600 & echo $! >%s; wait",
		in_folder(&at, "pid", pid_file));
	assert_int_equal(alert_run(&list, &about, 60, ends[0], &err), -1);
	assert_non_null(strstr(err.text, "not done in 3 seconds: killed"));
	assert_true(clock_ms() - from < 30000);
	/* Dead, if nobody has buried it yet. */
	(void)snprintf(script, sizeof(script),
		"i=0; while grep -qs '^State:.[^ZX]' /proc/$(cat %s)/status && [ $i -lt 100 "
		"]; do sleep 0.05; i=$((i+1)); done; [ $i -lt 100 ]",
		pid_file);
	assert_int_equal(alert_run(&list, &about, 60, -1, &err), 0);
	(void)close(ends[0]);
	checked_stop(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(temp_space_that_is_full_is_told_of_until_it_is_not),
		cmocka_unit_test(a_disk_that_is_full_is_told_of_until_it_is_not),
		cmocka_unit_test(a_temp_folder_that_is_gone_is_critical),
		cmocka_unit_test(little_memory_is_told_of),
		cmocka_unit_test(the_tightest_limit_of_all_groups_counts),
		cmocka_unit_test(a_limit_is_seen_in_each_version_of_control_groups),
		cmocka_unit_test(what_others_may_change_is_told_of),
		cmocka_unit_test(a_worker_that_is_not_shut_in_is_critical),
		cmocka_unit_test(an_alert_has_its_sentence_and_no_shell),
		cmocka_unit_test(an_alert_that_fails_says_how),
		cmocka_unit_test(an_alert_ends_with_the_scanner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
