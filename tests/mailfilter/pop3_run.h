/* SPDX-License-Identifier: ISC
 *
 * A POP3 source against a server that speaks from a script, and what most scripts begin with. */
#ifndef TESTS_POP3_RUN_H
#define TESTS_POP3_RUN_H

#include "tests/mailfilter/source_run.h"

#define CAPABLE   "> +OK capable", "> UIDL", "> USER", "> PIPELINING", "> ."
#define INCAPABLE "> -ERR unknown"
#define LOGIN_AS(capabilities)                                                           \
	"> +OK hello", "< CAPA", capabilities, "< USER user", "> +OK", "< PASS pass",    \
		"> +OK in", "< CAPA", capabilities
#define LOGIN LOGIN_AS(CAPABLE)

static const struct source_item items[] = { { .uid = "a", .number = 1, .size = 10 },
	{ .uid = "b", .number = 2, .size = 10 },
	{ .uid = "c", .number = 3, .size = 10 } };

static inline void run_start(struct run *run, const char *const *script)
{
	run_start_as(run, SOURCE_POP3, script);
	run->account.timeout_ms = 1000;
}

static inline void run_opened(struct run *run, const char *const *script)
{
	run_start(run, script);
	assert_int_equal(run_open(run), 0);
}

#endif
