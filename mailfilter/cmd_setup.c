/* SPDX-License-Identifier: ISC
 *
 * mailfilter setup: ask for an account, try it, write it into the settings. Until it is written
 * nothing is on disk, and nothing is written that does not load. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "common/stop.h"

#include "mailfilter/check_machine.h"
#include "mailfilter/cmd.h"
#include "mailfilter/connect.h"
#include "mailfilter/setup.h"

static const char usage[] = "usage: mailfilter setup [FILE]\n";

enum {
	EX_INTERRUPTED = 130 /* as of a program that SIGINT ended */
};

/* What came of a try. */
struct trial {
	struct remarks remarks;
	struct settings settings; /* as they would be */
	bool loads;
	bool well;    /* the account is; the scanner need not be */
	bool scanner; /* one answers */
	int code;
};

static void trial_done(struct trial *trial)
{
	remarks_done(&trial->remarks);
	if (trial->loads)
		settings_free(&trial->settings);
	*trial = (struct trial){ .remarks = REMARKS_NONE };
}

static const struct account_settings *find_account(
	const struct trial *trial, const char *name)
{
	for (size_t i = 0; i < trial->settings.accounts.count; i++)
		if (strcmp(settings_account(&trial->settings, i)->name, name) == 0)
			return settings_account(&trial->settings, i);
	return NULL;
}

static bool some_scanner(const struct remarks *remarks)
{
	for (size_t i = 0; i < remarks->count; i++)
		if (remarks->items[i].kind == REMARK_OK &&
			strcmp(remarks->items[i].about, "scanner") == 0)
			return true;
	return false;
}

/* This account alone, with the password that is not in its file yet. */
static enum ask_result look(
	struct setup *setup, const struct account_settings *found, struct trial *trial)
{
	struct account_settings account = *found;
	struct settings one = trial->settings;
	char subject[REMARK_SUBJECT_MAX];
	struct err err = { 0 };
	int result;

	if (setup->password[0]) {
		account.password = setup->password;
		account.password_file = NULL;
	}
	one.accounts = (struct schema_sections){ .items = &account, .count = 1 };
	check_machine(&one, &trial->remarks);
	result = connect_all(&one, setup->ask.stop_fd, &trial->remarks, &err);
	if (result > 0)
		return ASK_STOP;
	check_subject(&account, subject);
	if (result < 0)
		remarks_add(&trial->remarks, REMARK_UNREACHED, subject, "connect", "%s",
			err.text);
	remarks_print(&trial->remarks, false, stdout);
	trial->well = !remarks_wrong(&trial->remarks, subject, NULL);
	trial->scanner = some_scanner(&trial->remarks);
	trial->code = remarks_exit_code(&trial->remarks);
	return ASK_OK;
}

static enum ask_result try(struct setup *setup, struct buf *text, struct trial *trial)
{
	const struct account_settings *found;
	struct err err = { 0 };

	trial_done(trial);
	if (setup_file_text(setup, text, &err) == 0 &&
		setup_file_load(setup, text, &trial->settings, &err) == 0)
		trial->loads = true;
	if (!trial->loads) {
		(void)printf("\nThat does not go together: %s\n", err.text);
		return ASK_OK;
	}
	(void)puts("\nTrying it:");
	(void)fflush(stdout);
	found = find_account(trial, setup->name);
	return found ? look(setup, found, trial) : ASK_END;
}

static enum ask_result ask_all(struct setup *setup)
{
	for (const struct setup_question *at = setup_questions; at->word; at++) {
		enum ask_result result = at->later ? ASK_OK : at->ask(setup);

		if (result != ASK_OK)
			return result;
	}
	return ASK_OK;
}

static const struct setup_question *find_question(const char *word)
{
	for (const struct setup_question *at = setup_questions; at->word; at++)
		if (strcmp(at->word, word) == 0)
			return at;
	return NULL;
}

/* And what was guessed from it, or goes with it. */
static enum ask_result change(struct setup *setup, const struct setup_question *question)
{
	enum ask_result result = ASK_OK;

	for (const struct setup_question *at = setup_questions;
		at->word && result == ASK_OK; at++)
		if (at == question || (at->with && strstr(at->with, question->word)))
			result = at->ask(setup);
	return result;
}

/* Until it is to be written. *quit_r: or not at all. */
static enum ask_result correct(
	struct setup *setup, struct buf *text, struct trial *trial, bool *quit_r)
{
	static const char menu[] =
		"\nwrite it, try again, quit, or change address, name, protocol, server, user,\n"
		"password, deliver, after or tls-ca";
	enum ask_result result = try(setup, text, trial);

	while (result == ASK_OK) {
		const struct setup_question *question;
		char answer[ASK_ANSWER_MAX];

		result = ask_line(&setup->ask, menu,
			trial->loads && trial->well ? "write" : "", answer);
		if (result != ASK_OK)
			break;
		question = find_question(answer);
		*quit_r = strcmp(answer, "quit") == 0;
		if (*quit_r || (strcmp(answer, "write") == 0 && trial->loads))
			return ASK_OK;
		if (question)
			result = change(setup, question);
		if (result == ASK_OK && (question || strcmp(answer, "again") == 0))
			result = try(setup, text, trial);
		else if (result == ASK_OK)
			(void)puts("Please answer with one of these words.");
	}
	return result;
}

static void say_next(const struct setup *setup, const struct trial *trial, bool scanner)
{
	const char *file = setup->is_default ? "" : " -c ";
	const char *path = setup->is_default ? "" : setup->path;
	const bool service =
		geteuid() == 0 && setup->is_default && getpwnam(SETUP_SERVICE_USER);
	/* What root left in the state, the service could not use. */
	const char *as = service ? "runuser -u " SETUP_SERVICE_USER " -- " : "";

	(void)printf("\nNext:\n");
	if (geteuid() == 0)
		(void)printf("  systemctl enable --now mailfilter-scanner\n");
	else if (scanner && !setup->is_default)
		(void)printf("  mailfilter-scanner -c %.*s/scanner.conf &\n",
			(int)(strrchr(setup->path, '/') - setup->path), setup->path);
	else if (!trial->scanner)
		(void)printf("  mailfilter-scanner &\n");
	(void)printf("  %smailfilter%s%s --check-config --connect\n", as, file, path);
	(void)printf("  %smailfilter%s%s --dry-run --account %s\n", as, file, path,
		setup->name);
	(void)printf("  %smailfilter%s%s --once\n", as, file, path);
	if (geteuid() == 0)
		(void)printf("  systemctl enable --now mailfilter\n");
}

static enum ask_result finish(struct setup *setup, const struct buf *text,
	const struct trial *trial, int *code_r)
{
	enum ask_result result = ASK_OK;
	bool scanner = false;
	struct err err = { 0 };

	if (setup_file_write(setup, text, &err) < 0) {
		log_error("%s", err.text);
		*code_r =
			err.kind == ERR_SETTINGS ? EX_CANTCREAT : err_exit_code(err.kind);
		return ASK_OK;
	}
	(void)printf("Account %s is written into %s.\n", setup->name, setup->path);
	*code_r = trial->code;
	if (!trial->scanner)
		result = setup_scanner(setup, &trial->settings, &scanner);
	/* What matters is written; this was an offer. */
	if (result == ASK_END)
		result = ASK_OK;
	/* What was missing for it is made; it is only to be started. */
	if (scanner && trial->well)
		*code_r = EX_TEMPFAIL;
	if (result == ASK_OK)
		say_next(setup, trial, scanner);
	return result;
}

static int run(struct setup *setup)
{
	DEFER(trial_done) struct trial trial = { .remarks = REMARKS_NONE };
	auto_buf struct buf text;
	bool quit = false;
	int code = EX_NOINPUT;
	enum ask_result result;

	buf_init(&text, SCHEMA_FILE_MAX);
	(void)printf("This adds an account to %s%s.\n", setup->path,
		setup->fresh ? ", which is new" : "");
	result = ask_all(setup);
	if (result == ASK_OK)
		result = correct(setup, &text, &trial, &quit);
	if (result == ASK_OK && !quit)
		result = finish(setup, &text, &trial, &code);
	else
		(void)puts("Nothing is written.");
	if (text.data)
		explicit_bzero(text.data, text.size);
	return result == ASK_STOP ? EX_INTERRUPTED : code;
}

int cmd_setup(const struct settings *settings, int argc, char **argv)
{
	/* Too much for the stack. */
	DEFER(defer_free) struct setup *setup = calloc(1, sizeof(*setup));
	auto_close int stop_fd = -1;
	struct err err = { 0 };
	int code;

	(void)settings;
	if (argc > 2 || (argc == 2 && (argv[1][0] == '-' || !argv[1][0])))
		return cmd_usage(usage, "setup: expected the name of one settings file");
	if (!setup || stop_start(&stop_fd, &err) < 0) {
		log_error("%s", setup ? err.text : "out of memory");
		return EX_OSERR;
	}
	ask_init(&setup->ask, STDIN_FILENO, stop_fd);
	if (setup_file_open(setup, argc == 2 ? argv[1] : NULL, &err) < 0) {
		log_error("%s", err.text);
		code = EX_CONFIG;
	} else {
		code = run(setup);
	}
	setup_done(setup);
	return fflush(stdout) == 0 ? code : EX_IOERR;
}
