/* SPDX-License-Identifier: ISC */
#include "scanner/worker.h"

#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/wire.h"

#include "scanner/clean.h"
#include "scanner/examine.h"
#include "scanner/place.h"
#include "scanner/sandbox.h"

enum {
	ROUNDS_MAX = 4,         /* cuts tried before the whole body goes */
	KEEP_MAX = 1024 * 1024, /* bytes of a job's buffer kept for the next */
	WHY_MAX = 90,
	HEAP_KEEP = 64 * 1024 * 1024, /* bytes of heap kept between scans ... */
	REST_KEEP = 2 * 1024 * 1024,  /* ... and when there has been none for so long: */
	REST_MS = 300,
};

/* A message on its way to a clean one. */
struct cleaning {
	struct engine *engine;
	struct span message;
	const struct mime *mime;
	const char *quarantine_id;
	uint32_t level;
	bool is_blind; /* what is left is for another worker to see */
	struct verdict *verdict;
};

static bool is_known(const struct verdict *verdict, const char *part)
{
	for (size_t i = 0; i < verdict->finding_count; i++)
		if (strcmp(verdict->findings[i].part, part) == 0)
			return true;
	return false;
}

/* A find that the first scan did not tell from another, in a part that is still the same part:
 * cut that too, instead of more around what was cut. Paths stay what they were, because a cut
 * leaves one part where one part was. */
static int adopt(struct cleaning *cleaning, const struct verdict *after, bool *any_r,
	struct err *err)
{
	struct verdict *verdict = cleaning->verdict;

	*any_r = false;
	for (size_t i = 0; i < after->finding_count; i++) {
		const struct finding *finding = &after->findings[i];

		size_t place = place_find(cleaning->mime, finding->part);

		if (place == PLACE_ROOT || !place_is_leaf(cleaning->mime, place) ||
			is_known(verdict, finding->part) ||
			verdict->finding_count == FINDINGS_MAX)
			continue;
		if (verdict_add_finding(verdict, finding, err) < 0)
			return -1;
		*any_r = true;
	}
	return 0;
}

static void give_up(struct verdict *verdict, const char *why)
{
	edits_done(&verdict->edits);
	verdict->kind = VERDICT_UNSCANNABLE;
	verdict->reason = REASON_ERROR;
	(void)snprintf(verdict->detail, sizeof(verdict->detail),
		"%s was found and cannot be taken out: %.*s",
		verdict->findings[0].signature, WHY_MAX, why);
}

/* Look at what the edits made of it. 1: done, the verdict says how; 0: cut more; -1. */
static int look_again(struct cleaning *cleaning, struct span bytes, struct err *err)
{
	__attribute__((cleanup(verdict_done))) struct verdict after = { 0 };
	auto_mime struct mime *mime = NULL;
	struct verdict *verdict = cleaning->verdict;
	bool any;

	if (examine(cleaning->engine, bytes, &mime, &after, err) < 0)
		return -1;
	if (after.kind == VERDICT_INFECTED) {
		if (adopt(cleaning, &after, &any, err) < 0)
			return -1;
		if (!any)
			cleaning->level++;
		return 0;
	}
	if (after.kind == VERDICT_RETRY) {
		edits_done(&verdict->edits);
		verdict->kind = VERDICT_RETRY;
	}
	verdict->reason = after.reason;
	memcpy(verdict->detail, after.detail, sizeof(verdict->detail));
	return 1;
}

/* As look_again. */
static int cut(struct cleaning *cleaning, struct err *err)
{
	struct verdict *verdict = cleaning->verdict;
	struct span bytes;
	auto_body struct body body;
	const struct clean_order order = { verdict->findings, verdict->finding_count,
		cleaning->level, cleaning->quarantine_id };

	body_init(&body, engine_temp(cleaning->engine),
		cleaning->message.len + EDITS_BYTES_MAX);
	edits_done(&verdict->edits);
	if (clean_plan(cleaning->message, cleaning->mime, &order, &verdict->edits, err) <
			0 ||
		edits_apply(&verdict->edits, cleaning->message, &body, err) < 0 ||
		body_span(&body, &bytes, err) < 0 ||
		hash_span(bytes, &verdict->cleaned, err) < 0)
		return -1;
	return cleaning->is_blind ? 1 : look_again(cleaning, bytes, err);
}

static int clean(struct cleaning *cleaning, struct err *err)
{
	for (int round = 0;; round++) {
		bool last = round == ROUNDS_MAX || cleaning->level >= JOB_LEVEL_ALL;
		struct err failure = { 0 };
		int done;

		if (last)
			cleaning->level = JOB_LEVEL_ALL;
		done = cut(cleaning, &failure);
		if (done > 0)
			return 0;
		if (done < 0 && failure.kind != ERR_MESSAGE)
			return err_set(err, failure.kind, "%s", failure.text);
		if (last) {
			give_up(cleaning->verdict,
				done < 0 ? failure.text
					 : "it is still found without the body");
			return 0;
		}
		/* Too many cuts, for one: the whole body is one cut. */
		if (done < 0)
			cleaning->level = JOB_LEVEL_ALL;
	}
}

/* Of which bytes it speaks the parent knows. */
static int look(struct engine *engine, struct span message, struct mime **mime_r,
	struct verdict *verdict_r, struct err *err)
{
	engine_begin(engine);
	return examine(engine, message, mime_r, verdict_r, err);
}

/* how: all but what the first look says. */
static int scan_and_clean(
	const struct cleaning *how, struct verdict *verdict_r, struct err *err)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_mime struct mime *mime = NULL;
	struct cleaning cleaning = *how;

	if (look(cleaning.engine, cleaning.message, &mime, &verdict, err) < 0)
		return -1;
	cleaning.mime = mime;
	cleaning.verdict = &verdict;
	if (verdict.kind == VERDICT_INFECTED && clean(&cleaning, err) < 0)
		return -1;
	*verdict_r = verdict;
	verdict = (struct verdict){ 0 };
	return 0;
}

int worker_scan(struct engine *engine, struct span message, const char *quarantine_id,
	struct verdict *verdict_r, struct err *err)
{
	const struct cleaning how = { .engine = engine,
		.message = message,
		.quarantine_id = quarantine_id,
		.is_blind = true };

	return scan_and_clean(&how, verdict_r, err);
}

int worker_clean(struct engine *engine, struct span message, uint32_t level,
	const char *quarantine_id, struct verdict *verdict_r, struct err *err)
{
	const struct cleaning how = { .engine = engine,
		.message = message,
		.quarantine_id = quarantine_id,
		.level = level };

	return scan_and_clean(&how, verdict_r, err);
}

int worker_verify(struct engine *engine, struct span message, struct verdict *verdict_r,
	struct err *err)
{
	auto_mime struct mime *mime = NULL;

	return look(engine, message, &mime, verdict_r, err);
}

/* A scan takes and returns its heap in full: kept, the kernel need not clear thousands of pages for
 * the next (measured with 250,000 signatures: 24 page faults a scan, not 5,700; a fifth of the
 * processor time of a small mail). */
void worker_tune_heap(void)
{
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEEP);
	(void)mallopt(M_TOP_PAD, HEAP_KEEP / 8);
}

/* What cannot scan now says so of each mail, too (ERR_AGAIN); the rest might call one clean. */
static _Noreturn void fail_worker(int fd, const struct err *err)
{
	struct span text = span_part(span_str(err->text), 0, JOB_TEXT_MAX - 1);

	(void)job_send(fd, JOB_FAILED, err->kind != ERR_AGAIN, &text, 1, NULL);
	_exit(EX_SOFTWARE);
}

static int do_job(struct engine *engine, const struct job_head *head, struct span payload,
	struct verdict *verdict_r, struct err *err)
{
	DEFER(job_scan_done) struct job_scan job = { 0 };
	int done;

	if (job_scan_parse(payload, &job, err) < 0)
		return -1;
	engine_allow(engine, &job.allow);
	if (head->type == JOB_VERIFY)
		done = worker_verify(engine, job.message, verdict_r, err);
	else if (head->type == JOB_CLEAN)
		done = worker_clean(engine, job.message, head->level, job.quarantine_id,
			verdict_r, err);
	else
		done = worker_scan(
			engine, job.message, job.quarantine_id, verdict_r, err);
	/* The next client may say otherwise. */
	engine_allow(engine, NULL);
	return done;
}

/* What fails here is not the mail's fault. */
static void set_retry(struct verdict *verdict, const struct err *failure)
{
	*verdict = (struct verdict){ .kind = VERDICT_RETRY,
		.reason = failure->kind == ERR_AGAIN ? REASON_LIMIT : REASON_NONE };
	(void)snprintf(verdict->detail, sizeof(verdict->detail), "%.*s",
		VERDICT_DETAIL_MAX - 1, failure->text);
}

/* Its self-test, once it serves. */
static int prove(struct engine *engine, struct err *err)
{
	return sandbox_confirm(err) < 0 ? -1 : engine_probe(engine, err);
}

static int serve_one(struct engine *engine, int fd, const struct job_head *head,
	struct span payload, struct err *err)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	int64_t start = clock_ms();
	struct err failure = { 0 };
	auto_buf struct buf reply;
	struct span bytes;

	buf_init(&reply, JOB_REPLY_MAX);
	if (head->type == JOB_PROBE)
		return prove(engine, err) < 0 ? -1
					      : job_send(fd, JOB_READY, 0, NULL, 0, err);
	if (head->type != JOB_SCAN && head->type != JOB_CLEAN && head->type != JOB_VERIFY)
		return err_set(
			err, ERR_FATAL, "a worker got a message of type %u", head->type);
	if (do_job(engine, head, payload, &verdict, &failure) < 0)
		set_retry(&verdict, &failure);
	verdict.milliseconds = (uint32_t)(clock_ms() - start);
	if (wire_encode_verdict(&verdict, &reply, err) < 0)
		return -1;
	bytes = buf_span(&reply);
	return job_send(fd, JOB_VERDICT, 0, &bytes, 1, err);
}

/* With the official signatures a scan has some 20 MB; no worker needs to keep them overnight. */
static void rest(int fd)
{
	struct pollfd job = { .fd = fd, .events = POLLIN };

	if (poll(&job, 1, REST_MS) == 0)
		(void)malloc_trim(REST_KEEP);
}

static void serve(
	struct engine *engine, const struct settings *settings, int fd, struct err *err)
{
	auto_buf struct buf payload;
	struct job_head head;
	int got;

	buf_init(&payload, settings->message_max + EDITS_BYTES_MAX + JOB_START_MAX);
	while ((got = job_receive(fd, &head, &payload, err)) > 0) {
		if (sandbox_begin_job(settings, err) < 0 ||
			serve_one(engine, fd, &head, buf_span(&payload), err) < 0)
			fail_worker(fd, err);
		if (payload.size > KEEP_MAX)
			buf_done(&payload);
		rest(fd);
	}
	if (got < 0)
		fail_worker(fd, err);
}

_Noreturn void worker_main(struct engine *engine, const struct settings *settings, int fd,
	const char *temp_dir)
{
	struct err err = { 0 };

	worker_tune_heap();
	if (engine_use_temp(engine, temp_dir, &err) < 0 ||
		engine_probe_start(engine, &err) < 0 ||
		sandbox_begin_job(settings, &err) < 0 ||
		job_send(fd, JOB_READY, 0, NULL, 0, &err) < 0)
		fail_worker(fd, &err);
	serve(engine, settings, fd, &err);
	/* Without the clean-up that would free hundreds of megabytes of shared signatures. */
	_exit(EX_OK);
}
