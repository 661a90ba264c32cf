/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/password.h"
#include "mailfilter/stream.h"

static char dir[] = "/tmp/test_password.XXXXXX";
static char file[64];

static void check(const struct account_settings *account, const char *expected)
{
	auto_free char *password = NULL;
	struct err err = { 0 };

	if (settings_password(account, &stream_wait_plain, &password, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(password, expected);
}

static void check_fails(
	const struct account_settings *account, enum err_kind kind, const char *says)
{
	char *password = NULL;
	struct err err = { 0 };

	assert_int_equal(
		settings_password(account, &stream_wait_plain, &password, &err), -1);
	assert_null(password);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.text, says))
		fail_msg("expected %s, got %s", says, err.text);
	assert_null(strstr(err.text, "hunter2"));
}

static struct account_settings with_command(char **items, size_t count)
{
	return (struct account_settings){ .password_command = { items, count } };
}

static void the_settings_own_is_copied(void **state)
{
	char password[] = " as it is ";
	struct account_settings account = { .password = password };

	(void)state;
	check(&account, " as it is ");
}

static void a_commands_first_line_counts(void **state)
{
	static const struct {
		const char *script, *expected;
	} cases[] = {
		{ "echo hunter2", "hunter2" },
		{ "printf hunter2", "hunter2" },
		{ "printf 'hunter2\\r\\nuser: x\\n'", "hunter2" },
		{ "printf ' with blanks \\n'", " with blanks " },
		{ "printf 'm\\303\\274ller'", "m\xc3\xbcller" },
		{ "printf 'one\\n'; head -c 16000 /dev/zero", "one" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char script[128], shell[] = "sh", option[] = "-c";
		char *items[] = { shell, option, script };
		struct account_settings account = with_command(items, 3);

		(void)snprintf(script, sizeof(script), "%s", cases[i].script);
		check(&account, cases[i].expected);
	}
}

static void a_command_that_gives_none_says_why(void **state)
{
	static const struct {
		const char *script, *says;
		enum auth_kind auth;
		enum err_kind kind;
	} cases[] = {
		{ "echo hunter2; exit 1",
			"password-command: command \"sh\" ended with status 1: run it by hand",
			0, ERR_ACCOUNT },
		{ "echo 'the agent is locked' >&2; exit 2",
			"status 2: the agent is locked", 0, ERR_ACCOUNT },
		{ "true",
			"password-command: sh: no password: expected it on the first line",
			0, ERR_ACCOUNT },
		{ "echo; echo hunter2", "no password", 0, ERR_ACCOUNT },
		{ "printf 'hunter2\\0x\\n'", "control character", 0, ERR_ACCOUNT },
		{ "printf 'hunter2\\rx\\n'", "control character", 0, ERR_ACCOUNT },
		{ "printf 'hunter2\\033\\n'", "control character", 0, ERR_ACCOUNT },
		{ "printf 'hunter2\\177\\n'", "control character", 0, ERR_ACCOUNT },
		{ "head -c 1025 /dev/zero | tr '\\0' x", "expected at most 1024", 0,
			ERR_ACCOUNT },
		{ "head -c 16385 /dev/zero", "printed more than 16384 bytes", 0,
			ERR_ACCOUNT },
		{ "true", "no token: expected it on the first line", AUTH_XOAUTH2,
			ERR_ACCOUNT },
		{ "printf 'hunter2\\001auth=x'", "a control character in the token",
			AUTH_OAUTHBEARER, ERR_ACCOUNT },
		{ "echo Bearer hunter2", "expected the token alone", AUTH_XOAUTH2,
			ERR_ACCOUNT },
		{ "printf 'hunter2\\303\\274'", "expected the token alone", AUTH_XOAUTH2,
			ERR_ACCOUNT },
		{ "head -c 8193 /dev/zero | tr '\\0' x", "expected at most 8192",
			AUTH_XOAUTH2, ERR_ACCOUNT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char script[128], shell[] = "sh", option[] = "-c";
		char *items[] = { shell, option, script };
		struct account_settings account = with_command(items, 3);

		account.auth = (int)cases[i].auth;
		(void)snprintf(script, sizeof(script), "%s", cases[i].script);
		check_fails(&account, cases[i].kind, cases[i].says);
	}
}

static void a_program_that_is_not_there_is_a_mistake_in_the_settings(void **state)
{
	static char absent[] = "/no/such/program", folder[] = "/tmp";
	char *items[] = { absent };
	struct account_settings account = with_command(items, 1);

	(void)state;
	check_fails(&account, ERR_SETTINGS, "\"/no/such/program\" cannot be started");
	items[0] = folder;
	check_fails(&account, ERR_SETTINGS, "\"/tmp\" cannot be started");
}

static void a_token_may_be_longer_than_a_password(void **state)
{
	static char expected[TOKEN_MAX + 1];
	char script[] = "head -c 8192 /dev/zero | tr '\\0' x", shell[] = "sh",
	     option[] = "-c";
	char *items[] = { shell, option, script };
	struct account_settings account = with_command(items, 3);

	(void)state;
	memset(expected, 'x', TOKEN_MAX);
	account.auth = AUTH_XOAUTH2;
	check(&account, expected);
}

static void write_file(const char *path, const char *bytes, size_t len)
{
	struct err err;

	assert_int_equal(file_replace(path, (struct span){ (const uint8_t *)bytes, len },
				 0600, &err),
		0);
}

static void a_files_first_line_counts(void **state)
{
	struct account_settings account = { .password_file = file };

	(void)state;
	write_file(file, "hunter2", 7);
	check(&account, "hunter2");
	write_file(file, "hunter2\r\n\0\n", 11);
	check(&account, "hunter2");
	write_file(file, "hunter2\0\n", 9);
	check_fails(&account, ERR_SETTINGS, "control character");
	write_file(file, "\n", 1);
	check_fails(&account, ERR_SETTINGS, "password-file");
	write_file(file, "", 0);
	check_fails(&account, ERR_SETTINGS, "no password");
}

static void a_file_that_everybody_may_read_is_refused(void **state)
{
	struct account_settings account = { .password_file = file };

	(void)state;
	write_file(file, "hunter2\n", 8);
	assert_int_equal(chmod(file, 0604), 0);
	check_fails(&account, ERR_SETTINGS, "chmod 600 it");
	assert_int_equal(chmod(file, 0640), 0);
	check(&account, "hunter2");
}

/* Who may read it gave it to us; a service's file often belongs to root or to the mailbox's owner. */
static void a_file_may_belong_to_another(void **state)
{
	struct account_settings account = { .password_file = file };

	(void)state;
	write_file(file, "hunter2\n", 8);
	assert_int_equal(chmod(file, 0440), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(file, 65534, 65534), 0);
	check(&account, "hunter2");
	assert_int_equal(chmod(file, 0622), 0);
	check_fails(&account, ERR_SETTINGS, "chmod 600 it");
	assert_int_equal(unlink(file), 0);
}

static void a_file_that_is_none_is_refused_by_name(void **state)
{
	static char large[PASSWORD_OUTPUT_MAX + 1];
	struct account_settings account = { .password_file = file };

	(void)state;
	memset(large, 'x', sizeof(large));
	write_file(file, large, sizeof(large));
	check_fails(&account, ERR_SETTINGS, file);
	assert_int_equal(unlink(file), 0);
	check_fails(&account, ERR_SETTINGS, file);
	assert_int_equal(mkfifo(file, 0600), 0);
	check_fails(&account, ERR_SETTINGS, "expected a regular file");
	assert_int_equal(unlink(file), 0);
	account.password_file = dir;
	check_fails(&account, ERR_SETTINGS, "expected a regular file");
}

static void the_service_managers_credential_is_the_last_resort(void **state)
{
	char name[] = "work", path[80];
	struct account_settings account = { .name = name };

	(void)state;
	check_fails(&account, ERR_SETTINGS, "the systemd credential mailfilter.work");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	check_fails(&account, ERR_SETTINGS, "the systemd credential mailfilter.work");
	(void)snprintf(path, sizeof(path), "%s/mailfilter.work", dir);
	write_file(path, "hunter2\n", 8);
	check(&account, "hunter2");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "relative", 1), 0);
	check_fails(&account, ERR_SETTINGS, "the systemd credential mailfilter.work");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_settings_own_is_copied),
		cmocka_unit_test(a_commands_first_line_counts),
		cmocka_unit_test(a_command_that_gives_none_says_why),
		cmocka_unit_test(
			a_program_that_is_not_there_is_a_mistake_in_the_settings),
		cmocka_unit_test(a_token_may_be_longer_than_a_password),
		cmocka_unit_test(a_files_first_line_counts),
		cmocka_unit_test(a_file_may_belong_to_another),
		cmocka_unit_test(a_file_that_everybody_may_read_is_refused),
		cmocka_unit_test(a_file_that_is_none_is_refused_by_name),
		cmocka_unit_test(the_service_managers_credential_is_the_last_resort),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	(void)snprintf(file, sizeof(file), "%s/password", dir);
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return file_remove_tree(dir, true, NULL) < 0 ? 1 : failed;
}
