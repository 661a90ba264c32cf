/* SPDX-License-Identifier: ISC
 *
 * Delivery and record together, killed after each of their steps, then run again: each message
 * must be there once, and one run more must change nothing. */
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/file.h"

#include "mailfilter/deliver.h"
#include "mailfilter/record.h"

#include "tests/mailfilter/maildir_reader.h"

enum {
	MANY = 9, /* over the number from which files are synced all at once */
	FEW = 3,
	NEVER = 0
};

/* The memory file system where there is one: a kill cannot tell it from a disk. */
static int setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "%s/test_crash.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	return file_remove_tree(top, true, &err);
}

/* One run of a worker over messages 1 to count, as the pipeline does it. */
struct run {
	unsigned count;
	unsigned kill_after, steps; /* which step is the last */
	struct deliver *deliver;
	struct record *record;
	struct message *messages[MESSAGES_MAX]; /* NULL: done in an earlier run */
	bool shown[MESSAGES_MAX];
};

static void step(struct run *run)
{
	if (++run->steps == run->kill_after)
		(void)raise(SIGKILL);
}

static void must(int done, const struct err *err)
{
	if (done >= 0)
		return;
	(void)fprintf(stderr, "%s\n", err->text);
	_exit(1);
}

static void put(struct run *run, enum record_state state)
{
	struct err err = { 0 };

	must(record_begin(run->record, &err), &err);
	for (unsigned i = 0; i < run->count; i++) {
		struct record_row row = { .state = state, .action = ACTION_DELIVER };

		if (!run->messages[i])
			continue;
		row.key = run->messages[i]->key;
		(void)snprintf(row.name, sizeof(row.name), "%s", run->messages[i]->name);
		must(record_put(run->record, &row, &err), &err);
	}
	must(record_commit(run->record, &err), &err);
	step(run);
}

/* What is on record of message i says what is left to do. */
static void fetch(struct run *run, unsigned i)
{
	struct message *message = message_new(top, 1000);
	struct record_row row = { 0 };
	struct err err = { 0 };
	char text[32];
	int found;

	(void)snprintf(message->key.uid, sizeof(message->key.uid), "%u", i);
	found = record_find(run->record, &message->key, &row, &err);
	must(found, &err);
	if (found == 1 && row.state == RECORD_DONE) {
		message_free(message);
		return;
	}
	deliver_new_name("0123abcd", message->name);
	if (found == 1)
		memcpy(message->name, row.name, sizeof(row.name));
	message->repeat = found == 1;
	(void)snprintf(text, sizeof(text), "message %u", i);
	must(body_add(&message->body, span_str(text), &err), &err);
	run->messages[i] = message;
}

static int forget_recorded(void *arg, const char *name, struct err *err)
{
	const struct run *run = arg;
	int delivered = record_is_delivered(run->record, name, err);

	if (delivered == 1)
		run->deliver->ops->forget(run->deliver, name);
	return delivered < 0 ? -1 : 0;
}

static void write_all(struct run *run)
{
	struct err err = { 0 };

	for (unsigned i = 0; i < run->count; i++) {
		int done;

		fetch(run, i);
		if (!run->messages[i])
			continue;
		done = run->deliver->ops->write(run->deliver, run->messages[i], &err);
		must(done, &err);
		run->shown[i] = done == 1;
		step(run);
	}
	must(run->deliver->ops->sync(run->deliver, &err), &err);
	step(run);
}

static void show_all(struct run *run)
{
	struct err err = { 0 };

	for (unsigned i = 0; i < run->count; i++) {
		if (!run->messages[i] || run->shown[i])
			continue;
		must(run->deliver->ops->show(run->deliver, run->messages[i], &err), &err);
		step(run);
	}
	must(run->deliver->ops->shown(run->deliver, &err), &err);
	step(run);
}

static void forget_all(struct run *run)
{
	for (unsigned i = 0; i < run->count; i++) {
		if (!run->messages[i])
			continue;
		run->deliver->ops->forget(run->deliver, run->messages[i]->name);
		message_free(run->messages[i]);
		step(run);
	}
}

static void work(unsigned count, unsigned kill_after)
{
	struct run run = { .count = count, .kill_after = kill_after };
	struct err err = { 0 };
	char path[128];

	must(record_open(top, false, &run.record, &err), &err);
	(void)snprintf(path, sizeof(path), "%s/box", top);
	must(deliver_maildir_open(path, "0123abcd", &run.deliver, &err), &err);
	must(run.deliver->ops->leftovers(run.deliver, forget_recorded, &run, &err), &err);
	write_all(&run);
	put(&run, RECORD_INTENT);
	show_all(&run);
	put(&run, RECORD_DONE);
	forget_all(&run);
	run.deliver->ops->close(run.deliver);
	record_close(run.record);
}

/* In a process of its own. True: killed; false: it came to its end. */
static bool killed(unsigned count, unsigned kill_after)
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0) {
		work(count, kill_after);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	assert_int_equal(status, 0);
	return false;
}

static void check_once_each(unsigned count)
{
	unsigned copies[MESSAGES_MAX] = { 0 };
	const uint64_t before = fingerprint();

	walk_all(count_it, copies);
	for (unsigned i = 0; i < count; i++)
		if (copies[i] != !deleted[i])
			fail_msg("message %u is there %u times", i, copies[i]);
	walk("tmp", fail_on, NULL);
	assert_false(killed(count, NEVER));
	assert_true(fingerprint() == before);
}

static void start_anew(void)
{
	struct err err = { 0 };
	char path[400];

	memset(deleted, 0, sizeof(deleted));
	assert_int_equal(file_remove_tree(top, false, &err), 0);
	sub(path, "archive", "");
	assert_int_equal(file_mkdirs(path, 0700, &err), 0);
	sub(path, "new", "");
	assert_int_equal(file_mkdirs(path, 0700, &err), 0);
}

/* Killed after every single step once; what a reader does then; run again. */
static void each_step(unsigned count, file_act reader)
{
	unsigned at = 1;

	for (;; at++) {
		bool ended;

		start_anew();
		ended = !killed(count, at);
		walk("new", reader, NULL);
		assert_false(killed(count, NEVER));
		check_once_each(count);
		if (ended)
			break;
	}
	/* write, show and forget each, and sync, intent, shown and done. */
	assert_int_equal(at, count * 3 + 4 + 1);
}

static void killed_after_any_step_each_message_is_there_once(void **state)
{
	(void)state;
	each_step(FEW, leave);
	each_step(MANY, leave);
}

static void also_when_a_reader_moves_them_to_cur_between(void **state)
{
	(void)state;
	each_step(FEW, read_it);
}

static void also_when_a_reader_files_them_elsewhere_between(void **state)
{
	(void)state;
	each_step(FEW, archive_it);
}

static void what_a_reader_deletes_between_does_not_come_again(void **state)
{
	(void)state;
	each_step(FEW, delete_it);
	each_step(MANY, delete_it);
}

static void also_when_the_second_run_is_killed_as_well(void **state)
{
	enum {
		COUNT = 2,
		STEPS = COUNT * 3 + 4
	};

	(void)state;
	for (unsigned first = 1; first <= STEPS; first++)
		for (unsigned second = 1; second <= STEPS; second++) {
			start_anew();
			assert_true(killed(COUNT, first));
			walk("new",
				second % 3 == 2 ? delete_it
				: second % 3    ? read_it
						: leave,
				NULL);
			(void)killed(COUNT, second);
			walk("new", first % 2 ? archive_it : leave, NULL);
			assert_false(killed(COUNT, NEVER));
			check_once_each(COUNT);
		}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(killed_after_any_step_each_message_is_there_once),
		TEST(also_when_a_reader_moves_them_to_cur_between),
		TEST(also_when_a_reader_files_them_elsewhere_between),
		TEST(what_a_reader_deletes_between_does_not_come_again),
		TEST(also_when_the_second_run_is_killed_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
