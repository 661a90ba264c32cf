/* SPDX-License-Identifier: ISC
 *
 * Delivery into an mbox file: what stands in it, what is refused, and what is there after a kill
 * at any step and in the middle of any write, then again after one more run. */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/file.h"

#include "mailfilter/deliver.h"
#include "mailfilter/stream.h"

#include "tests/deny.h"

enum {
	MESSAGES = 3,
	LONG_BYTES = 100000, /* more than one piece */
	TEXT_MAX = 1000000
};

static char top[64], box[96];
static struct account_settings account;
static struct deliver_tools tools;

static int setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "%s/test_mbox.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(box, sizeof(box), "%s/mail/box", top);
	account = (struct account_settings){ .deliver_kind = DELIVER_MBOX,
		.deliver_path = box,
		.deliver_timeout_ms = 20000 };
	tools = (struct deliver_tools){ .account = &account,
		.dir = top,
		.owner = "0123abcd",
		.spool = top,
		.wait = &stream_wait_plain };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(top, true, NULL);
}

static struct deliver *open_it(void)
{
	struct deliver *deliver = NULL;
	struct err err = { 0 };

	if (deliver_open(&tools, &deliver, &err) < 0)
		fail_msg("%s", err.text);
	return deliver;
}

static int ignore(void *arg, const char *name, struct err *err)
{
	(void)arg;
	(void)name;
	(void)err;
	return 0;
}

static struct message *a_message(const char *name, const char *text)
{
	struct message *message = message_new(top, TEXT_MAX);

	assert_non_null(message);
	(void)snprintf(message->name, sizeof(message->name), "%s", name);
	assert_int_equal(body_add(&message->body, span_str(text), NULL), 0);
	return message;
}

/* All that a batch of these does, once; its error, if it fails. */
static int deliver_one(struct deliver *deliver, struct message *message, struct err *err)
{
	int done = deliver->ops->write(deliver, message, err);

	if (done != 0)
		return done;
	if (deliver->ops->sync(deliver, err) < 0)
		return -1;
	message->repeat = true;
	if (deliver->ops->show(deliver, message, err) < 0) {
		(void)deliver->ops->shown(deliver, NULL);
		return -1;
	}
	return deliver->ops->shown(deliver, err);
}

static void put(const char *text)
{
	assert_int_equal(file_replace(box, span_str(text), 0600, NULL), 0);
}

static void make_folder(void)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%s/mail", top);
	assert_int_equal(file_mkdirs(path, 0700, NULL), 0);
}

/* The mailbox with each "From " line's date taken out. */
static void is(const char *expected)
{
	auto_buf struct buf buf;
	const char *text;
	char plain[2000] = "";
	size_t used = 0;

	buf_init(&buf, TEXT_MAX);
	assert_int_equal(file_read(box, TEXT_MAX, &buf, NULL), 0);
	assert_int_equal(buf_text(&buf, &text, NULL), 0);
	while (*text) {
		size_t len = strcspn(text, "\n") + 1;

		if (strncmp(text, "From ", 5) == 0)
			used += (size_t)snprintf(plain + used, sizeof(plain) - used,
				"From %.*s\n", (int)strcspn(text + 5, " "), text + 5);
		else
			used += (size_t)snprintf(plain + used, sizeof(plain) - used,
				"%.*s", (int)len, text);
		text += len;
	}
	assert_string_equal(plain, expected);
}

static void deliver_text(struct deliver *deliver, const char *name, const char *text)
{
	struct message *message = a_message(name, text);
	struct err err = { 0 };

	if (deliver_one(deliver, message, &err) != 0)
		fail_msg("%s", err.text);
	deliver->ops->forget(deliver, name);
	message_free(message);
}

static void messages_are_appended_quoted_and_apart(void **state)
{
	struct deliver *deliver = open_it();
	struct stat st;
	char path[128];

	(void)state;
	deliver_text(deliver, "1", "Return-Path: <a@b>\nS: 1\n\nFrom here\n");
	deliver_text(deliver, "2", "S: 2\n\nno end");
	is("From a@b\nReturn-Path: <a@b>\nS: 1\n\n>From here\n\n"
	   "From MAILER-DAEMON\nS: 2\n\nno end\n\n");
	deliver->ops->close(deliver);
	assert_int_equal(stat(box, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)snprintf(path, sizeof(path), "%s.lock", box);
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/mbox.batch", top);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_mailbox_that_does_not_end_in_an_empty_line_gets_one_first(void **state)
{
	static const char *const before[] = { "x", "x\n", "x\n\n", "\n" };
	static const char *const after[] = { "x\n\n", "x\n\n", "x\n\n", "\n" };

	(void)state;
	make_folder();
	for (size_t i = 0; i < 4; i++) {
		struct deliver *deliver = open_it();
		char expected[100];

		put(before[i]);
		deliver_text(deliver, "1", "S: 1\n\n");
		(void)snprintf(expected, sizeof(expected),
			"%sFrom MAILER-DAEMON\nS: 1\n\n\n", after[i]);
		is(expected);
		deliver->ops->close(deliver);
	}
}

static void the_cleaned_copy_goes_out_and_the_sender_can_be_set(void **state)
{
	char sender[] = "x@y";
	struct deliver *deliver;
	struct message *message = a_message("1", "S: bad\n\n");

	(void)state;
	account.sender = sender;
	deliver = open_it();
	assert_int_equal(body_add(&message->cleaned, span_str("S: good\n\n"), NULL), 0);
	assert_int_equal(deliver_one(deliver, message, NULL), 0);
	is("From x@y\nS: good\n\n\n");
	message_free(message);
	deliver->ops->close(deliver);
}

/* One delivery that must fail, with a sentence, and leave nothing. */
static void refused(enum err_kind kind, const char *says)
{
	struct deliver *deliver = open_it();
	struct message *message = a_message("1", "S: 1\n\n");
	struct err err = { 0 };

	assert_int_equal(deliver_one(deliver, message, &err), -1);
	if (err.kind != kind || !strstr(err.text, says))
		fail_msg("expected %s, got %d: %s", says, err.kind, err.text);
	message_free(message);
	deliver->ops->close(deliver);
}

static void what_is_no_mailbox_is_refused_with_a_sentence(void **state)
{
	char other[128];

	(void)state;
	make_folder();
	(void)snprintf(other, sizeof(other), "%s/other", top);
	assert_int_equal(mkdir(box, 0700), 0);
	refused(ERR_ACCOUNT, "is a folder: expected a file, or maildir:");
	assert_int_equal(rmdir(box), 0);
	assert_int_equal(symlink(other, box), 0);
	refused(ERR_ACCOUNT, "is a symbolic link: name the file");
	assert_int_equal(access(other, F_OK), -1);
	assert_int_equal(unlink(box), 0);
	assert_int_equal(mkfifo(box, 0600), 0);
	refused(ERR_ACCOUNT, "is no file");
	assert_int_equal(unlink(box), 0);
	put("");
	assert_int_equal(link(box, other), 0);
	refused(ERR_ACCOUNT, "has another name");
	assert_int_equal(unlink(other), 0);
	assert_int_equal(chmod(box, 0666), 0);
	refused(ERR_ACCOUNT, "everybody may write to");
	is("");
}

/* In a child, where a system call fails. */
static void refused_with(uint32_t call, uint32_t bits, uint16_t errnum,
	enum err_kind kind, const char *says)
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0) {
		struct deliver *deliver = open_it();
		struct message *message = a_message("1", "S: 1\n\n");
		struct err err = { 0 };

		if (deliver->ops->write(deliver, message, &err) != 0 ||
			!deny(call, bits, errnum))
			_exit(1);
		if (deliver->ops->sync(deliver, &err) == 0 &&
			deliver->ops->show(deliver, message, &err) == 0 &&
			deliver->ops->shown(deliver, &err) == 0)
			_exit(2);
		(void)fprintf(stderr, "# %s\n", err.text);
		_exit(err.kind == kind && strstr(err.text, says) ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_disk_that_fails_is_said_and_leaves_the_mailbox_as_it_was(void **state)
{
	(void)state;
	make_folder();
	put("old\n\n");
	refused_with(SYS_write, 0, ENOSPC, ERR_AGAIN, "No space left");
	refused_with(SYS_write, 0, EDQUOT, ERR_AGAIN, "quota");
	refused_with(SYS_fsync, 0, EIO, ERR_AGAIN, "cannot sync");
	refused_with(SYS_openat, O_APPEND, EROFS, ERR_ACCOUNT, "Read-only file system");
	refused_with(SYS_openat, O_EXCL, EACCES, ERR_ACCOUNT, "be in the group mail");
	refused_with(SYS_openat, O_EXCL, ENOSPC, ERR_AGAIN, "box.lock");
	refused_with(SYS_openat, O_APPEND, EACCES, ERR_ACCOUNT, "Permission denied");
	is("old\n\n");
}

static void one_that_does_not_fit_is_taken_back_and_the_others_stay(void **state)
{
	struct deliver *deliver = open_it();
	struct message *messages[3] = { a_message("1", "S: 1\n\n"), a_message("2", ""),
		a_message("3", "S: 3\n\n") };
	struct rlimit old, limit;
	struct err err = { 0 };

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	for (int i = 0; i < LONG_BYTES / 10; i++)
		assert_int_equal(
			body_add(&messages[1]->body, span_str("123456789\n"), NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(deliver->ops->write(deliver, messages[i], NULL), 0);
	assert_int_equal(deliver->ops->sync(deliver, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){ LONG_BYTES / 2, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 3; i++) {
		messages[i]->repeat = true;
		assert_int_equal(
			deliver->ops->show(deliver, messages[i], &err), i == 1 ? -1 : 0);
		assert_true(messages[i]->repeat == (i != 1));
	}
	assert_int_equal(deliver->ops->shown(deliver, NULL), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err.kind, ERR_AGAIN);
	is("From MAILER-DAEMON\nS: 1\n\n\nFrom MAILER-DAEMON\nS: 3\n\n\n");
	for (int i = 0; i < 3; i++)
		message_free(messages[i]);
	deliver->ops->close(deliver);
}

static void what_others_wrote_behind_a_torn_message_stays(void **state)
{
	struct deliver *deliver = open_it();
	struct message *message = a_message("1", "S: 1\n\nlong text\n");
	auto_close int fd = -1;

	(void)state;
	make_folder();
	put("old\n\n");
	assert_int_equal(deliver->ops->write(deliver, message, NULL), 0);
	assert_int_equal(deliver->ops->sync(deliver, NULL), 0);
	deliver->ops->close(deliver);
	fd = open(box, O_WRONLY | O_APPEND);
	assert_int_equal(file_write(fd, span_str("From MAI"), box, NULL), 0);
	assert_int_equal(file_write(fd, span_str("From other\nX: y\n\n"), box, NULL), 0);
	deliver = open_it();
	assert_int_equal(deliver->ops->leftovers(deliver, ignore, NULL, NULL), 0);
	message->repeat = true;
	assert_int_equal(deliver_one(deliver, message, NULL), 0);
	is("old\n\nFrom MAIFrom\nX: y\n\nFrom MAILER-DAEMON\nS: 1\n\nlong text\n\n");
	message_free(message);
	deliver->ops->close(deliver);
}

static void a_mailbox_that_vanished_or_was_replaced_is_begun_anew(void **state)
{
	struct deliver *deliver;

	(void)state;
	for (int replaced = 0; replaced < 2; replaced++) {
		struct message *message = a_message("1", "S: 1\n\n");

		deliver = open_it();
		assert_int_equal(deliver->ops->write(deliver, message, NULL), 0);
		assert_int_equal(deliver->ops->sync(deliver, NULL), 0);
		assert_int_equal(deliver->ops->show(deliver, message, NULL), 0);
		deliver->ops->close(deliver);
		assert_int_equal(unlink(box), 0);
		if (replaced)
			put("new\n\n");
		deliver = open_it();
		assert_int_equal(deliver->ops->leftovers(deliver, ignore, NULL, NULL), 0);
		message->repeat = true;
		assert_int_equal(deliver_one(deliver, message, NULL), 0);
		is(replaced ? "new\n\nFrom MAILER-DAEMON\nS: 1\n\n\n"
			    : "From MAILER-DAEMON\nS: 1\n\n\n");
		message_free(message);
		deliver->ops->forget(deliver, "1");
		deliver->ops->close(deliver);
	}
}

static void one_replaced_while_we_hold_its_locks_is_noticed(void **state)
{
	struct deliver *deliver = open_it();
	struct message *message = a_message("1", "S: 1\n\n");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(deliver->ops->write(deliver, message, NULL), 0);
	assert_int_equal(deliver->ops->sync(deliver, NULL), 0);
	message->repeat = true;
	assert_int_equal(deliver->ops->show(deliver, message, NULL), 0);
	assert_int_equal(unlink(box), 0);
	put("new\n\n");
	assert_int_equal(deliver->ops->shown(deliver, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, "ignores the locks"));
	assert_int_equal(deliver_one(deliver, message, NULL), 0);
	is("new\n\nFrom MAILER-DAEMON\nS: 1\n\n\n");
	message_free(message);
	deliver->ops->close(deliver);
}

/* Crash tests: a run over messages 1 to MESSAGES with a record that is a bit per message. */
struct run {
	struct deliver *deliver;
	struct message *messages[MESSAGES];
	unsigned kill_after, steps;
};

static void step(struct run *run)
{
	if (++run->steps == run->kill_after)
		(void)raise(SIGKILL);
}

static void record_path(char path[static 128], const char *state, unsigned i)
{
	(void)snprintf(path, 128, "%s/%s.%u", top, state, i);
}

static bool recorded(const char *state, unsigned i)
{
	char path[128];

	record_path(path, state, i);
	return access(path, F_OK) == 0;
}

static void record(struct run *run, const char *state)
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		char path[128];

		record_path(path, state, i);
		if (run->messages[i])
			(void)close(open(path, O_WRONLY | O_CREAT, 0600));
	}
	step(run);
}

static void must(bool done)
{
	if (!done)
		_exit(1);
}

static int forget_recorded(void *arg, const char *name, struct err *err)
{
	struct run *run = arg;

	(void)err;
	if (recorded("done", (unsigned)(name[0] - '0')))
		run->deliver->ops->forget(run->deliver, name);
	return 0;
}

static void fill(struct message *message, unsigned i)
{
	char line[64];
	const unsigned lines = i == 1 ? LONG_BYTES / 20 : 3;

	(void)snprintf(line, sizeof(line), "S: number %u\n\n", i);
	must(body_add(&message->body, span_str(line), NULL) == 0);
	for (unsigned at = 0; at < lines; at++) {
		(void)snprintf(line, sizeof(line), "From line %u of %u\n", at, i);
		must(body_add(&message->body, span_str(line), NULL) == 0);
	}
}

static void run_write(struct run *run, bool there[static MESSAGES])
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		char name[2] = { (char)('0' + i), '\0' };
		int done;

		if (recorded("done", i))
			continue;
		run->messages[i] = message_new(top, TEXT_MAX);
		(void)snprintf(run->messages[i]->name, MESSAGE_NAME_MAX, "%s", name);
		run->messages[i]->repeat = recorded("intent", i);
		fill(run->messages[i], i);
		done = run->deliver->ops->write(run->deliver, run->messages[i], NULL);
		must(done >= 0);
		there[i] = done > 0;
		step(run);
	}
	must(run->deliver->ops->sync(run->deliver, NULL) == 0);
	step(run);
}

static void work(unsigned kill_after, rlim_t size_max)
{
	struct run run = { .kill_after = kill_after };
	bool there[MESSAGES] = { false };
	const struct rlimit limit = { size_max, size_max };

	must(deliver_open(&tools, &run.deliver, NULL) == 0);
	must(run.deliver->ops->leftovers(run.deliver, forget_recorded, &run, NULL) == 0);
	run_write(&run, there);
	record(&run, "intent");
	/* A write that would go over it is cut short, and the next one kills. */
	if (size_max > 0) {
		(void)signal(SIGXFSZ, SIG_DFL);
		must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	}
	for (unsigned i = 0; i < MESSAGES; i++)
		if (run.messages[i] && !there[i]) {
			must(run.deliver->ops->show(run.deliver, run.messages[i], NULL) ==
				0);
			step(&run);
		}
	must(run.deliver->ops->shown(run.deliver, NULL) == 0);
	step(&run);
	record(&run, "done");
	for (unsigned i = 0; i < MESSAGES; i++)
		if (run.messages[i]) {
			run.deliver->ops->forget(run.deliver, run.messages[i]->name);
			message_free(run.messages[i]);
		}
	run.deliver->ops->close(run.deliver);
}

static bool killed(unsigned kill_after, rlim_t size_max)
{
	const struct rlimit no_core = { 0, 0 };
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		work(kill_after, size_max);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) &&
		(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXFSZ))
		return true;
	assert_int_equal(status, 0);
	return false;
}

/* Each message whole, once, and what was there before; returns the size. */
static size_t check_mailbox(void)
{
	auto_buf struct buf buf;
	const char *text;
	unsigned count = 0;

	buf_init(&buf, TEXT_MAX);
	assert_int_equal(file_read(box, TEXT_MAX, &buf, NULL), 0);
	assert_int_equal(buf_text(&buf, &text, NULL), 0);
	assert_memory_equal(text, "old\n\nFrom ", 10);
	for (const char *at = text; (at = strstr(at, "\nFrom ")); at++)
		count++;
	assert_int_equal(count, MESSAGES);
	for (unsigned i = 0; i < MESSAGES; i++) {
		char line[64];
		const unsigned last = (i == 1 ? LONG_BYTES / 20 : 3) - 1;
		const char *found;

		(void)snprintf(
			line, sizeof(line), "\nS: number %u\n\n>From line 0 of", i);
		found = strstr(text, line);
		assert_non_null(found);
		assert_null(strstr(found + 1, line));
		(void)snprintf(line, sizeof(line), ">From line %u of %u\n\n", last, i);
		found = strstr(found, line);
		assert_non_null(found);
		assert_null(strstr(found + 1, line));
	}
	return buf.len;
}

static void start_anew(void)
{
	assert_int_equal(file_remove_tree(top, false, NULL), 0);
	make_folder();
	put("old\n");
}

static void run_again_and_compare(void)
{
	size_t size;

	assert_false(killed(0, 0));
	size = check_mailbox();
	assert_false(killed(0, 0));
	assert_int_equal(check_mailbox(), size);
}

static void killed_after_any_step_each_message_is_there_once(void **state)
{
	(void)state;
	for (unsigned at = 1;; at++) {
		bool ended;

		start_anew();
		ended = !killed(at, 0);
		run_again_and_compare();
		if (ended)
			break;
		for (unsigned second = 1; second < at; second++) {
			start_anew();
			assert_true(killed(at, 0));
			(void)killed(second, 0);
			run_again_and_compare();
		}
	}
}

static void killed_in_the_middle_of_any_write_each_message_is_there_once(void **state)
{
	(void)state;
	for (rlim_t size = 4; size < (rlim_t)2 * LONG_BYTES;
		size += size < 400 ? 1 : 7919) {
		start_anew();
		if (!killed(0, size))
			break;
		run_again_and_compare();
	}
}

static void a_torn_batch_file_reads_as_empty(void **state)
{
	struct message *message = a_message("1", "S: 1\n\n");
	struct deliver *deliver = open_it();
	char path[128];
	struct stat st;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/mbox.batch", top);
	assert_int_equal(deliver->ops->write(deliver, message, NULL), 0);
	assert_int_equal(deliver->ops->sync(deliver, NULL), 0);
	assert_int_equal(deliver->ops->show(deliver, message, NULL), 0);
	deliver->ops->close(deliver);
	assert_int_equal(stat(path, &st), 0);
	for (off_t size = st.st_size - 1; size >= 0; size -= size > 40 ? 37 : 1) {
		assert_int_equal(truncate(path, size), 0);
		deliver = open_it();
		assert_int_equal(deliver->ops->leftovers(deliver, ignore, NULL, NULL), 0);
		deliver->ops->close(deliver);
		is("From MAILER-DAEMON\nS: 1\n\n\n");
		assert_int_equal(file_replace(path, span_str("x"), 0600, NULL), 0);
	}
	message_free(message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_are_appended_quoted_and_apart),
		TEST(a_mailbox_that_does_not_end_in_an_empty_line_gets_one_first),
		TEST(the_cleaned_copy_goes_out_and_the_sender_can_be_set),
		TEST(what_is_no_mailbox_is_refused_with_a_sentence),
		TEST(a_disk_that_fails_is_said_and_leaves_the_mailbox_as_it_was),
		TEST(one_that_does_not_fit_is_taken_back_and_the_others_stay),
		TEST(what_others_wrote_behind_a_torn_message_stays),
		TEST(a_mailbox_that_vanished_or_was_replaced_is_begun_anew),
		TEST(one_replaced_while_we_hold_its_locks_is_noticed),
		TEST(killed_after_any_step_each_message_is_there_once),
		TEST(killed_in_the_middle_of_any_write_each_message_is_there_once),
		TEST(a_torn_batch_file_reads_as_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
