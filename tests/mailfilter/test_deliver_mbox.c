/* SPDX-License-Identifier: ISC
 *
 * Delivery into an mbox file: what stands in it, and what is refused. */
#include "tests/mailfilter/mbox_delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/deny.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_are_appended_quoted_and_apart),
		TEST(a_mailbox_that_does_not_end_in_an_empty_line_gets_one_first),
		TEST(the_cleaned_copy_goes_out_and_the_sender_can_be_set),
		TEST(what_is_no_mailbox_is_refused_with_a_sentence),
		TEST(a_disk_that_fails_is_said_and_leaves_the_mailbox_as_it_was),
		TEST(one_that_does_not_fit_is_taken_back_and_the_others_stay),
		TEST(a_mailbox_that_vanished_or_was_replaced_is_begun_anew),
		TEST(one_replaced_while_we_hold_its_locks_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
