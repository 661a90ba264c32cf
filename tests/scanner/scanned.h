/* SPDX-License-Identifier: ISC
 *
 * Mails as a worker scans them, and what it cuts out of them. */
#ifndef TESTS_SCANNER_SCANNED_H
#define TESTS_SCANNER_SCANNED_H

#include "tests/scanner/engined.h"

#include "common/mime.h"

#include "scanner/worker.h"

#define EICAR_PART                                                                       \
	"--b\r\nContent-Type: application/octet-stream; name=\"e.com\"\r\n"              \
	"Content-Disposition: attachment; filename=\"e.com\"\r\n"                        \
	"Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n"
#define END "--b--\r\n"

static inline void scan(struct span message, uint32_t level, struct verdict *verdict)
{
	*verdict = (struct verdict){ 0 };
	if (worker_clean(f.engine, message, level, "q-17", verdict, &f.err) < 0)
		fail_msg("%s", f.err.text);
}

static inline void assert_verdict(
	const struct verdict *verdict, enum verdict_kind kind, enum verdict_reason reason)
{
	if (verdict->kind != kind || verdict->reason != reason)
		fail_msg("%s %s: %s", verdict_name(verdict->kind),
			verdict_reason_name(verdict->reason), verdict->detail);
}

/* What the edits make of the message is what the verdict says, is clean but for what remains, keeps
 * every other byte, and is not changed again. */
static inline void check_cleaned(struct span message, const struct verdict *verdict,
	struct body *body, struct span *cleaned_r)
{
	__attribute__((cleanup(verdict_done))) struct verdict again = { 0 };
	uint64_t from = 0, at = 0;
	struct hash hash;

	body_init(body, f.temp, FIXTURE_MAX);
	assert_int_equal(edits_check(&verdict->edits, message.len, NULL), 0);
	assert_int_equal(edits_apply(&verdict->edits, message, body, NULL), 0);
	assert_int_equal(body_span(body, cleaned_r, NULL), 0);
	assert_int_equal(hash_span(*cleaned_r, &hash, NULL), 0);
	assert_true(hash_equal(&hash, &verdict->cleaned));
	for (size_t i = 0; i < verdict->edits.count; i++) {
		const struct edit *edit = &verdict->edits.list[i];

		assert_memory_equal(cleaned_r->data + at, message.data + from,
			(size_t)(edit->offset - from));
		at += edit->offset - from + edit->text.len;
		from = edit->offset + edit->length;
	}
	assert_int_equal(message.len - from, cleaned_r->len - at);
	scan(*cleaned_r, 0, &again);
	assert_verdict(&again,
		verdict->reason == REASON_NONE ? VERDICT_CLEAN : VERDICT_UNSCANNABLE,
		verdict->reason);
	assert_int_equal(again.edits.count, 0);
}

#endif
