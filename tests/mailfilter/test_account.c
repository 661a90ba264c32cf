/* SPDX-License-Identifier: ISC
 *
 * One account from login to logout, and run after run, with a mailbox in memory: what is fetched,
 * what is settled and where, when sessions break and folders are missing. */
#include "tests/mailfilter/world.h"

#include "mailfilter/account.h"
#include "mailfilter/account_dir.h"
#include "mailfilter/folder.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/mime.h"
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

static int setup(void **state)
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

static int teardown(void **state)
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
static void make_pop3(struct mailbox *mailbox)
{
	mailbox->world.account.folders.count = 0;
	mailbox->world.account.after_kind = AFTER_DELETE;
	mailbox->fake.source.settle_at_finish = true;
	mailbox->fake.folders[0].name = "";
	mailbox->fake.folders[0].uidvalidity = 0;
}

static struct report run(struct mailbox *mailbox)
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
static struct record_row row(struct mailbox *mailbox, const char *folder, const char *uid)
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

static void equal_uids_of_two_folders_are_settled_each_in_its_own(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_DELETE;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 4);
	assert_int_equal(report.settled, 4);
	assert_int_equal(world_files(&mailbox->world, "new"), 4);
	assert_int_equal(world_files(&mailbox->world, "tmp"), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			fake_count(&mailbox->fake, i ? "settle B/1;" : "settle A/1;"), 1);
		assert_int_equal(
			fake_count(&mailbox->fake, i ? "settle B/2;" : "settle A/2;"), 1);
	}
	assert_int_equal(row(mailbox, "B", "2").state, RECORD_SETTLED);
	assert_int_equal(run(mailbox).listed, 0);
	assert_string_equal(mailbox->fake.log, "");
}

/* More than are measured first: the last one is measured before it is fetched all the same. */
static void a_folder_is_measured_while_its_first_mail_is_on_its_way(void **state)
{
	static char uids[FAKE_MESSAGES_MAX][4];
	static const char larger[] =
		"From: a@example.org\r\nSubject: larger\r\n\r\nToo much of a text.\r\n";
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	struct report report;

	mailbox->world.account.folders.count = 1;
	for (size_t i = 0; i < FAKE_MESSAGES_MAX; i++) {
		(void)snprintf(uids[i], sizeof(uids[i]), "%zu", i + 1);
		folder->messages[i] = (struct fake_message){ uids[i], inert, 0, 0, 0 };
	}
	folder->messages[0].bytes = suspicious;
	folder->messages[FAKE_MESSAGES_MAX - 1].bytes = larger;
	mailbox->world.account.message_max = strlen(suspicious);
	report = run(mailbox);
	assert_int_equal(report.held, 1);
	assert_int_equal(report.delivered, FAKE_MESSAGES_MAX - 2);
	assert_int_equal(report.parked, 1);
	assert_int_equal(mailbox->fake.measures, 2);
	assert_int_equal(fake_count(&mailbox->fake, "fetch A/40;"), 0);
	assert_int_equal(row(mailbox, "A", "40").listed_size, strlen(larger));
	assert_int_equal(row(mailbox, "A", "39").listed_size, strlen(inert));
	/* The held one keeps all behind it in the listing; what is done with is not measured. */
	(void)run(mailbox);
	assert_int_equal(mailbox->fake.measures, 3);
}

static void a_folder_that_will_not_settle_harms_no_other(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_MOVE;
	/* Delivered and recorded, but still owed: one run before. */
	mailbox->fake.folders[0].settle_error = ERR_ACCOUNT;
	mailbox->fake.folders[1].messages[0].uid = NULL;
	mailbox->fake.folders[1].messages[1].uid = NULL;
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "A: over quota"));
	/* The same numbers appear in the other folder: they are not what is owed. */
	mailbox->fake.folders[1].messages[0] =
		(struct fake_message){ "1", suspicious, 0, 0, 0 };
	mailbox->fake.folders[1].messages[1] =
		(struct fake_message){ "2", suspicious, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.held, 2);
	assert_non_null(strstr(report.err.text, "A: over quota"));
	assert_int_equal(fake_count(&mailbox->fake, "settle"), 0);
	mailbox->fake.folders[0].settle_error = ERR_NONE;
	report = run(mailbox);
	assert_int_equal(fake_count(&mailbox->fake, "fetch A"), 0);
	assert_int_equal(fake_count(&mailbox->fake, "settle A"), 2);
	assert_int_equal(fake_count(&mailbox->fake, "settle B"), 0);
}

static void a_missing_folder_stops_no_other_and_is_named(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_DELETE;
	mailbox->fake.folders[0].missing = true;
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(report.settled, 2);
	assert_int_equal(row(mailbox, "B", "1").state, RECORD_SETTLED);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "folder \"A\": no such folder"));
}

static void what_a_crash_left_unsettled_is_settled_without_a_fetch(void **state)
{
	static const enum after_kind kinds[] = { AFTER_DELETE, AFTER_FLAG, AFTER_MOVE };
	static const char *const uids[] = { "10", "11", "12" };
	struct mailbox *mailbox = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct report report;
		const char *const uid = uids[i];

		mailbox->fake.folders[0].messages[2 + i] =
			(struct fake_message){ uid, inert, 0, 0, 0 };
		mailbox->world.account.after_kind = kinds[i];
		/* No session lives to the end of this run, as if the process had died. */
		mailbox->fake.settle_breaks = 1000;
		report = run(mailbox);
		assert_int_equal(report.err.kind, ERR_SESSION);
		assert_int_equal(row(mailbox, "A", uid).state, RECORD_DONE);
		mailbox->fake.settle_breaks = 0;
		report = run(mailbox);
		assert_int_equal(report.err.kind, ERR_NONE);
		assert_int_equal(fake_count(&mailbox->fake, "fetch"), 0);
		assert_int_equal(row(mailbox, "A", uid).state, RECORD_SETTLED);
		assert_int_equal(run(mailbox).settled, 0);
	}
	assert_int_equal(world_files(&mailbox->world, "new"), 4 + 3);
}

static void a_session_lost_before_settle_is_made_good_by_the_next(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_DELETE;
	mailbox->fake.settle_breaks = 1;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(mailbox->fake.sessions, 2);
	assert_int_equal(fake_count(&mailbox->fake, "fetch"), 4);
	assert_int_equal(fake_count(&mailbox->fake, "settle"), 4);
	assert_int_equal(report.delivered, 4);
}

/* Another client deletes the first message: all numbers change. */
static void delete_first(struct fake_source *fake)
{
	fake->folders[0].messages[0].gone = true;
}

static void numbers_of_a_lost_session_are_never_used_again(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	make_pop3(mailbox);
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", suspicious, 0, 0, 0 };
	mailbox->fake.finish_breaks = 1;
	mailbox->fake.meanwhile = delete_first;
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(report.held, 1);
	assert_int_equal(mailbox->fake.sessions, 2);
	assert_false(mailbox->fake.folders[0].messages[2].gone);
	assert_string_equal(strstr(mailbox->fake.log, "settle"), "settle /2;");
	assert_int_equal(row(mailbox, "", "2").state, RECORD_SETTLED);
}

static void deletions_become_final_in_batches(void **state)
{
	static const char *const uids[] = { "1", "2", "3", "4", "5" };
	struct mailbox *mailbox = *state;
	struct report report;

	make_pop3(mailbox);
	mailbox->fake.source.settle_max = 2;
	for (size_t i = 0; i < 5; i++)
		mailbox->fake.folders[0].messages[i] =
			(struct fake_message){ uids[i], inert, 0, 0, 0 };
	mailbox->fake.folders[0].messages[3].bytes = suspicious;
	/* The line breaks at the end of the second session: only its deletions are lost. */
	mailbox->fake.finish_breaks = 1;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 4);
	assert_int_equal(report.held, 1);
	assert_int_equal(report.settled, 4);
	assert_int_equal(fake_count(&mailbox->fake, "fetch"), 4 + 1);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(mailbox->fake.folders[0].messages[i].gone, i != 3);
	assert_true(mailbox->fake.sessions >= 3);
	mailbox->fake.sessions = 0;
	assert_int_equal(run(mailbox).settled, 0);
	assert_int_equal(mailbox->fake.sessions, 1);
}

static void what_is_owed_is_deleted_before_more_is_fetched(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	make_pop3(mailbox);
	mailbox->fake.finish_breaks = 1000;
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(report.settled, 0);
	mailbox->fake.finish_breaks = 0;
	mailbox->fake.source.settle_max = 2;
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.settled, 3);
	assert_string_equal(mailbox->fake.log, "settle /1;settle /2;fetch /3;settle /3;");
}

static void a_message_that_ends_every_session_is_parked_in_one_run(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->fake.folders[0].messages[1].breaks = true;
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.parked, 1);
	assert_int_equal(report.delivered, 4);
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_PARKED);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_OK);
	assert_string_equal(mailbox->fake.log, "");
}

/* A run in a process of its own: did it die? */
static bool dies(struct mailbox *mailbox)
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
static void renumber(struct fake_folder *folder, uint32_t uidvalidity,
	const char *const uids[FAKE_MESSAGES_MAX])
{
	folder->uidvalidity = uidvalidity;
	for (size_t i = 0; i < FAKE_MESSAGES_MAX && uids[i]; i++)
		if (folder->messages[i].bytes)
			folder->messages[i].uid = uids[i];
}

static const char *const tens[FAKE_MESSAGES_MAX] = { "10", "20", "30", "40", "50", "60" };

static void a_folder_numbered_anew_gives_nothing_twice_and_loses_nothing(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	struct report report;

	folder->messages[1].bytes = another;
	assert_int_equal(run(mailbox).delivered, 4);
	/* A new one has come meanwhile, of the size and header of an old one. */
	folder->messages[2].bytes = look_alike;
	renumber(folder, 2, tens);
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 1);
	assert_int_equal(fake_count(&mailbox->fake, "fetch"), 1);
	assert_int_equal(fake_count(&mailbox->fake, "fetch A/30;"), 1);
	assert_int_equal(row(mailbox, "A", "1").state, 0);
	/* And once more, all is known by its UID. */
	report = run(mailbox);
	assert_int_equal(report.listed, 0);
	assert_string_equal(mailbox->fake.log, "");
}

static void equal_messages_are_known_as_often_as_they_were_recorded(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];

	assert_int_equal(run(mailbox).delivered, 4);
	for (size_t i = 2; i < 5; i++)
		folder->messages[i].bytes = inert;
	renumber(folder, 2, tens);
	assert_int_equal(run(mailbox).delivered, 3);
	assert_string_equal(
		strstr(mailbox->fake.log, "fetch"), "fetch A/30;fetch A/40;fetch A/50;");
}

static void mail_that_comes_back_later_is_known_then(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];

	folder->messages[1].bytes = another;
	assert_int_equal(run(mailbox).delivered, 4);
	/* Put back from a copy, one today and one tomorrow; numbered anew in between. */
	renumber(folder, 2, tens);
	folder->messages[1].gone = true;
	assert_int_equal(run(mailbox).delivered, 0);
	folder->uidvalidity = 1;
	assert_int_equal(run(mailbox).delivered, 0);
	folder->messages[1].gone = false;
	assert_int_equal(run(mailbox).delivered, 0);
	assert_string_equal(mailbox->fake.log, "head A/20;");
	assert_int_equal(world_files(&mailbox->world, "new"), 4);
}

static void what_is_owed_held_and_parked_stays_so_under_new_uids(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	char large[WORLD_MESSAGE_MAX + 100] = "Subject: large\r\n\r\n";
	struct report report;

	memset(large + strlen(large), 'x', sizeof(large) - strlen(large) - 1);
	folder->messages[1].bytes = suspicious;
	folder->messages[2] = (struct fake_message){ "3", large, 0, 0, 0 };
	folder->messages[3] = (struct fake_message){ "4", suspicious, 0, 0, 0 };
	mailbox->world.account.after_kind = AFTER_FLAG;
	mailbox->fake.settle_breaks = 1000;
	report = run(mailbox);
	assert_int_equal(report.parked, 1);
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_DONE);
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_HELD);
	assert_int_equal(row(mailbox, "A", "3").state, RECORD_PARKED);
	mailbox->fake.settle_breaks = 0;
	renumber(folder, 2, tens);
	mailbox->uidvalidity = 2;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(fake_count(&mailbox->fake, "settle A/10;"), 1);
	assert_int_equal(fake_count(&mailbox->fake, "fetch A"), 0);
	assert_int_equal(report.parked, 0);
	assert_int_equal(report.held, 2);
	assert_int_equal(row(mailbox, "A", "10").state, RECORD_SETTLED);
	assert_int_equal(row(mailbox, "A", "20").state, RECORD_HELD);
	assert_int_equal(row(mailbox, "A", "30").state, RECORD_PARKED);
	assert_int_equal(row(mailbox, "A", "40").state, RECORD_HELD);
}

/* The folders that this asks for, and a third one beside A and B. */
static void want(struct mailbox *mailbox, const char *wanted, const char *also)
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

static void a_pattern_means_the_folders_that_are_there(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	want(mailbox, "*", "!B");
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 3);
	assert_int_equal(fake_count(&mailbox->fake, "fetch B"), 0);
	/* A new one is seen by the next run. */
	want(mailbox, "*", "A");
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(fake_count(&mailbox->fake, "fetch B"), 2);
	assert_int_equal(run(mailbox).listed, 0);
}

static void what_is_fetched_is_not_where_it_goes_to(void **state)
{
	struct mailbox *mailbox = *state;
	char target[] = "B", trash[] = "trash";

	want(mailbox, "*", "!none");
	mailbox->world.account.after_kind = AFTER_MOVE;
	mailbox->world.account.after_folder = target;
	assert_int_equal(run(mailbox).delivered, 3);
	assert_int_equal(fake_count(&mailbox->fake, "fetch B"), 0);
	mailbox->world.account.after_kind = AFTER_TRASH;
	mailbox->world.account.after_folder = NULL;
	mailbox->world.account.after = trash;
	mailbox->fake.folders[1].marks = SOURCE_FOLDER_TRASH;
	mailbox->dry_run = true;
	assert_int_equal(run(mailbox).delivered, 0);
}

static void a_found_folder_that_vanishes_is_no_failure(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	want(mailbox, "*", "!none");
	mailbox->fake.folders[1].missing = mailbox->fake.folders[1].listed = true;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 3);
	assert_int_equal(report_exit_code(&report), EX_OK);
	/* One that the settings name must be there. */
	want(mailbox, "*", "B");
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "\"B\""));
}

static void a_renamed_folder_gives_nothing_twice(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[2];
	struct report report;

	want(mailbox, "*", "!none");
	assert_int_equal(run(mailbox).delivered, 5);
	folder->name = "Older";
	folder->messages[1] = (struct fake_message){ "2", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 1);
	assert_int_equal(fake_count(&mailbox->fake, "fetch Older/1"), 0);
	assert_int_equal(row(mailbox, "Older", "1").state, RECORD_SETTLED);
	assert_int_equal(row(mailbox, "C", "1").state, 0);
	assert_int_equal(run(mailbox).listed, 0);
}

static void a_copy_in_another_folder_is_no_renamed_one(void **state)
{
	struct mailbox *mailbox = *state;

	want(mailbox, "*", "!none");
	mailbox->fake.folders[2].name = NULL;
	assert_int_equal(run(mailbox).delivered, 4);
	want(mailbox, "*", "!none");
	mailbox->fake.folders[2].messages[0].bytes = inert;
	assert_int_equal(run(mailbox).delivered, 1);
}

static char now_text[] = "now";

/* Another one comes to A while it is listed. */
static void one_arrives(struct fake_source *fake)
{
	fake->folders[0].messages[2] = (struct fake_message){ "3", another, 0, 0, 0 };
	fake->arrives = NULL;
}

static void since_now_begins_behind_what_is_there(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.since_kind = SINCE_NOW;
	mailbox->world.account.since = now_text;
	mailbox->fake.arrives = one_arrives;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 0);
	assert_int_equal(report.listed, 0);
	/* What came while it was listed, and what comes now. */
	mailbox->fake.folders[1].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_string_equal(mailbox->fake.log, "fetch A/3;fetch B/3;");
	assert_int_equal(run(mailbox).listed, 0);
}

static void a_folder_that_comes_into_being_later_is_not_passed_over(void **state)
{
	struct mailbox *mailbox = *state;
	int64_t now_s = clock_wall_s();

	mailbox->world.account.since_kind = SINCE_NOW;
	mailbox->world.account.since = now_text;
	want(mailbox, "*", "!none");
	mailbox->fake.folders[2].name = NULL;
	assert_int_equal(run(mailbox).delivered, 0);
	want(mailbox, "*", "!none");
	/* One from before the account was, one that came since, and one of unknown age. */
	mailbox->fake.folders[2].messages[1] =
		(struct fake_message){ "2", inert, 0, 0, 0 };
	mailbox->fake.folders[2].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	mailbox->fake.folders[2].dates[0] = now_s - 1000;
	mailbox->fake.folders[2].dates[1] = now_s + 1000;
	assert_int_equal(run(mailbox).delivered, 2);
	assert_string_equal(mailbox->fake.log, "fetch C/2;fetch C/3;");
	assert_int_equal(run(mailbox).listed, 0);
}

static void since_days_passes_over_what_is_older(void **state)
{
	static char days_text[] = "10";
	static const int ages[] = { 12, 9, 30, 0, 11 };
	static const int64_t day_s = 86400;
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	int64_t now_s = clock_wall_s();

	mailbox->world.account.folders.count = 1;
	mailbox->world.account.since_kind = SINCE_DAYS;
	mailbox->world.account.since_days = 10;
	mailbox->world.account.since = days_text;
	for (size_t i = 0; i < 5; i++) {
		folder->messages[i] = (struct fake_message){ tens[i], inert, 0, 0, 0 };
		folder->dates[i] = ages[i] ? now_s - ages[i] * day_s : 0;
	}
	mailbox->dry_run = true;
	assert_int_equal(run(mailbox).delivered, 2);
	mailbox->dry_run = false;
	assert_int_equal(run(mailbox).delivered, 2);
	assert_string_equal(mailbox->fake.log, "fetch A/20;fetch A/40;");
	assert_int_equal(run(mailbox).listed, 0);
	assert_string_equal(mailbox->fake.log, "");
	/* What is put there later is new, how old it may be. */
	folder->messages[5] = (struct fake_message){ tens[5], another, 0, 0, 0 };
	folder->dates[5] = now_s - 100 * day_s;
	assert_int_equal(run(mailbox).delivered, 1);
}

static void what_was_passed_over_is_not_new_under_new_uids(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	int64_t now_s = clock_wall_s();

	mailbox->world.account.folders.count = 1;
	mailbox->world.account.since_kind = SINCE_NOW;
	mailbox->world.account.since = now_text;
	folder->dates[0] = folder->dates[1] = now_s - 1000;
	assert_int_equal(run(mailbox).delivered, 0);
	folder->messages[2] = (struct fake_message){ "3", look_alike, 0, 0, 0 };
	folder->dates[2] = now_s + 10;
	assert_int_equal(run(mailbox).delivered, 1);
	folder->messages[3] = (struct fake_message){ "4", another, 0, 0, 0 };
	folder->dates[3] = now_s + 20;
	renumber(folder, 2, tens);
	assert_int_equal(run(mailbox).delivered, 1);
	assert_non_null(strstr(mailbox->fake.log, "fetch A/40;"));
	assert_int_equal(run(mailbox).listed, 0);
}

static void since_now_is_written_down_where_there_are_no_uids(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	make_pop3(mailbox);
	mailbox->world.account.since_kind = SINCE_NOW;
	mailbox->world.account.since = now_text;
	mailbox->dry_run = true;
	assert_int_equal(run(mailbox).listed, 0);
	mailbox->dry_run = false;
	report = run(mailbox);
	assert_int_equal(report.delivered + report.settled, 0);
	assert_int_equal(row(mailbox, "", "1").state, RECORD_PASSED);
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.delivered, 1);
	assert_string_equal(mailbox->fake.log, "fetch /3;settle /3;");
	assert_false(mailbox->fake.folders[0].messages[0].gone);
	/* It is for the first run alone. */
	mailbox->world.account.since_kind = SINCE_ALL;
	assert_int_equal(run(mailbox).listed, 0);
}

static void since_counts_nothing_once_the_account_has_begun(void **state)
{
	struct mailbox *mailbox = *state;

	assert_int_equal(run(mailbox).delivered, 4);
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	mailbox->world.account.since_kind = SINCE_NOW;
	mailbox->world.account.since = now_text;
	assert_int_equal(run(mailbox).delivered, 1);
}

static void an_intent_keeps_its_name_under_a_new_uid(void **state)
{
	struct mailbox *mailbox = *state;
	struct record_row intent, after_all;
	struct record *record;
	char path[160];

	mailbox->fake.folders[0].messages[1].bytes = another;
	assert_int_equal(run(mailbox).delivered, 4);
	/* As if the process had died between the delivery and its record. */
	intent = row(mailbox, "A", "1");
	intent.state = RECORD_INTENT;
	(void)snprintf(path, sizeof(path), "%s/work", mailbox->world.dir);
	assert_int_equal(record_open(path, false, &record, NULL), 0);
	assert_int_equal(record_put(record, &intent, NULL), 0);
	record_close(record);
	renumber(&mailbox->fake.folders[0], 2, tens);
	mailbox->uidvalidity = 2;
	assert_int_equal(run(mailbox).delivered, 1);
	assert_int_equal(world_files(&mailbox->world, "new"), 4);
	after_all = row(mailbox, "A", "10");
	assert_int_equal(after_all.state, RECORD_SETTLED);
	assert_string_equal(after_all.name, intent.name);
}

static void matching_that_is_cut_off_goes_on(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	struct report report;

	folder->messages[1].bytes = another;
	assert_int_equal(run(mailbox).delivered, 4);
	renumber(folder, 2, tens);
	mailbox->fake.heads_kill = true;
	assert_true(dies(mailbox));
	mailbox->fake.heads_kill = false;
	mailbox->fake.heads_breaks = 2;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 0);
	assert_int_equal(mailbox->fake.sessions, 4);
	assert_int_equal(world_files(&mailbox->world, "new"), 4);
}

static void a_server_that_renumbers_at_each_login_is_visited_less(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report = { 0 };

	assert_int_equal(run(mailbox).delivered, 4);
	mailbox->fake.renumbers = true;
	for (int i = 0; i < 3; i++) {
		report = run(mailbox);
		assert_int_equal(report.err.kind, ERR_NONE);
		assert_int_equal(report.delivered, 0);
	}
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "again and again"));
	assert_string_equal(mailbox->fake.log, "");
}

static void what_an_older_program_recorded_is_not_guessed(void **state)
{
	struct mailbox *mailbox = *state;
	struct record_row old;
	struct record *record;
	struct report report;
	char path[160];

	assert_int_equal(run(mailbox).delivered, 4);
	old = row(mailbox, "A", "1");
	old.head.known = false;
	(void)snprintf(path, sizeof(path), "%s/work", mailbox->world.dir);
	assert_int_equal(record_open(path, false, &record, NULL), 0);
	assert_int_equal(record_put(record, &old, NULL), 0);
	record_close(record);
	mailbox->fake.folders[0].uidvalidity = 2;
	mailbox->fake.folders[1].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.delivered, 1);
	assert_string_equal(mailbox->fake.log, "fetch B/3;");
	assert_non_null(
		strstr(report.err.text, "A: the server numbers its messages anew"));
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
}

static void a_dry_run_does_not_match(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	assert_int_equal(run(mailbox).delivered, 4);
	mailbox->fake.folders[0].uidvalidity = 2;
	mailbox->dry_run = true;
	report = run(mailbox);
	assert_int_equal(report.delivered, 0);
	assert_non_null(strstr(report.err.text, "not dry"));
	mailbox->dry_run = false;
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_SETTLED);
}

/* A run that dies of what it did, and its parent that sees it. */
static bool crashes(struct mailbox *mailbox)
{
	bool died = dies(mailbox);

	account_dir_note_crash(mailbox->world.dir, "work");
	return died;
}

static void assert_parked(struct mailbox *mailbox)
{
	struct report report = run(mailbox);

	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.parked, 1);
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_PARKED);
	assert_int_equal(world_files(&mailbox->world, "new"), 5 + 1 - 1);
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_OK);
}

static void a_message_that_a_process_dies_of_is_found_and_parked(void **state)
{
	struct mailbox *mailbox = *state;

	mailbox->fake.folders[0].messages[1].kills = true;
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	/* The first takes along what came with it; then it is alone, twice. */
	assert_true(crashes(mailbox));
	assert_int_equal(row(mailbox, "A", "2").state, 0);
	assert_true(crashes(mailbox));
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_SETTLED);
	assert_int_equal(row(mailbox, "A", "2").attempts, 1);
	assert_true(crashes(mailbox));
	assert_parked(mailbox);
}

static void a_message_is_not_blamed_for_kills_that_nobody_saw_until_they_are_many(
	void **state)
{
	struct mailbox *mailbox = *state;

	mailbox->fake.folders[0].messages[1].kills = true;
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	for (int i = 0; i < 1 + CAREFUL_CUTS; i++)
		assert_true(dies(mailbox));
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_HELD);
	assert_parked(mailbox);
}

static void a_crash_among_kills_from_outside_counts_as_the_first(void **state)
{
	struct mailbox *mailbox = *state;

	mailbox->fake.folders[0].messages[1].kills = true;
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	for (int i = 0; i < CAREFUL_CUTS; i++)
		assert_true(dies(mailbox));
	assert_true(crashes(mailbox));
	assert_true(dies(mailbox));
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_HELD);
	assert_int_equal(row(mailbox, "A", "2").attempts, CAREFUL_CRASHES);
	assert_true(crashes(mailbox));
	assert_parked(mailbox);
}

static void runs_that_die_of_something_else_park_nothing(void **state)
{
	struct mailbox *mailbox = *state;

	mailbox->fake.folders[1].messages[1].kills = true;
	assert_true(dies(mailbox));
	mailbox->fake.folders[1].messages[1].kills = false;
	mailbox->fake.folders[0].messages[0].kills = true;
	assert_true(dies(mailbox));
	mailbox->fake.folders[0].messages[0].kills = false;
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_HELD);
	assert_int_equal(run(mailbox).delivered, 4);
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_SETTLED);
	assert_int_equal(run(mailbox).listed, 0);
}

static void a_server_that_never_serves_is_left_alone(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->fake.folders[0].messages[0].bytes = suspicious;
	assert_int_equal(run(mailbox).held, 1);
	mailbox->fake.fetches_left = 0;
	mailbox->fake.sessions = 0;
	mailbox->fake.folders[1].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	mailbox->fake.folders[1].messages[3] =
		(struct fake_message){ "4", inert, 0, 0, 0 };
	report = run(mailbox);
	/* It holds and parks: that is no progress. */
	assert_true(mailbox->fake.sessions <= ACCOUNT_SESSIONS_MAX);
	assert_int_equal(report.held, 1);
	assert_in_range(report.parked, 0, 1);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
}

static bool exists(const struct mailbox *mailbox, const char *name)
{
	char path[160];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", mailbox->world.dir, name);
	return lstat(path, &st) == 0;
}

static void a_dry_run_makes_and_changes_nothing(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_DELETE;
	mailbox->fake.folders[1].messages[1].bytes = suspicious;
	mailbox->dry_run = true;
	report = run(mailbox);
	assert_int_equal(report.delivered, 3);
	assert_int_equal(report.held, 1);
	assert_int_equal(fake_count(&mailbox->fake, "settle"), 0);
	assert_false(exists(mailbox, "work"));
	assert_false(exists(mailbox, "Maildir"));
	/* Also where there is something owed, held and to be counted. */
	mailbox->dry_run = false;
	mailbox->fake.settle_breaks = 1000;
	report = run(mailbox);
	assert_int_equal(report.delivered, 3);
	mailbox->fake.settle_breaks = 0;
	mailbox->dry_run = true;
	(void)run(mailbox);
	assert_int_equal(fake_count(&mailbox->fake, "settle"), 0);
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_DONE);
	assert_int_equal(row(mailbox, "B", "2").state, RECORD_HELD);
	assert_int_equal(row(mailbox, "B", "2").attempts, 1);
}

static void a_dry_run_ends_with_its_first_session(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->dry_run = true;
	mailbox->fake.folders[0].messages[1].breaks = true;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_SESSION);
	assert_int_equal(mailbox->fake.sessions, 1);
	assert_int_equal(report.delivered, 1);
}

static void a_signal_ends_the_wait_for_a_scanner(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.settings.scanner_wait_ms = 60000;
	mailbox->fake.folders[0].messages[0].bytes = suspicious;
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "signal"));
	assert_int_equal(world_files(&mailbox->world, "tmp"), 0);
	mailbox->world.settings.scanner_wait_ms = 50;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.held, 1);
	assert_int_equal(world_files(&mailbox->world, "new"), 3);
}

static void a_second_one_is_told_who_is_at_work(void **state)
{
	struct mailbox *mailbox = *state;
	struct account_dir dir;
	struct report report;
	char pid[32];

	assert_int_equal(account_dir_open(mailbox->world.dir, "work", &dir, NULL), 0);
	report = run(mailbox);
	account_dir_close(&dir);
	assert_int_equal(mailbox->fake.sessions, 0);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	assert_non_null(strstr(report.err.text, pid));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_uids_of_two_folders_are_settled_each_in_its_own),
		TEST(a_folder_is_measured_while_its_first_mail_is_on_its_way),
		TEST(a_folder_that_will_not_settle_harms_no_other),
		TEST(a_missing_folder_stops_no_other_and_is_named),
		TEST(a_folder_numbered_anew_gives_nothing_twice_and_loses_nothing),
		TEST(equal_messages_are_known_as_often_as_they_were_recorded),
		TEST(mail_that_comes_back_later_is_known_then),
		TEST(what_is_owed_held_and_parked_stays_so_under_new_uids),
		TEST(a_pattern_means_the_folders_that_are_there),
		TEST(what_is_fetched_is_not_where_it_goes_to),
		TEST(a_found_folder_that_vanishes_is_no_failure),
		TEST(a_renamed_folder_gives_nothing_twice),
		TEST(a_copy_in_another_folder_is_no_renamed_one),
		TEST(since_now_begins_behind_what_is_there),
		TEST(a_folder_that_comes_into_being_later_is_not_passed_over),
		TEST(since_days_passes_over_what_is_older),
		TEST(what_was_passed_over_is_not_new_under_new_uids),
		TEST(since_now_is_written_down_where_there_are_no_uids),
		TEST(since_counts_nothing_once_the_account_has_begun),
		TEST(an_intent_keeps_its_name_under_a_new_uid),
		TEST(matching_that_is_cut_off_goes_on),
		TEST(a_server_that_renumbers_at_each_login_is_visited_less),
		TEST(what_an_older_program_recorded_is_not_guessed),
		TEST(a_dry_run_does_not_match),
		TEST(what_a_crash_left_unsettled_is_settled_without_a_fetch),
		TEST(a_session_lost_before_settle_is_made_good_by_the_next),
		TEST(numbers_of_a_lost_session_are_never_used_again),
		TEST(deletions_become_final_in_batches),
		TEST(what_is_owed_is_deleted_before_more_is_fetched),
		TEST(a_message_that_ends_every_session_is_parked_in_one_run),
		TEST(a_message_that_a_process_dies_of_is_found_and_parked),
		TEST(a_message_is_not_blamed_for_kills_that_nobody_saw_until_they_are_many),
		TEST(a_crash_among_kills_from_outside_counts_as_the_first),
		TEST(runs_that_die_of_something_else_park_nothing),
		TEST(a_server_that_never_serves_is_left_alone),
		TEST(a_dry_run_makes_and_changes_nothing),
		TEST(a_dry_run_ends_with_its_first_session),
		TEST(a_signal_ends_the_wait_for_a_scanner),
		TEST(a_second_one_is_told_who_is_at_work),
	};

	(void)alarm(120);
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
