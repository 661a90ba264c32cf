/* SPDX-License-Identifier: ISC
 *
 * A delivery into an mbox file, and looks at the file. */
#ifndef TESTS_MBOX_DELIVERY_H
#define TESTS_MBOX_DELIVERY_H

#include "tests/mailfilter/delivery.h"

enum {
	LONG_BYTES = 100000, /* more than one piece */
	TEXT_MAX = 1000000
};

static char box[96];

static inline int setup(void **state)
{
	(void)state;
	if (make_top() < 0)
		return -1;
	(void)snprintf(box, sizeof(box), "%s/mail/box", top);
	account = (struct account_settings){ .deliver_kind = DELIVER_MBOX,
		.deliver_path = box,
		.deliver_timeout_ms = 20000 };
	return 0;
}

static inline int ignore(void *arg, const char *name, struct err *err)
{
	(void)arg;
	(void)name;
	(void)err;
	return 0;
}

static inline void put(const char *text)
{
	assert_int_equal(file_replace(box, span_str(text), 0600, NULL), 0);
}

static inline void make_folder(void)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%s/mail", top);
	assert_int_equal(file_mkdirs(path, 0700, NULL), 0);
}

/* The mailbox with each "From " line's date taken out. */
static inline void is(const char *expected)
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

#endif
