/* SPDX-License-Identifier: ISC
 *
 * Fetching from a Maildir in which others work: what is listed, read and settled, and what is left
 * alone. */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/maildir_settle.h"
#include "mailfilter/source.h"
#include "tests/mailfilter/fetched.h"

struct place {
	char top[64], path[80], target[80];
	struct account_settings account;
	struct source *source;
	struct source_item *items;
	size_t count;
	struct fetched fetched;
	struct err err;
};

static char after_text[] = "as the test says";

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	(void)snprintf(place->top, sizeof(place->top), "/tmp/test_source_maildir.XXXXXX");
	if (!mkdtemp(place->top) || chdir(place->top) < 0 || mkdir("m", 0700) < 0 ||
		mkdir("m/new", 0700) < 0 || mkdir("m/cur", 0700) < 0)
		return -1;
	(void)snprintf(place->path, sizeof(place->path), "%s/m", place->top);
	(void)snprintf(place->target, sizeof(place->target), "%s/done", place->top);
	place->account = (struct account_settings){ .kind = SOURCE_MAILDIR,
		.source_path = place->path,
		.after = after_text,
		.after_kind = AFTER_KEEP,
		.after_folder = place->target,
		.message_max = 1000000 };
	fetched_init(&place->fetched);
	*state = place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;
	int result;

	if (place->source)
		place->source->ops->close(place->source);
	fetched_done_with(&place->fetched);
	free(place->items);
	result = chdir("/") < 0 ? -1 : file_remove_tree(place->top, true, NULL);
	free(place);
	return result;
}

static void make(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* The uids of a new listing: "a;b;". */
static const char *listed(struct place *place)
{
	static char text[4096];
	size_t used = 0;

	if (!place->source && source_open(&place->account, "", &stream_wait_plain,
				      &place->source, &place->err) < 0)
		fail_msg("%s", place->err.text);
	free(place->items);
	place->items = NULL;
	if (place->source->ops->list(
		    place->source, 0, &place->items, &place->count, &place->err) < 0)
		fail_msg("%s", place->err.text);
	text[0] = '\0';
	for (size_t i = 0; i < place->count; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s;", place->items[i].uid);
	return text;
}

static const char *fetch(struct place *place)
{
	struct source_sink sink = fetched_sink(&place->fetched);

	buf_clear(&place->fetched.text);
	if (place->source->ops->fetch(
		    place->source, place->items, place->count, &sink, &place->err) < 0)
		fail_msg("%s", place->err.text);
	return fetched_text(&place->fetched);
}

static int settle(struct place *place, enum after_kind kind)
{
	place->account.after_kind = kind;
	return place->source->ops->settle(
		place->source, place->items, place->count, &place->err);
}

static void messages_are_read_as_they_are_and_left_as_they_are(void **state)
{
	struct place *place = *state;
	struct stat before, now;
	uint32_t uidvalidity = 7;

	make("m/new/2.b", "two\n");
	make("m/cur/1.a:2,S", "one\r\n");
	make("m/cur/3.c:2,", "");
	assert_int_equal(stat("m/cur/1.a:2,S", &before), 0);
	assert_string_equal(listed(place), "1.a;2.b;3.c;");
	assert_int_equal(
		place->source->ops->select(place->source, "", &uidvalidity, &place->err),
		0);
	assert_int_equal(uidvalidity, 0);
	assert_string_equal(fetch(place), "1.a=one\r\n;2.b=two\n;3.c=;");
	assert_int_equal(settle(place, AFTER_KEEP), 0);
	assert_int_equal(place->source->ops->finish(place->source, &place->err), 0);
	assert_int_equal(stat("m/cur/1.a:2,S", &now), 0);
	assert_memory_equal(&before, &now, sizeof(now));
	assert_true(exists("m/new/2.b"));
}

static void names_that_are_odd_have_uids_of_their_own(void **state)
{
	struct place *place = *state;
	char name[256] = "m/cur/", first[MESSAGE_UID_MAX] = "";

	memset(name + 6, 'x', 200);
	make(name, "long");
	name[205] = 'y';
	make(name, "longer");
	make("m/cur/a b\n\xff:2,S", "odd");
	(void)listed(place);
	assert_int_equal(place->count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_memory_equal(place->items[i].uid, "sha256:", 7);
		if (strcmp(place->items[i].uid, first) == 0 && i > 0)
			fail_msg("%s twice", first);
		memcpy(first, place->items[i].uid, sizeof(first));
	}
	(void)fetch(place);
	assert_int_equal(place->fetched.messages, 3);
}

static void a_mail_program_may_move_and_delete_meanwhile(void **state)
{
	struct place *place = *state;

	make("m/new/a", "one");
	make("m/new/b", "two");
	make("m/new/c", "three");
	(void)listed(place);
	assert_int_equal(rename("m/new/a", "m/cur/a:2,S"), 0);
	assert_int_equal(unlink("m/new/b"), 0);
	assert_string_equal(fetch(place), "a=one;b absent;c=three;");
	assert_int_equal(rename("m/cur/a:2,S", "m/cur/a:2,RS"), 0);
	assert_int_equal(rename("m/new/c", "m/cur/c:2,"), 0);
	assert_int_equal(settle(place, AFTER_DELETE), 0);
	assert_false(exists("m/cur/a:2,RS"));
	assert_false(exists("m/cur/c:2,"));
}

static void what_cannot_be_read_is_said_of_it_alone(void **state)
{
	struct place *place = *state;

	make("m/new/a", "one");
	make("m/new/b", "two");
	make("m/new/c", "three");
	make("m/new/d", "four");
	(void)listed(place);
	/* Swapped since they were listed. */
	assert_int_equal(unlink("m/new/a"), 0);
	assert_int_equal(symlink("/etc/passwd", "m/new/a"), 0);
	assert_int_equal(unlink("m/new/b"), 0);
	assert_int_equal(mkfifo("m/new/b", 0600), 0);
	assert_int_equal(unlink("m/new/c"), 0);
	assert_int_equal(mkdir("m/new/c", 0700), 0);
	assert_string_equal(fetch(place), "a nil;b nil;c nil;d=four;");
	assert_string_equal(listed(place), "d;");
	if (geteuid() == 0)
		return;
	assert_int_equal(chmod("m/new/d", 0), 0);
	assert_string_equal(fetch(place), "d nil;");
}

static void a_file_that_never_ends_is_cut(void **state)
{
	struct place *place = *state;
	char *large = malloc(4000001);

	assert_non_null(large);
	memset(large, 'x', 4000000);
	large[4000000] = '\0';
	make("m/new/a", "small");
	(void)listed(place);
	make("m/new/a", large);
	(void)fetch(place);
	assert_in_range(place->fetched.text.len, place->account.message_max + 1,
		place->account.message_max + STREAM_SLACK + 200000);
	free(large);
}

static void flags_are_added_in_their_order(void **state)
{
	static const struct {
		const char *name, *flagged;
	} cases[] = {
		{ "a", "a:2,F" },
		{ "a:2,", "a:2,F" },
		{ "a:2,S", "a:2,FS" },
		{ "a:2,DRS", "a:2,DFRS" },
		{ "a:2,FS", "a:2,FS" },
		{ "a:2,DP", "a:2,DFP" },
		{ "a:2,Sab", "a:2,FSab" },
		{ "a:1,x", "a:2,F" },
	};
	char name[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(maildir_flagged(cases[i].name, name, sizeof(name)));
		assert_string_equal(name, cases[i].flagged);
	}
	assert_false(maildir_flagged("0123456789012345", name, sizeof(name)));
}

static void flagging_moves_to_cur_and_no_further(void **state)
{
	struct place *place = *state;

	make("m/new/a", "one");
	make("m/cur/b:2,S", "two");
	make("m/cur/c:2,F", "three");
	(void)listed(place);
	assert_int_equal(settle(place, AFTER_FLAG), 0);
	assert_true(exists("m/cur/a:2,F"));
	assert_true(exists("m/cur/b:2,FS"));
	assert_true(exists("m/cur/c:2,F"));
	/* Once more: as after a crash. */
	assert_int_equal(settle(place, AFTER_FLAG), 0);
	assert_string_equal(listed(place), "a;b;c;");
}

static void moving_is_to_another_maildir_and_over_nothing(void **state)
{
	struct place *place = *state;

	make("m/new/a", "one");
	make("m/cur/b:2,S", "two");
	(void)listed(place);
	assert_int_equal(settle(place, AFTER_MOVE), 0);
	assert_true(exists("done/new/a"));
	assert_true(exists("done/cur/b:2,S"));
	assert_string_equal(listed(place), "");
	make("m/new/a", "another");
	(void)listed(place);
	assert_int_equal(settle(place, AFTER_MOVE), -1);
	assert_int_equal(place->err.kind, ERR_ACCOUNT);
	assert_true(exists("m/new/a"));
}

static void moving_to_another_file_system_is_refused(void **state)
{
	struct place *place = *state;
	struct stat here, there;

	/* One is not everywhere. */
	if (stat(place->top, &here) < 0 || stat("/dev/shm", &there) < 0 ||
		here.st_dev == there.st_dev || access("/dev/shm", W_OK) < 0)
		skip();
	(void)snprintf(place->target, sizeof(place->target), "/dev/shm/%s",
		strrchr(place->top, '/') + 1);
	make("m/new/a", "another");
	(void)listed(place);
	assert_int_equal(settle(place, AFTER_MOVE), -1);
	assert_int_equal(place->err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(place->err.text, "another file system"));
	assert_int_equal(file_remove_tree(place->target, true, NULL), 0);
	assert_true(exists("m/new/a"));
}

static int stop_wait(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	(void)arg;
	(void)events;
	(void)deadline_ms;
	assert_int_equal(fd, -1);
	return err_set(err, ERR_AGAIN, "told to stop");
}

static void a_signal_is_heard_between_two_messages(void **state)
{
	static const struct stream_wait wait = { .wait = stop_wait };
	struct place *place = *state;
	struct source_sink sink = fetched_sink(&place->fetched);

	make("m/new/a", "one");
	make("m/new/b", "two");
	assert_int_equal(
		source_open(&place->account, "", &wait, &place->source, &place->err), 0);
	(void)listed(place);
	assert_int_equal(place->source->ops->fetch(
				 place->source, place->items, 2, &sink, &place->err),
		-1);
	assert_int_equal(place->err.kind, ERR_AGAIN);
	assert_int_equal(place->fetched.messages, 1);
}

static void what_is_no_maildir_is_refused(void **state)
{
	struct place *place = *state;

	assert_int_equal(rmdir("m/new"), 0);
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			assert_int_equal(symlink("cur", "m/new"), 0);
		if (i == 2)
			assert_int_equal(rename("m", "gone"), 0);
		assert_int_equal(source_open(&place->account, "", &stream_wait_plain,
					 &place->source, &place->err),
			-1);
		assert_int_equal(place->err.kind, ERR_ACCOUNT);
		assert_non_null(strstr(place->err.text, place->path));
		if (i < 2)
			assert_non_null(strstr(place->err.text, "no Maildir"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_are_read_as_they_are_and_left_as_they_are),
		TEST(names_that_are_odd_have_uids_of_their_own),
		TEST(a_mail_program_may_move_and_delete_meanwhile),
		TEST(what_cannot_be_read_is_said_of_it_alone),
		TEST(a_file_that_never_ends_is_cut),
		cmocka_unit_test(flags_are_added_in_their_order),
		TEST(flagging_moves_to_cur_and_no_further),
		TEST(moving_is_to_another_maildir_and_over_nothing),
		TEST(moving_to_another_file_system_is_refused),
		TEST(a_signal_is_heard_between_two_messages),
		TEST(what_is_no_maildir_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
