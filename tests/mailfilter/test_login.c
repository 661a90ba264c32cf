/* SPDX-License-Identifier: ISC
 *
 * When a login is tried again, and with what. */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/login.h"

static char dir[] = "/tmp/test_login.XXXXXX";
static char counter[64];

/* The server: which secrets were tried, which one is good, and what becomes of the others. */
static struct {
	const char *good;
	enum err_kind otherwise;
	char tried[100];
} server;

static struct source a_source;

/* In place of mailfilter/source.c. */
int source_open(const struct account_settings *account, const char *password,
	const struct stream_wait *wait, struct source **source_r, struct err *err)
{
	size_t used = strlen(server.tried);

	(void)account;
	(void)wait;
	(void)snprintf(server.tried + used, sizeof(server.tried) - used, "%s ", password);
	if (strcmp(password, server.good) != 0)
		return err_set(err, server.otherwise, "refused");
	*source_r = &a_source;
	return 0;
}

/* The password command: its first argument, and the second from its second run on. */
static const char script[] =
	"echo x >>\"$1\"; test $(wc -l <\"$1\") -gt 1 && eval \"$3\"; "
	"eval \"$2\"";

static int try(
	const char *first, const char *second, enum err_kind otherwise, struct err *err)
{
	char *words[] = { strdup("sh"), strdup("-c"), strdup(script), strdup("sh"),
		strdup(counter), strdup(first), strdup(second) };
	struct account_settings account = { .kind = SOURCE_IMAPS,
		.password_command = { words, 7 } };
	struct source *source = NULL;
	int result;

	(void)unlink(counter);
	server.otherwise = otherwise;
	server.good = "good";
	server.tried[0] = '\0';
	result = login_open(&account, &stream_wait_plain, &source, err);
	assert_int_equal(result == 0, source == &a_source);
	for (size_t i = 0; i < 7; i++)
		free(words[i]);
	return result;
}

static void a_refused_secret_is_replaced_once(void **state)
{
	static const struct {
		const char *first, *second;
		enum err_kind otherwise, kind;
		const char *tried, *says;
	} cases[] = {
		{ "echo good", "exit 1", ERR_AUTH, ERR_NONE, "good ", "" },
		{ "echo old", "echo good; exit", ERR_AUTH, ERR_NONE, "old good ", "" },
		{ "echo old", "echo older; exit", ERR_AUTH, ERR_AUTH, "old older ",
			"refused" },
		/* The same again would only lock the mailbox. */
		{ "echo old", "echo old; exit", ERR_AUTH, ERR_AUTH, "old ", "refused" },
		{ "echo old", "echo agent locked >&2; exit 2", ERR_AUTH, ERR_AUTH, "old ",
			"refused; then password-command: command \"sh\" ended with status "
			"2: agent locked" },
		/* It was not the secret. */
		{ "echo old", "echo good; exit", ERR_SESSION, ERR_SESSION, "old ",
			"refused" },
		{ "echo old", "echo good; exit", ERR_ACCOUNT, ERR_ACCOUNT, "old ",
			"refused" },
		{ "exit 3", "echo good; exit", ERR_AUTH, ERR_ACCOUNT, "", "status 3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };
		int result =
			try(cases[i].first, cases[i].second, cases[i].otherwise, &err);

		assert_int_equal(result, cases[i].kind == ERR_NONE ? 0 : -1);
		assert_string_equal(server.tried, cases[i].tried);
		if (result == 0)
			continue;
		assert_int_equal(err.kind, cases[i].kind);
		if (!strstr(err.text, cases[i].says))
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void a_secret_that_is_no_commands_is_tried_once(void **state)
{
	char password[] = "old";
	struct account_settings account = { .kind = SOURCE_POP3S, .password = password };
	struct source *source = NULL;
	struct err err = { 0 };

	(void)state;
	server.otherwise = ERR_AUTH;
	server.good = "good";
	server.tried[0] = '\0';
	assert_int_equal(login_open(&account, &stream_wait_plain, &source, &err), -1);
	assert_int_equal(err.kind, ERR_AUTH);
	assert_string_equal(server.tried, "old ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_secret_is_replaced_once),
		cmocka_unit_test(a_secret_that_is_no_commands_is_tried_once),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	(void)snprintf(counter, sizeof(counter), "%s/runs", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return file_remove_tree(dir, true, NULL) < 0 ? 1 : failed;
}
