/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailfilter/owner.h"

enum {
	NO_USER = 1999999999
};

static int make_folder(void **state)
{
	char *path = strdup("/tmp/mailfilter-XXXXXX");

	*state = path && mkdtemp(path) ? path : NULL;
	return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
	int result = rmdir(*state);

	free(*state);
	return result;
}

static void own_folders_and_those_that_are_missing_are_well(void **state)
{
	struct err err = { 0 };

	assert_int_equal(owner_check(*state, &err), 0);
	assert_int_equal(owner_check("/nowhere/at/all", &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
}

static void root_is_told_to_be_the_owner(void **state)
{
	const struct passwd *user = getpwnam("nobody");
	struct err err = { 0 };

	if (geteuid() != 0)
		skip();
	if (!user) {
		fail_msg("there is no user nobody");
		return;
	}
	assert_int_equal(chown(*state, user->pw_uid, user->pw_gid), 0);
	assert_int_equal(owner_check(*state, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "runuser -u nobody -- mailfilter"));
}

static void an_owner_without_a_name_is_a_number(void **state)
{
	struct err err = { 0 };

	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(*state, NO_USER, (gid_t)-1), 0);
	assert_int_equal(owner_check(*state, &err), -1);
	assert_non_null(strstr(err.text, "1999999999"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			own_folders_and_those_that_are_missing_are_well, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(
			root_is_told_to_be_the_owner, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			an_owner_without_a_name_is_a_number, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
