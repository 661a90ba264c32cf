/* SPDX-License-Identifier: ISC */
#include "scanner/request.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

int request_new(const struct link_peer *peer, uint64_t id, struct wire_request *wanted,
	const char *dir, struct request **request_r, struct err *err)
{
	struct request *request;

	if (strlen(wanted->quarantine_id) > JOB_ID_MAX)
		return err_set(
			err, ERR_MESSAGE, "a quarantine id over %d bytes", JOB_ID_MAX);
	request = calloc(1, sizeof(*request));
	if (!request)
		return err_memory(err);
	if (hasher_init(&request->hasher, err) < 0) {
		free(request);
		return -1;
	}
	request->peer = *peer;
	request->id = id;
	request->size = wanted->size;
	request->allow = wanted->allow;
	wanted->allow = (struct allow){ 0 };
	(void)snprintf(request->quarantine_id, sizeof(request->quarantine_id), "%.*s",
		JOB_ID_MAX, wanted->quarantine_id);
	body_init(&request->body, dir, wanted->size);
	body_init(&request->cleaned, dir, wanted->size + EDITS_BYTES_MAX);
	*request_r = request;
	return 0;
}

void request_free(struct request *request)
{
	if (!request)
		return;
	body_done(&request->body);
	body_done(&request->cleaned);
	hasher_done(&request->hasher);
	allow_done(&request->allow);
	verdict_done(&request->verdict);
	free(request);
}

int request_add(
	struct request *request, uint64_t offset, struct span bytes, struct err *err)
{
	assert(request->stage == REQUEST_ARRIVING);
	if (offset != request->body.size)
		return err_set(err, ERR_MESSAGE,
			"bytes from %" PRIu64 " where %" PRIu64 " come next", offset,
			request->body.size);
	if (bytes.len > request->size - offset)
		return err_set(err, ERR_MESSAGE,
			"more bytes than the %" PRIu64 " announced", request->size);
	if (offset > 0 && bytes.len == 0)
		return err_set(err, ERR_MESSAGE, "a chunk without bytes");
	if (offset > 0 &&
		(offset >= request->credit || bytes.len > request->credit - offset))
		return err_set(err, ERR_MESSAGE, "more bytes than there was credit for");
	if (body_add(&request->body, bytes, err) < 0 ||
		hasher_add(&request->hasher, bytes, err) < 0)
		return -1;
	if (request->body.size == request->size) {
		hasher_result(&request->hasher, &request->hash);
		request->arrived = clock_ms();
		request->stage = REQUEST_WAITING;
	}
	return 0;
}

bool request_extend(struct request *request)
{
	uint64_t credit = request->body.size + REQUEST_CREDIT;

	if (request->stage != REQUEST_ARRIVING ||
		(request->credit > 0 &&
			request->credit - request->body.size > REQUEST_CREDIT / 2))
		return false;
	if (credit > request->size)
		credit = request->size;
	if (credit == request->credit)
		return false;
	request->credit = credit;
	return true;
}

bool request_is_suspect(const struct request *request)
{
	return request->tries > 0 || request->shortages > 0 || request->kills > 0;
}

bool request_is_alone(const struct request *request)
{
	return request->shortages > 0 || request->shorts > 0 ||
	       request->kills >= REQUEST_KILLS_ALONE;
}

/* The cleaned message did not stand, or has no one to vouch for it. */
static void forget_cleaned(struct request *request)
{
	const char *dir = request->cleaned.dir;
	uint64_t max = request->cleaned.max;

	body_done(&request->cleaned);
	body_init(&request->cleaned, dir, max);
	verdict_done(&request->verdict);
	request->verdict = (struct verdict){ 0 };
	request->verifying = false;
}

void request_begin(struct request *request, uint64_t generation)
{
	assert(request->stage == REQUEST_WAITING);
	if (request->generation != generation) {
		forget_cleaned(request);
		request->is_tough = false;
		request->level = 0;
	}
	request->began = clock_ms();
	if (request->started == 0)
		request->started = request->began;
	request->generation = generation;
	request->stage = REQUEST_WORKING;
}

int request_bytes(struct request *request, struct span *bytes_r, struct err *err)
{
	return body_span(
		request->verifying ? &request->cleaned : &request->body, bytes_r, err);
}

/* The verdict stands; what only we know of it is added. */
static void done(struct request *request)
{
	struct verdict *verdict = &request->verdict;
	int64_t now = clock_ms();
	int64_t took = request->started > 0 ? now - request->started : 0;

	request->took_ms = now - request->arrived;
	verdict->message = request->hash;
	verdict->generation = request->generation;
	verdict->milliseconds = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	request->stage = REQUEST_DONE;
}

static void done_without(struct request *request, enum verdict_kind kind,
	enum verdict_reason reason, const char *detail)
{
	forget_cleaned(request);
	request->verdict.kind = kind;
	request->verdict.reason = reason;
	(void)snprintf(
		request->verdict.detail, sizeof(request->verdict.detail), "%s", detail);
	done(request);
}

void request_hold(struct request *request, const char *why)
{
	done_without(request, VERDICT_RETRY, REASON_NONE, why);
}

void request_give_up(struct request *request, const char *why)
{
	done_without(request, VERDICT_UNSCANNABLE, REASON_LIMIT, why);
}

void request_known_clean(struct request *request, uint64_t generation)
{
	assert(request->stage == REQUEST_WAITING);
	request->generation = generation;
	done_without(request, VERDICT_CLEAN, REASON_NONE, "");
}

bool request_is_plainly_clean(const struct request *request, uint64_t generation)
{
	const struct verdict *verdict = &request->verdict;

	return request->stage == REQUEST_DONE && request->generation == generation &&
	       verdict->kind == VERDICT_CLEAN && verdict->reason == REASON_NONE &&
	       verdict->detail[0] == '\0' && verdict->finding_count == 0;
}

/* What its worker did until now is done. */
static void count_work(struct request *request)
{
	int64_t now = clock_ms();

	request->work_ms += now - request->began;
	request->began = now;
}

void request_worker_died(struct request *request, enum request_death death)
{
	assert(request->stage == REQUEST_WORKING);
	count_work(request);
	request->shortages += death == DEATH_MEMORY;
	request->kills += death == DEATH_KILLED;
	request->tries += death == DEATH_CRASH || death == DEATH_TIMEOUT;
	if (request->shortages >= REQUEST_SHORTAGES_MAX)
		done_without(request, VERDICT_UNSCANNABLE, REASON_CRASH,
			"the system ran out of memory each time it scanned this message");
	else if (request->kills >= REQUEST_KILLS_MAX)
		done_without(request, VERDICT_UNSCANNABLE, REASON_CRASH,
			"the scanner was killed each time it scanned this message");
	else if (request->tries < REQUEST_TRIES_MAX)
		request->stage = REQUEST_WAITING;
	else if (death == DEATH_TIMEOUT)
		done_without(request, VERDICT_UNSCANNABLE, REASON_TIMEOUT,
			"the scan did not end in its time");
	else
		done_without(
			request, VERDICT_UNSCANNABLE, REASON_CRASH, "the scan crashed");
}

/* In company it may have been the others' doing; whose it is when it is alone the caller knows. */
static void ran_short(struct request *request, const struct verdict *verdict)
{
	forget_cleaned(request);
	request->shorts++;
	memcpy(request->short_of, verdict->detail, sizeof(request->short_of));
	request->stage = REQUEST_WAITING;
}

/* The scan of the original says infected: cut, and have another worker look at the rest. */
static int clean(struct request *request, struct verdict *verdict, struct err *err)
{
	struct body cleaned;
	struct span original, bytes;
	struct hash hash;
	int result;

	if (verdict->finding_count == 0)
		return err_set(err, ERR_MESSAGE, "infected, but nothing found");
	body_init(&cleaned, request->cleaned.dir, request->cleaned.max);
	result = edits_check(&verdict->edits, request->size, err);
	if (result == 0)
		result = body_span(&request->body, &original, err);
	if (result == 0)
		result = edits_apply(&verdict->edits, original, &cleaned, err);
	if (result == 0)
		result = body_span(&cleaned, &bytes, err);
	if (result == 0)
		result = hash_span(bytes, &hash, err);
	if (result == 0 && !hash_equal(&hash, &verdict->cleaned))
		result = err_set(
			err, ERR_MESSAGE, "the edits do not give what was promised");
	if (result < 0) {
		body_done(&cleaned);
		return -1;
	}
	forget_cleaned(request);
	body_move(&request->cleaned, &cleaned);
	request->verdict = *verdict;
	*verdict = (struct verdict){ 0 };
	request->verifying = true;
	request->stage = REQUEST_WAITING;
	return 0;
}

/* What was left after cutting is not clean: cut more, in the end the whole body. */
static void cut_more(struct request *request)
{
	if (request->level == JOB_LEVEL_ALL) {
		done_without(request, VERDICT_UNSCANNABLE, REASON_ERROR,
			"infected, and not clean even without its whole body");
		return;
	}
	forget_cleaned(request);
	if (request->is_tough)
		request->level = request->level == 0 ? 1 : JOB_LEVEL_ALL;
	request->is_tough = true;
	request->stage = REQUEST_WAITING;
}

/* Another worker's word on the cleaned message. What stood beside the infection and was not cut
 * (an encrypted archive) may remain, if the verdict says so. */
static void verified(struct request *request, const struct verdict *verdict)
{
	bool remains = verdict->kind == VERDICT_UNSCANNABLE &&
		       verdict->reason != REASON_NONE &&
		       verdict->reason == request->verdict.reason;

	if (verdict->kind != VERDICT_CLEAN && !remains) {
		cut_more(request);
		return;
	}
	request->verdict.reason = verdict->reason;
	memcpy(request->verdict.detail, verdict->detail, sizeof(verdict->detail));
	done(request);
}

int request_answer(struct request *request, struct verdict *verdict, struct err *err)
{
	struct err failure = { 0 };

	assert(request->stage == REQUEST_WORKING);
	count_work(request);
	if (verdict->kind == VERDICT_RETRY && verdict->reason == REASON_LIMIT) {
		ran_short(request, verdict);
	} else if (verdict->kind == VERDICT_RETRY) {
		request_hold(request, verdict->detail);
	} else if (request->verifying) {
		verified(request, verdict);
	} else if (verdict->kind != VERDICT_INFECTED) {
		/* A worker that was sent back to cut more must find again what it found. */
		if (request->is_tough && verdict->kind == VERDICT_CLEAN)
			return err_set(err, ERR_MESSAGE, "infected before, and now not");
		done_without(request, verdict->kind, verdict->reason, verdict->detail);
	} else if (clean(request, verdict, &failure) < 0) {
		if (failure.kind == ERR_MESSAGE)
			return err_set(err, ERR_MESSAGE, "%s", failure.text);
		request_hold(request, failure.text);
	}
	verdict_done(verdict);
	*verdict = (struct verdict){ 0 };
	return 0;
}

uint64_t request_weight(const struct request *request)
{
	return request->size + request->cleaned.size;
}
