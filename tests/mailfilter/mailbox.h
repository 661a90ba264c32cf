/* SPDX-License-Identifier: ISC
 *
 * An account with a mailbox in memory, run after run: what its tests say of the mailbox and look
 * at in the record. It stands in place of mailfilter/source.c. */
#ifndef TESTS_MAILBOX_H
#define TESTS_MAILBOX_H

#include "tests/mailfilter/world.h"

#include "mailfilter/account.h"
#include "mailfilter/folder.h"

#include <sys/wait.h>

#include "common/stop.h"

#include "tests/mailfilter/fake_source.h"

struct mailbox {
	struct world world; /* its record and so on are opened only to look */
	struct fake_source fake;
	char *folders[FAKE_FOLDERS_MAX];
	int stop_fd;
	bool dry_run;
	uint32_t uidvalidity; /* of the rows that row() looks for; 0: 1 */
};

/* As long as each other, and told apart by their heads. */
static const char another[] =
	"From: a@example.org\r\nSubject: other\r\n\r\nJust text.\r\n";
static const char look_alike[] =
	"From: a@example.org\r\nSubject: hello\r\n\r\nJust test.\r\n";
_Static_assert(sizeof(another) == sizeof(inert) && sizeof(look_alike) == sizeof(inert),
	"only their heads tell them apart");

/* The mailbox that the account under test logs in to. */
static struct fake_source *server;

/* In place of mailfilter/source.c. */
int source_open(const struct account_settings *account, const char *password,
	const struct stream_wait *wait, struct source **source_r, struct err *err)
{
	(void)account;
	(void)password;
	(void)wait;
	(void)err;
	fake_connect(server);
	*source_r = &server->source;
	return 0;
}

static inline int setup(void **state)
{
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
	struct world *world = &mailbox->world;

	assert_non_null(mailbox);
	world_new(world);
	world->account.password = strdup("secret");
	world->account.folders = (struct schema_list){ mailbox->folders, 2 };
	mailbox->folders[0] = strdup("A");
	mailbox->folders[1] = strdup("B");
	mailbox->folders[2] = strdup("C");
	assert_int_equal(stop_start(&mailbox->stop_fd, NULL), 0);
	mailbox->fake =
		(struct fake_source){ .fetches_left = FAKE_NEVER, .deletes = true };
	mailbox->fake.folders[0] = (struct fake_folder){ .name = "A",
		.uidvalidity = 1,
		.messages = { { "1", inert, 0, 0, 0 }, { "2", inert, 0, 0, 0 } } };
	mailbox->fake.folders[1] = (struct fake_folder){ .name = "B",
		.uidvalidity = 1,
		.messages = { { "1", inert, 0, 0, 0 }, { "2", inert, 0, 0, 0 } } };
	server = &mailbox->fake;
	*state = mailbox;
	return 0;
}

static inline int teardown(void **state)
{
	struct mailbox *mailbox = *state;

	stop_reset();
	(void)close(mailbox->stop_fd);
	for (size_t i = 0; i < FAKE_FOLDERS_MAX; i++)
		free(mailbox->folders[i]);
	free(mailbox->world.account.password);
	world_free(&mailbox->world);
	free(mailbox);
	return 0;
}

/* One folder, as POP3 has it: settled by number, at the end. */
static inline void make_pop3(struct mailbox *mailbox)
{
	mailbox->world.account.folders.count = 0;
	mailbox->world.account.after_kind = AFTER_DELETE;
	mailbox->fake.source.settle_at_finish = true;
	mailbox->fake.folders[0].name = "";
	mailbox->fake.folders[0].uidvalidity = 0;
}

static inline struct report run(struct mailbox *mailbox)
{
	struct account_job job = { .settings = &mailbox->world.settings,
		.account = &mailbox->world.account,
		.dry_run = mailbox->dry_run,
		.stop_fd = mailbox->stop_fd,
		.pause_ms = 10 };
	struct report report = { 0 };

	mailbox->fake.log[0] = '\0';
	account_run(&job, &report);
	assert_true(report.final);
	return report;
}

/* What stands on record; state 0: nothing. */
static inline struct record_row row(
	struct mailbox *mailbox, const char *folder, const char *uid)
{
	struct record_row row = { 0 };
	struct message_key key = { .uidvalidity = mailbox->uidvalidity
							  ? mailbox->uidvalidity
							  : folder[0] != '\0' };
	struct record *record;
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/work", mailbox->world.dir);
	(void)snprintf(key.folder, sizeof(key.folder), "%s", folder);
	(void)snprintf(key.uid, sizeof(key.uid), "%s", uid);
	assert_int_equal(record_open(path, true, &record, NULL), 0);
	assert_true(record_find(record, &key, &row, NULL) >= 0);
	record_close(record);
	return row;
}

/* A run in a process of its own: did it die? */
static inline bool dies(struct mailbox *mailbox)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)run(mailbox);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status);
}

/* The whole folder under new UIDs, as after it was made anew or put back from a copy. */
static inline void renumber(struct fake_folder *folder, uint32_t uidvalidity,
	const char *const uids[FAKE_MESSAGES_MAX])
{
	folder->uidvalidity = uidvalidity;
	for (size_t i = 0; i < FAKE_MESSAGES_MAX && uids[i]; i++)
		if (folder->messages[i].bytes)
			folder->messages[i].uid = uids[i];
}

static const char *const tens[FAKE_MESSAGES_MAX] = { "10", "20", "30", "40", "50", "60" };

/* The folders that this asks for, and a third one beside A and B. */
static inline void want(struct mailbox *mailbox, const char *wanted, const char *also)
{
	struct schema_list *folders = &mailbox->world.account.folders;

	free(mailbox->folders[0]);
	free(mailbox->folders[1]);
	mailbox->folders[0] = strdup(wanted);
	mailbox->folders[1] = strdup(also);
	*folders = (struct schema_list){ mailbox->folders, 2 };
	mailbox->fake.folders[2] = (struct fake_folder){
		.name = "C", .uidvalidity = 1, .messages = { { "1", another, 0, 0, 0 } }
	};
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
