/* SPDX-License-Identifier: ISC
 *
 * A source against a server that speaks from a script. */
#ifndef TESTS_SOURCE_RUN_H
#define TESTS_SOURCE_RUN_H

#include "tests/test.h"

#include <string.h>

#include "mailfilter/source.h"

#include "tests/mailfilter/fake_server.h"
#include "tests/mailfilter/fetched.h"

enum {
	STEPS_MAX = 100,
	MESSAGE_BYTES_MAX = 100000
};

/* Everything a run may need, on one stack. */
struct run {
	struct fake_server fake;
	struct account_settings account;
	const struct stream_wait *wait;
	struct source *source;
	struct fetched fetched;
	uint32_t uidvalidity;
	struct err err;
};

static inline struct account_settings run_account(
	const struct fake_server *fake, enum source_kind kind)
{
	static char user[] = "user", host[] = "127.0.0.1", after[] = "as the test says";

	return (struct account_settings){ .kind = kind,
		.user = user,
		.host = host,
		.port = fake->port,
		.tls = TLS_NONE,
		.auth = AUTH_PLAIN,
		.after = after,
		.after_kind = AFTER_KEEP,
		.message_max = MESSAGE_BYTES_MAX,
		.timeout_ms = 2000 };
}

/* The server listens; a test may change account and wait until it opens the source. */
static inline void run_start_as(
	struct run *run, enum source_kind kind, const char *const *script)
{
	*run = (struct run){ .fake = fake_start(script), .wait = &stream_wait_plain };
	run->account = run_account(&run->fake, kind);
	fetched_init(&run->fetched);
}

static inline int run_open(struct run *run)
{
	return source_open(&run->account, "pass", run->wait, &run->source, &run->err);
}

/* What came of a case: its kind of error, with these words in its text. */
static inline void run_check(const struct run *run, size_t number, int result,
	enum err_kind kind, const char *why)
{
	if (result != (kind == ERR_NONE ? 0 : -1) || run->err.kind != kind ||
		!strstr(run->err.text, why))
		fail_msg("case %zu: %d, %d %s", number, result, run->err.kind,
			run->err.text);
}

static inline void run_end(struct run *run)
{
	if (run->source)
		run->source->ops->close(run->source);
	assert_true(fake_end(&run->fake));
	fetched_done_with(&run->fetched);
}

static inline void run_finish(struct run *run)
{
	assert_int_equal(run->source->ops->finish(run->source, &run->err), 0);
	run_end(run);
}

/* The lines of more, an array that may end in NULL, behind those of script. */
#define JOIN(script, more) join(script, more, sizeof(more) / sizeof((more)[0]))

static inline void join(
	const char *script[STEPS_MAX], const char *const *more, size_t max)
{
	size_t steps = 0;

	while (script[steps])
		steps++;
	for (size_t i = 0; i < max && more[i]; i++) {
		assert_true(steps < STEPS_MAX - 1);
		script[steps++] = more[i];
	}
}

#endif
