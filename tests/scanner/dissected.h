/* SPDX-License-Identifier: ISC
 *
 * Bytes scanned with all that is in them, and what has to come out. */
#ifndef TESTS_SCANNER_DISSECTED_H
#define TESTS_SCANNER_DISSECTED_H

#include "tests/scanner/engined.h"

#include "common/mime.h"

#include "scanner/dissect.h"

#define LETTER "A letter, in which there is nothing to be found. "
#define XML    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>" LETTER "</a>\n"

/* Bytes, and before them how many. */
#define BYTES(text) sizeof(text) - 1, text

static inline struct result scan(struct span bytes)
{
	auto_dissection struct dissection *dissection = NULL;
	struct result result;

	engine_begin(f.engine);
	assert_int_equal(dissection_new(f.engine, &dissection, &f.err), 0);
	dissect(dissection, bytes, &result);
	return result;
}

/* what and more: which case, in two pieces. */
static inline void assert_is(const char *what, const char *more,
	const struct result *result, enum verdict_kind kind, enum verdict_reason reason)
{
	if (result->kind != kind || result->reason != reason)
		fail_msg("%s%s: %s %s \"%s\" \"%s\"", what, more,
			verdict_name(result->kind), verdict_reason_name(result->reason),
			result->signature, result->detail);
}

static inline void assert_result(const char *what, const char *more, struct span bytes,
	enum verdict_kind kind, enum verdict_reason reason)
{
	const struct result result = scan(bytes);

	assert_is(what, more, &result, kind, reason);
}

static inline void assert_found(
	const char *what, const struct result *result, const char *where)
{
	assert_is(what, "", result, VERDICT_INFECTED, REASON_NONE);
	assert_string_equal(result->signature, EICAR_NAME);
	assert_string_equal(result->where, where);
}

static inline void assert_infected(const char *what, struct span bytes, const char *where)
{
	const struct result result = scan(bytes);

	assert_found(what, &result, where);
}

#endif
