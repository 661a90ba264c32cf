/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/defer.h"
#include "common/home.h"

#include "mailfilter/account_settings.h"
#include "mailfilter/account_source.h"
#include "mailfilter/destination.h"
#include "mailfilter/setup.h"
#include "mailfilter/setup_guess.h"
#include "mailfilter/setup_text.h"
#include "mailfilter/source_url.h"

enum {
	NAMES_TRIED = 1000
};

static void say(const struct err *err)
{
	(void)printf("That cannot be: %s.\n", err->text);
}

/* Ask until check takes it; an empty answer counts where may_be_empty. */
static enum ask_result ask_checked(struct setup *setup, const char *question,
	char answer[static ASK_ANSWER_MAX],
	int (*check)(const char *value, struct err *err), bool may_be_empty)
{
	char said[ASK_ANSWER_MAX];

	for (;;) {
		struct err err = { 0 };
		enum ask_result result = ask_line(&setup->ask, question, answer, said);

		if (result != ASK_OK)
			return result;
		if (said[0] ? check(said, &err) == 0 : may_be_empty) {
			memcpy(answer, said, sizeof(said));
			return ASK_OK;
		}
		if (said[0])
			say(&err);
		else
			(void)puts("That needs an answer.");
	}
}

static int check_mail_address(const char *value, struct err *err)
{
	char domain[PROVIDER_HOST_MAX];

	provider_domain(value, domain);
	if (domain[0] && value[0] != '@')
		return destination_check_recipient(value, err);
	return err_set(
		err, ERR_SETTINGS, "expected an address such as alice@example.org");
}

static enum ask_result ask_address(struct setup *setup)
{
	const char *hint;
	enum ask_result result = ask_checked(
		setup, "Your mail address", setup->address, check_mail_address, false);

	if (result != ASK_OK)
		return result;
	provider_domain(setup->address, setup->domain);
	hint = provider_hint(setup->domain);
	if (hint)
		(void)printf("Note: %s.\n", hint);
	/* What was guessed for another address is no guess for this one. */
	setup->server[0] = setup->user[0] = '\0';
	return ASK_OK;
}

static bool is_taken(const struct setup *setup, const char *name)
{
	for (size_t i = 0; i < setup->settings.accounts.count; i++)
		if (strcmp(settings_account(&setup->settings, i)->name, name) == 0)
			return true;
	return false;
}

/* The domain's first label, and a number where there is such an account. */
static void guess_name(struct setup *setup)
{
	const int len = (int)strcspn(setup->domain, ".");

	(void)snprintf(setup->name, sizeof(setup->name), "%.*s", len < 40 ? len : 40,
		setup->domain);
	for (int i = 2; is_taken(setup, setup->name) && i < NAMES_TRIED; i++)
		(void)snprintf(setup->name, sizeof(setup->name), "%.*s%d",
			len < 40 ? len : 40, setup->domain, i);
}

static enum ask_result ask_name(struct setup *setup)
{
	if (!setup->name[0])
		guess_name(setup);
	for (;;) {
		enum ask_result result = ask_checked(setup, "A name for this account",
			setup->name, account_check_name, false);

		if (result != ASK_OK || !is_taken(setup, setup->name))
			return result;
		(void)printf("There is an account %s in %s already.\n", setup->name,
			setup->path);
		guess_name(setup);
	}
}

static int check_protocol(const char *value, struct err *err)
{
	static const char *const protocols[] = { "imaps", "pop3s", "imap", "pop3" };

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (strcmp(value, protocols[i]) == 0)
			return 0;
	return err_set(err, ERR_SETTINGS,
		"expected imaps or pop3s, or imap or pop3 (both with STARTTLS)");
}

static enum ask_result ask_protocol(struct setup *setup)
{
	char before[ASK_ANSWER_MAX];
	enum ask_result result;

	if (!setup->protocol[0])
		(void)snprintf(setup->protocol, sizeof(setup->protocol), "imaps");
	memcpy(before, setup->protocol, sizeof(before));
	result = ask_checked(setup, "Protocol: imaps, pop3s, imap or pop3",
		setup->protocol, check_protocol, false);
	if (strncmp(before, setup->protocol, 4) != 0)
		setup->server[0] = '\0';
	return result;
}

static int check_server(const char *value, struct err *err)
{
	char host[SOURCE_URL_HOST_MAX + 1];
	unsigned port;

	return source_url_host(value, 1, host, &port, err);
}

static enum ask_result ask_server(struct setup *setup)
{
	if (!setup->server[0] &&
		setup_guess_server(setup, setup_guess_is_known) != ASK_OK)
		return ASK_STOP;
	return ask_checked(setup, "Its server: HOST or HOST:PORT", setup->server,
		check_server, false);
}

static int check_user(const char *value, struct err *err)
{
	if (strlen(value) <= SOURCE_URL_USER_MAX)
		return 0;
	return err_set(
		err, ERR_SETTINGS, "expected at most %d bytes", SOURCE_URL_USER_MAX);
}

static enum ask_result ask_user(struct setup *setup)
{
	if (!setup->user[0])
		(void)snprintf(setup->user, sizeof(setup->user), "%.*s",
			provider_short_user(setup->domain)
				? (int)strcspn(setup->address, "@")
				: (int)strlen(setup->address),
			setup->address);
	return ask_checked(
		setup, "The name to log in with", setup->user, check_user, false);
}

static int check_words(const char *value, struct err *err)
{
	struct schema_list words;

	if (setup_text_words(value, &words, err) < 0)
		return -1;
	setup_text_words_done(&words);
	return 0;
}

static enum ask_result ask_command(
	struct setup *setup, const char *question, struct schema_list *words)
{
	char line[ASK_ANSWER_MAX] = "";
	enum ask_result result = ask_checked(setup, question, line, check_words, false);
	struct err err = { 0 };

	if (result != ASK_OK)
		return result;
	setup_text_words_done(words);
	return setup_text_words(line, words, &err) == 0 ? ASK_OK : ASK_END;
}

/* DIR/NAME.password beside the settings. */
static void guess_password_file(struct setup *setup, char path[static ASK_ANSWER_MAX])
{
	const char *slash = strrchr(setup->path, '/');
	const size_t len = slash ? (size_t)(slash - setup->path) + 1 : 0;

	if (snprintf(path, ASK_ANSWER_MAX, "%.*s%s.password", (int)len, setup->path,
		    setup->name) >= ASK_ANSWER_MAX)
		path[0] = '\0';
}

static enum ask_result ask_password_file(struct setup *setup)
{
	char path[ASK_ANSWER_MAX];
	struct err err = { 0 };
	enum ask_result result;
	char *whole = NULL;

	guess_password_file(setup, path);
	result = ask_checked(
		setup, "The file for the password", path, home_check_path, false);
	if (result != ASK_OK)
		return result;
	if (home_expand(path, &whole, &err) < 0)
		return ASK_END;
	(void)snprintf(setup->password_file, sizeof(setup->password_file), "%s", whole);
	free(whole);
	if (access(setup->password_file, F_OK) == 0) {
		(void)printf("%s is there: its first line is the password.\n",
			setup->password_file);
		return ASK_OK;
	}
	do
		result = ask_secret(
			&setup->ask, "The password (it is not shown)", setup->password);
	while (result == ASK_OK && !setup->password[0]);
	return result;
}

static int check_from(const char *value, struct err *err)
{
	if (strcmp(value, "file") == 0 || strcmp(value, "command") == 0)
		return 0;
	return err_set(err, ERR_SETTINGS, "expected file or command");
}

static enum ask_result ask_password(struct setup *setup)
{
	char from[ASK_ANSWER_MAX] = "file";
	enum ask_result result =
		ask_checked(setup, "The password comes from a file or from a command",
			from, check_from, false);

	explicit_bzero(setup->password, sizeof(setup->password));
	setup->password_file[0] = '\0';
	setup_text_words_done(&setup->password_command);
	if (result != ASK_OK)
		return result;
	if (strcmp(from, "file") == 0)
		return ask_password_file(setup);
	return ask_command(setup, "The command that prints it, such as: pass mail/work",
		&setup->password_command);
}

static enum ask_result ask_recipient(struct setup *setup)
{
	setup->recipient[0] = '\0';
	if (strncmp(setup->deliver, "lmtp:", 5) != 0 &&
		strncmp(setup->deliver, "smtp:", 5) != 0)
		return ASK_OK;
	memcpy(setup->recipient, setup->address, sizeof(setup->recipient));
	return ask_checked(setup, "The recipient there", setup->recipient,
		destination_check_recipient, false);
}

static enum ask_result ask_deliver(struct setup *setup)
{
	enum ask_result result;

	if (!setup->deliver[0])
		(void)snprintf(setup->deliver, sizeof(setup->deliver), "maildir:%s",
			geteuid() == 0 ? HOME_SYSTEM_STATE "/Maildir" : "~/Maildir");
	result = ask_checked(setup,
		"Deliver to: maildir:PATH, mbox:PATH, lmtp:PATH, lmtp://HOST, smtp://HOST, pipe "
		"or inplace",
		setup->deliver, destination_check, false);
	setup_text_words_done(&setup->deliver_command);
	if (result != ASK_OK)
		return result;
	if (strcmp(setup->deliver, "inplace") == 0)
		setup->after[0] = '\0';
	if (strcmp(setup->deliver, "pipe") == 0)
		return ask_command(setup,
			"The command that takes a mail on standard input",
			&setup->deliver_command);
	return ask_recipient(setup);
}

static enum ask_result ask_after(struct setup *setup)
{
	/* In place all stays where it is. */
	if (strcmp(setup->deliver, "inplace") == 0)
		return ASK_OK;
	if (!setup->after[0])
		(void)snprintf(setup->after, sizeof(setup->after), "keep");
	return ask_checked(setup,
		"Then, on the server: keep, delete, flag, trash or move:FOLDER",
		setup->after, account_check_after, false);
}

static enum ask_result ask_tls_ca(struct setup *setup)
{
	/* Empty is an answer here, so that nothing stands for it. */
	setup->tls_ca[0] = '\0';
	return ask_checked(setup,
		"The file with the authority of the server's certificate (empty: the system's)",
		setup->tls_ca, home_check_path, true);
}

const struct setup_question setup_questions[] = {
	{ "address", NULL, false, ask_address },
	{ "name", NULL, false, ask_name },
	{ "protocol", NULL, false, ask_protocol },
	{ "server", "address protocol", false, ask_server },
	{ "user", "address", false, ask_user },
	{ "password", NULL, false, ask_password },
	{ "deliver", NULL, false, ask_deliver },
	{ "after", "deliver", false, ask_after },
	{ "tls-ca", NULL, true, ask_tls_ca },
	{ 0 },
};

void setup_done(struct setup *setup)
{
	ask_done(&setup->ask);
	explicit_bzero(setup->password, sizeof(setup->password));
	if (setup->old.data)
		explicit_bzero(setup->old.data, setup->old.size);
	buf_done(&setup->old);
	settings_free(&setup->settings);
	setup_text_words_done(&setup->password_command);
	setup_text_words_done(&setup->deliver_command);
}
