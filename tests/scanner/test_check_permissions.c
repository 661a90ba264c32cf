/* SPDX-License-Identifier: ISC */
#include "tests/scanner/checked.h"

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

static void what_the_sweep_believes_is_its_own(void **state)
{
	struct checked at;
	char swept[CHECKED_PATH];

	(void)state;
	checked_start(&at);
	assert_int_equal(mkdir(in_folder(&at, "swept", swept), 0700), 0);
	at.settings.sweep_state = swept;
	assert_int_equal(chmod(swept, 0777), 0);
	says(&at, check_permissions, CHECK_OK, "nobody else");
	at.settings.sweep.count = 1;
	says(&at, check_permissions, CHECK_CRITICAL, "sweep-state");
	assert_int_equal(chmod(swept, 0755), 0);
	says(&at, check_permissions, CHECK_OK, "nobody else");
	checked_stop(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_sweep_believes_is_its_own),
		cmocka_unit_test(what_others_may_change_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
