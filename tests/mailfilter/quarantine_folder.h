/* SPDX-License-Identifier: ISC
 *
 * A quarantine in a folder of its own. */
#ifndef TESTS_QUARANTINE_FOLDER_H
#define TESTS_QUARANTINE_FOLDER_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"

#include "mailfilter/quarantine.h"

static char dir[64];
static struct quarantine *quarantine;

static inline int setup(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)strcpy(dir, "/tmp/test_quarantine.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	return quarantine_open(dir, &quarantine, &err);
}

static inline int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	quarantine_close(quarantine);
	return file_remove_tree(dir, true, &err);
}

static inline struct message *a_message(const char *id, const char *text)
{
	struct message *message = message_new(dir, 10000);
	struct err err = { 0 };

	assert_non_null(message);
	(void)snprintf(message->quarantine_id, sizeof(message->quarantine_id), "%s", id);
	assert_int_equal(body_add(&message->body, span_str(text), &err), 0);
	return message;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
