/* SPDX-License-Identifier: ISC
 *
 * The archives that programs open behind other bytes. */
#ifndef TESTS_SCANNER_HIDDEN_H
#define TESTS_SCANNER_HIDDEN_H

#include "tests/scanner/make_document.h"

/* The archives that programs open behind other bytes. */
static inline void add_zip(struct buf *out, struct span data)
{
	make_zip(out, "e.com", data, 0);
}

static inline void add_7zip(struct buf *out, struct span data)
{
	struct member member = { "e.com", NULL };
	auto_buf struct buf text, archive;
	const char *string;

	buf_init(&text, FIXTURE_MAX);
	buf_init(&archive, FIXTURE_MAX);
	put_span(&text, data);
	assert_int_equal(buf_text(&text, &string, NULL), 0);
	member.data = string;
	make_archive(&archive, "7zip", NULL, NULL, &member, 1);
	put_span(out, buf_span(&archive));
}

static inline void add_cab(struct buf *out, struct span data)
{
	make_cab(out, "e.com", data, 0);
}

static inline void add_arj(struct buf *out, struct span data)
{
	make_arj(out, "e.com", data, 0);
}

static inline void add_rar(struct buf *out, struct span data)
{
	make_rar5(out, "e.com", data);
}

static const struct {
	const char *what;
	void (*add)(struct buf *out, struct span data);
} archives[] = {
	{ "zip", add_zip },
	{ "7z", add_7zip },
	{ "CAB", add_cab },
	{ "ARJ", add_arj },
	{ "RAR", add_rar },
};

#endif
