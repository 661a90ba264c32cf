/* SPDX-License-Identifier: ISC
 *
 * A delivery into a Maildir of its own, and looks at its folders. */
#ifndef TESTS_MAILDIR_DELIVERY_H
#define TESTS_MAILDIR_DELIVERY_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"

#include "mailfilter/deliver.h"

static char top[64], box[80], path[320];
static struct deliver *deliver;

static inline const char *in(const char *folder, const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s/%s", box, folder, name);
	return path;
}

static inline int setup(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)strcpy(top, "/tmp/test_deliver.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(box, sizeof(box), "%s/box", top);
	return deliver_maildir_open(box, "0123abcd", &deliver, &err);
}

static inline int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	deliver->ops->close(deliver);
	return file_remove_tree(top, true, &err);
}

static inline unsigned files(const char *folder)
{
	auto_closedir DIR *list = opendir(in(folder, "."));
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(list);
	while ((entry = readdir(list)))
		if (entry->d_name[0] != '.')
			count++;
	return count;
}

static inline struct message *a_message(const char *name, const char *text)
{
	struct message *message = message_new(top, 10000);
	struct err err = { 0 };

	assert_non_null(message);
	(void)snprintf(message->name, sizeof(message->name), "%s", name);
	assert_int_equal(body_add(&message->body, span_str(text), &err), 0);
	return message;
}

static inline bool holds(const char *folder, const char *name, const char *text)
{
	struct err err = { 0 };
	auto_buf struct buf buf;

	buf_init(&buf, 10000);
	return file_read(in(folder, name), 10000, &buf, &err) == 0 &&
	       span_equal(buf_span(&buf), span_str(text));
}

static inline int write_it(struct message *message)
{
	struct err err = { 0 };
	int done = deliver->ops->write(deliver, message, &err);

	if (done < 0)
		fail_msg("%s", err.text);
	return done;
}

static inline void sync_it(void)
{
	struct err err = { 0 };

	if (deliver->ops->sync(deliver, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void show_it(struct message *message)
{
	struct err err = { 0 };

	if (deliver->ops->show(deliver, message, &err) < 0)
		fail_msg("%s", err.text);
	if (deliver->ops->shown(deliver, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void move(
	const char *from, const char *from_name, const char *to, const char *name)
{
	char source[320];

	(void)snprintf(source, sizeof(source), "%s", in(from, from_name));
	assert_int_equal(rename(source, in(to, name)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
