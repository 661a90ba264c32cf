/* SPDX-License-Identifier: ISC
 *
 * A sink that writes down what it was given: "1=hello;2 absent;discard=x;". */
#ifndef TESTS_FETCHED_H
#define TESTS_FETCHED_H

#include "tests/test.h"

#include <string.h>

#include "mailfilter/source.h"

enum {
	FETCHED_MAX = 16 * 1024 * 1024
};

struct fetched {
	struct buf bytes; /* of the message under way */
	struct buf text;
	size_t messages;
	enum err_kind refuse; /* done returns this error, unless ERR_NONE */
};

static int fetched_data(void *arg, struct span bytes, struct err *err)
{
	struct fetched *fetched = arg;

	return buf_add(&fetched->bytes, bytes.data, bytes.len, err);
}

static int fetched_done(
	void *arg, const char *uid, enum source_outcome outcome, struct err *err)
{
	static const char *const words[] = { [SOURCE_FETCHED] = "",
		[SOURCE_ABSENT] = " absent",
		[SOURCE_NIL] = " nil",
		[SOURCE_DISCARD] = "discard" };
	struct fetched *fetched = arg;

	if (fetched->refuse != ERR_NONE)
		return err_set(err, fetched->refuse, "the sink refuses");
	fetched->messages++;
	assert_int_equal(buf_printf(&fetched->text, err, "%s%s", uid, words[outcome]), 0);
	if (outcome == SOURCE_FETCHED || outcome == SOURCE_DISCARD) {
		assert_int_equal(buf_add_str(&fetched->text, "=", err), 0);
		assert_int_equal(buf_add(&fetched->text, fetched->bytes.data,
					 fetched->bytes.len, err),
			0);
	}
	buf_clear(&fetched->bytes);
	return buf_add_str(&fetched->text, ";", err);
}

static void fetched_init(struct fetched *fetched)
{
	*fetched = (struct fetched){ 0 };
	buf_init(&fetched->bytes, FETCHED_MAX);
	buf_init(&fetched->text, FETCHED_MAX);
}

static void fetched_done_with(struct fetched *fetched)
{
	buf_done(&fetched->bytes);
	buf_done(&fetched->text);
}

static inline struct source_sink fetched_sink(struct fetched *fetched)
{
	return (struct source_sink){ fetched_data, fetched_done, fetched };
}

static inline const char *fetched_text(struct fetched *fetched)
{
	const char *text = "";

	assert_int_equal(buf_text(&fetched->text, &text, NULL), 0);
	return text;
}

#endif
