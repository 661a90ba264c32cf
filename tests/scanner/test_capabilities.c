/* SPDX-License-Identifier: ISC
 *
 * As a service of systemd with AmbientCapabilities= has them; that takes root. */
#include "tests/test.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/alert.h"
#include "scanner/capabilities.h"

enum {
	NOBODY = 65534,
	SECONDS = 20
};

#define OWN  (1U << CAP_DAC_READ_SEARCH)
#define NONE "0000000000000000\n"

static bool must(bool done, const char *what)
{
	if (!done)
		(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return done;
}

/* Of one user, with this capability in all sets. */
static bool become_service(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { OWN, OWN,
		OWN } };

	return must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0, "keepcaps") &&
	       must(setresgid(NOBODY, NOBODY, NOBODY) == 0, "gid") &&
	       must(setresuid(NOBODY, NOBODY, NOBODY) == 0, "uid") &&
	       must(syscall(SYS_capset, &head, data) == 0, "capset") &&
	       must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0,
			    0) == 0,
		       "ambient");
}

/* In a child, for what is given up here is gone. */
static void in_service(bool (*run)(void))
{
	int status = -1;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(become_service() && run() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static bool has(uint32_t effective, uint32_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &head, data) == 0 && data[0].effective == effective &&
	       data[0].permitted == effective && data[0].inheritable == inheritable &&
	       (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_DAC_READ_SEARCH, 0, 0) ==
		       1) == (inheritable != 0);
}

static bool drops(void)
{
	return has(OWN, OWN) && capabilities_drop(NULL) == 0 && has(0, 0) &&
	       capabilities_drop(NULL) == 0;
}

static void a_worker_has_none_once_they_are_dropped(void **state)
{
	(void)state;
	in_service(drops);
}

static bool keeps_its_own(void)
{
	return capabilities_pass_none_on(NULL) == 0 && has(OWN, 0) &&
	       capabilities_pass_none_on(NULL) == 0 && has(OWN, 0);
}

static void what_is_not_passed_on_is_kept(void **state)
{
	(void)state;
	in_service(keeps_its_own);
}

/* The command writes down its own. */
static bool alerts(void)
{
	char folder[] = "/tmp/test-capabilities-XXXXXX", path[64], script[256];
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, script };
	const struct schema_list command = { argv, 3 };
	const struct checks_entry about = { .name = "queue" };
	auto_buf struct buf file = { .max = 4096 };
	const char *text = "";
	struct err err = { 0 };
	size_t sets = 0;

	if (!must(mkdtemp(folder) != NULL, "mkdtemp"))
		return false;
	(void)snprintf(path, sizeof(path), "%s/sets", folder);
	(void)snprintf(script, sizeof(script),
		"grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status >%s", path);
	if (!must(alert_run(&command, &about, SECONDS, -1, &err) == 0, err.text) ||
		!must(file_read(path, 4000, &file, &err) == 0, err.text) ||
		!must(buf_text(&file, &text, &err) == 0, err.text))
		return false;
	for (const char *at = text; (at = strstr(at, NONE)) != NULL; at++)
		sets++;
	(void)file_remove_tree(folder, true, NULL);
	return has(OWN, 0) && must(sets == 4, text);
}

static void the_command_of_an_alert_has_none_of_them(void **state)
{
	(void)state;
	in_service(alerts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_has_none_once_they_are_dropped),
		cmocka_unit_test(what_is_not_passed_on_is_kept),
		cmocka_unit_test(the_command_of_an_alert_has_none_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
