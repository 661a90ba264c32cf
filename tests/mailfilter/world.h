/* SPDX-License-Identifier: ISC
 *
 * What the tests of mailfilter's core work in: one account with a real record, quarantine and
 * Maildir in a folder of its own, no scanner unless the test starts one; and looks at what came
 * out. */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "tests/test.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/fetch.h"

enum {
	WORLD_MESSAGE_MAX = 4096
};

struct world {
	char dir[64], maildir[96];
	char *scanner[1];
	struct settings settings;
	struct account_settings account;
	struct report report;
	struct pipeline pipeline;
	struct fetch fetch;
};

static const char inert[] = "From: a@example.org\r\nSubject: hello\r\n\r\nJust text.\r\n";
static const char suspicious[] =
	"From: a@example.org\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n";

/* Open all that a worker opens; a closed world can be opened again, as by the next run. */
static inline void world_open(struct world *world)
{
	struct pipeline_tools tools = { .settings = &world->settings,
		.account = &world->account,
		.report = &world->report };
	sigset_t none;

	(void)sigemptyset(&none);
	tools.stop_fd = signalfd(-1, &none, SFD_CLOEXEC | SFD_NONBLOCK);
	assert_true(tools.stop_fd >= 0);
	assert_int_equal(record_open(world->dir, false, &tools.record, NULL), 0);
	assert_int_equal(quarantine_open(world->dir, &tools.quarantine, NULL), 0);
	assert_int_equal(
		deliver_maildir_open(world->maildir, "0123abcd", &tools.deliver, NULL),
		0);
	assert_int_equal(scan_open(&world->settings, &tools.scan, NULL), 0);
	pipeline_init(&world->pipeline, &tools);
	world->report = (struct report){ 0 };
	world->fetch = (struct fetch){ .pipeline = &world->pipeline,
		.owner = "0123abcd",
		.spool = world->dir,
		.message_max = world->account.message_max };
}

static inline void world_close(struct world *world)
{
	struct pipeline_tools *tools = &world->pipeline.tools;

	pipeline_done(&world->pipeline);
	scan_close(tools->scan);
	tools->deliver->ops->close(tools->deliver);
	quarantine_close(tools->quarantine);
	record_close(tools->record);
	(void)close(tools->stop_fd);
}

static inline void world_new(struct world *world)
{
	(void)snprintf(world->dir, sizeof(world->dir), "/tmp/test_world.XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	(void)snprintf(world->maildir, sizeof(world->maildir), "%s/Maildir", world->dir);
	assert_true(asprintf(&world->scanner[0], "ipc://%s/nobody.sock", world->dir) > 0);
	world->settings = (struct settings){ .scanners = { world->scanner, 1 },
		.state_dir = world->dir,
		.scan_timeout_ms = 1000,
		.scanner_wait_ms = 50,
		.scanner_start_ms = 50,
		.message_max = WORLD_MESSAGE_MAX };
	world->account = (struct account_settings){ .on_unscannable = POLICY_QUARANTINE,
		.message_max = WORLD_MESSAGE_MAX };
	for (size_t i = 0; i < VERDICT_REASONS; i++)
		world->account.on_reason[i] = POLICY_QUARANTINE;
	world->account.name = strdup("work");
	world->account.deliver_path = world->maildir;
}

static inline void world_free(struct world *world)
{
	assert_int_equal(file_remove_tree(world->dir, true, NULL), 0);
	free(world->scanner[0]);
	free(world->account.name);
}

static inline size_t world_files(const struct world *world, const char *folder)
{
	char path[160];
	auto_closedir DIR *dir = NULL;
	size_t count = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", world->maildir, folder);
	dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	return count;
}

/* What is recorded of a message; state 0: nothing. */
static inline struct record_row world_row(
	struct world *world, const char *folder, uint32_t uidvalidity, const char *uid)
{
	struct message_key key = { .uidvalidity = uidvalidity };
	struct record_row row = { 0 };

	(void)snprintf(key.folder, sizeof(key.folder), "%s", folder);
	(void)snprintf(key.uid, sizeof(key.uid), "%s", uid);
	(void)record_find(world->pipeline.tools.record, &key, &row, NULL);
	return row;
}

#endif
