/* SPDX-License-Identifier: ISC
 *
 * The folders of rules, and what becomes of a delivery that was begun in one when the rules are
 * others in the next run. */
#include "tests/test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/deliver.h"
#include "mailfilter/record.h"
#include "mailfilter/rule_settings.h"
#include "mailfilter/stream.h"

static const char mail[] = "From: a\n\nx\n";
static const enum deliver_kind kinds[] = { DELIVER_MAILDIR, DELIVER_MBOX };

static char top[64], dir[80], usual[96], account_name[] = "work";

/* One run: what it has open. */
struct run {
	struct account_settings account;
	struct rule_settings rule;
	struct settings settings;
	struct record *record;
	struct deliver *deliver;
	struct message *message;
};

static int setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/test_folders.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/state", top);
	(void)snprintf(usual, sizeof(usual), "%s/mail/box", top);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(top, true, NULL);
}

/* With a rule that files in this folder, or (NULL) without any. */
static void begin(struct run *run, enum deliver_kind kind, const char *folder)
{
	struct deliver_tools tools = {
		.dir = dir, .owner = "0123abcd", .spool = top, .wait = &stream_wait_plain
	};
	struct err err = { 0 };

	*run = (struct run){ .account = { .name = account_name,
				     .deliver_kind = kind,
				     .deliver_path = usual,
				     .deliver_timeout_ms = 1000 },
		.rule = { .then_kind = RULE_FOLDER, .folder = folder },
		.settings.rules = { &run->rule, folder ? 1 : 0 } };
	assert_int_equal(record_open(dir, false, &run->record, NULL), 0);
	tools.account = &run->account;
	tools.record = run->record;
	if (deliver_folders_open(&run->settings, &tools, &run->deliver, &err) < 0)
		fail_msg("%s", err.text);
	run->message = message_new(top, 1000);
	assert_non_null(run->message);
	(void)snprintf(run->message->key.uid, sizeof(run->message->key.uid), "1");
	(void)snprintf(run->message->name, sizeof(run->message->name), "1.R2T0123abcd.h");
	assert_int_equal(body_add(&run->message->body, span_str(mail), NULL), 0);
}

static void end(struct run *run)
{
	message_free(run->message);
	deliver_close(run->deliver);
	record_close(run->record);
}

static int not_recorded(void *arg, const char *name, struct err *err)
{
	(void)arg;
	(void)name;
	(void)err;
	return 0;
}

static void put(struct run *run, enum record_state state)
{
	struct record_row row = {
		.key = run->message->key, .state = state, .target_known = true
	};

	memcpy(row.name, run->message->name, sizeof(row.name));
	memcpy(row.target, run->message->folder, sizeof(row.target));
	assert_int_equal(record_put(run->record, &row, NULL), 0);
}

/* Up to the record of its end, which is not written. */
static int deliver_it(struct run *run, const char *folder, bool show)
{
	const struct deliver_ops *ops = run->deliver->ops;
	int there;

	(void)snprintf(run->message->folder, sizeof(run->message->folder), "%s", folder);
	assert_int_equal(ops->leftovers(run->deliver, not_recorded, NULL, NULL), 0);
	there = ops->write(run->deliver, run->message, NULL);
	assert_int_equal(ops->sync(run->deliver, NULL), 0);
	put(run, RECORD_INTENT);
	if (there == 0 && show) {
		assert_int_equal(ops->show(run->deliver, run->message, NULL), 0);
		assert_int_equal(ops->shown(run->deliver, NULL), 0);
	}
	return there;
}

/* How often the mail is in the usual place or in a folder. */
static size_t copies(enum deliver_kind kind, const char *folder)
{
	auto_closedir DIR *list = NULL;
	char path[200];
	size_t count = 0;

	if (kind == DELIVER_MBOX) {
		auto_buf struct buf text;

		buf_init(&text, 10000);
		(void)snprintf(path, sizeof(path), "%s/mail/%s", top,
			folder[0] ? folder : "box");
		if (access(path, F_OK) < 0)
			return 0;
		assert_int_equal(file_read(path, 10000, &text, NULL), 0);
		for (size_t i = 0; i < text.len; i++)
			count += text.len - i >= sizeof(mail) - 1 &&
				 memcmp(text.data + i, mail, sizeof(mail) - 1) == 0;
		return count;
	}
	(void)snprintf(
		path, sizeof(path), "%s%s%s/new", usual, folder[0] ? "/." : "", folder);
	list = opendir(path);
	for (struct dirent *entry; list && (entry = readdir(list));)
		count += entry->d_name[0] != '.';
	return count;
}

static void what_was_shown_in_a_folder_whose_rule_is_gone_is_found_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct run run;

		begin(&run, kinds[i], "A");
		assert_int_equal(deliver_it(&run, "A", true), 0);
		end(&run);
		begin(&run, kinds[i], i ? "B" : NULL);
		run.message->repeat = true;
		assert_int_equal(deliver_it(&run, "A", true), 1);
		put(&run, RECORD_DONE);
		run.deliver->ops->forget(run.deliver, run.message->name);
		end(&run);
		assert_int_equal(copies(kinds[i], "A"), 1);
		assert_int_equal(copies(kinds[i], ""), 0);
		assert_int_equal(copies(kinds[i], "B"), 0);
		assert_int_equal(file_remove_tree(top, false, NULL), 0);
	}
}

static void what_was_not_shown_is_delivered_where_it_was_begun(void **state)
{
	char path[100];

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct run run;

		begin(&run, kinds[i], "A");
		assert_int_equal(deliver_it(&run, "A", false), 0);
		end(&run);
		begin(&run, kinds[i], NULL);
		run.message->repeat = true;
		assert_int_equal(deliver_it(&run, "A", true), 0);
		put(&run, RECORD_DONE);
		run.deliver->ops->forget(run.deliver, run.message->name);
		end(&run);
		assert_int_equal(copies(kinds[i], "A"), 1);
		assert_int_equal(copies(kinds[i], ""), 0);
		/* Where nothing is begun nobody looks for folders. */
		assert_int_equal(file_remove_tree(top, false, NULL), 0);
		begin(&run, kinds[i], NULL);
		end(&run);
		(void)snprintf(path, sizeof(path), "%s/folders", dir);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(file_remove_tree(top, false, NULL), 0);
	}
}

static void each_goes_to_its_folder_and_the_rest_to_the_usual_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct run run;

		begin(&run, kinds[i], "A");
		assert_int_equal(deliver_it(&run, "", true), 0);
		put(&run, RECORD_DONE);
		run.deliver->ops->forget(run.deliver, run.message->name);
		(void)snprintf(
			run.message->name, sizeof(run.message->name), "2.R2T0123abcd.h");
		assert_int_equal(deliver_it(&run, "A", true), 0);
		put(&run, RECORD_DONE);
		end(&run);
		assert_int_equal(copies(kinds[i], ""), 1);
		assert_int_equal(copies(kinds[i], "A"), 1);
		assert_int_equal(file_remove_tree(top, false, NULL), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_shown_in_a_folder_whose_rule_is_gone_is_found_there),
		TEST(what_was_not_shown_is_delivered_where_it_was_begun),
		TEST(each_goes_to_its_folder_and_the_rest_to_the_usual_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
