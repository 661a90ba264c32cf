/* SPDX-License-Identifier: ISC
 *
 * One message at each stage of its way, and what is said of it: no sockets, no processes. */
#ifndef TESTS_SCANNER_REQUESTED_H
#define TESTS_SCANNER_REQUESTED_H

#include "tests/test.h"

#include <string.h>

#include "scanner/request.h"

static const char mail[] = "Subject: x\r\n\r\nthe virus\r\n";
static const char cleaned[] = "Subject: x\r\n\r\nthe notice\r\n";
static const struct link_peer peer = { .id = "client", .len = 6 };

static inline struct request *arriving(uint64_t size)
{
	struct wire_request wanted = { .size = size, .quarantine_id = "Q-1" };
	struct request *request = NULL;
	struct err err = { 0 };

	if (request_new(&peer, 1, &wanted, "/tmp", &request, &err) < 0)
		fail_msg("%s", err.text);
	return request;
}

static inline struct request *waiting(void)
{
	struct request *request = arriving(strlen(mail));
	struct err err = { 0 };

	if (request_add(request, 0, span_str(mail), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(request->stage, REQUEST_WAITING);
	return request;
}

static inline struct request *working(void)
{
	struct request *request = waiting();

	request_begin(request, 1);
	return request;
}

/* What a worker says that found the virus in mail and takes it out. */
static inline struct verdict infected(void)
{
	struct verdict verdict = { .kind = VERDICT_INFECTED };
	struct finding finding = { .part = "1", .signature = "Virus" };

	assert_int_equal(verdict_add_finding(&verdict, &finding, NULL), 0);
	assert_int_equal(edits_add(&verdict.edits, 18, 5, span_str("notice"), NULL), 0);
	assert_int_equal(hash_span(span_str(cleaned), &verdict.cleaned, NULL), 0);
	return verdict;
}

static inline void believe(struct request *request, struct verdict verdict)
{
	struct err err = { 0 };

	if (request_answer(request, &verdict, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(verdict.findings);
}

static inline void answer(
	struct request *request, enum verdict_kind kind, enum verdict_reason reason)
{
	believe(request, (struct verdict){ .kind = kind, .reason = reason });
}

static inline void assert_done(
	const struct request *request, enum verdict_kind kind, enum verdict_reason reason)
{
	assert_int_equal(request->stage, REQUEST_DONE);
	assert_string_equal(verdict_name(request->verdict.kind), verdict_name(kind));
	assert_string_equal(verdict_reason_name(request->verdict.reason),
		verdict_reason_name(reason));
	assert_true(hash_equal(&request->verdict.message, &request->hash));
}

#endif
