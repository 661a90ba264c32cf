/* SPDX-License-Identifier: ISC
 *
 * What a delivery needs to be opened, in a folder of its own. Who includes it says to where. */
#ifndef TESTS_DELIVERY_H
#define TESTS_DELIVERY_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/deliver.h"
#include "mailfilter/stream.h"

static char top[64];
static struct account_settings account;
static struct deliver_tools tools;

/* In the memory file system where there is one: a kill cannot tell it from a disk. */
static inline int make_top(void)
{
	(void)snprintf(top, sizeof(top), "%s/test_deliver.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	tools = (struct deliver_tools){ .account = &account,
		.dir = top,
		.owner = "0123abcd",
		.spool = top,
		.wait = &stream_wait_plain };
	return mkdtemp(top) ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	return file_remove_tree(top, true, NULL);
}

static inline struct deliver *open_it(void)
{
	struct deliver *deliver = NULL;
	struct err err = { 0 };

	if (deliver_open(&tools, &deliver, &err) < 0)
		fail_msg("%s", err.text);
	return deliver;
}

static inline struct message *a_message(const char *name, const char *text)
{
	struct message *message = message_new(top, (uint64_t)64 << 20);

	assert_non_null(message);
	(void)snprintf(message->name, sizeof(message->name), "%s", name);
	assert_int_equal(body_add(&message->body, span_str(text), NULL), 0);
	return message;
}

/* As step_deliver does it, with a batch of one. 1: there already. */
static inline int deliver_one(
	struct deliver *deliver, struct message *message, struct err *err)
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
