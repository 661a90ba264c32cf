/* SPDX-License-Identifier: ISC
 *
 * An IMAP source against a server that speaks from a script. */
#ifndef TESTS_IMAP_RUN_H
#define TESTS_IMAP_RUN_H

#include "tests/mailfilter/source_run.h"

#include "tests/mailfilter/imap_script.h"

/* A session up to its folder, and up to its messages. */
#define FOLDER                                                                           \
	"> * 3 EXISTS", "> * OK [UIDVALIDITY 7] x", "> * OK [UIDNEXT 10] x", "> $ OK done"
#define EXAMINE LOGIN, "< EXAMINE \"INBOX\"", FOLDER
#define SELECT  LOGIN, "< SELECT \"INBOX\"", FOLDER
#define FETCH   EXAMINE, "< UID FETCH 1:3 (UID BODY.PEEK[])"

static const struct source_item items[] = { { .uid = "1" }, { .uid = "2" },
	{ .uid = "3" } };

static inline void run_start(struct run *run, const char *const *script)
{
	run_start_as(run, SOURCE_IMAP, script);
}

static inline void run_opened(struct run *run, const char *const *script)
{
	run_start(run, script);
	assert_int_equal(run_open(run), 0);
}

static inline int run_select(struct run *run)
{
	if (run_open(run) < 0)
		return -1;
	return run->source->ops->select(
		run->source, "INBOX", &run->uidvalidity, &run->err);
}

static inline void run_selected(struct run *run, const char *const *script)
{
	run_start(run, script);
	assert_int_equal(run_select(run), 0);
}

static inline int run_fetch(struct run *run)
{
	struct source_sink sink = fetched_sink(&run->fetched);

	if (run_select(run) < 0)
		return -1;
	return run->source->ops->fetch(run->source, items, 3, &sink, &run->err);
}

#define ONE   "= * 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n"
#define TWO   "= * 2 FETCH (UID 2 BODY[] {3}\r\ntwo)\r\n"
#define THREE "= * 3 FETCH (UID 3 BODY[] {5}\r\nthree)\r\n"

#endif
