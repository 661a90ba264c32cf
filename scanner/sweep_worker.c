/* SPDX-License-Identifier: ISC */
#include "scanner/sweep_worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "scanner/dissect.h"
#include "scanner/sandbox.h"
#include "scanner/worker.h"

enum {
	READ_MAX = 1024 * 1024 /* bytes at once */
};

/* -1: more than max bytes, or it cannot be read. */
static int read_all(int file, struct buf *bytes, struct err *err)
{
	uint8_t *room;
	ssize_t got;

	do {
		size_t want = bytes->max - bytes->len;

		if (want > READ_MAX)
			want = READ_MAX;
		if (want == 0)
			return err_set(err, ERR_MESSAGE, "larger than sweep-file-max");
		if (buf_reserve(bytes, want, &room, err) < 0)
			return -1;
		got = pread(file, room, want, (off_t)bytes->len);
		if (got < 0 && errno != EINTR)
			return err_errno(err, ERR_ACCOUNT, "it cannot be read");
		bytes->len += got > 0 ? (size_t)got : 0;
	} while (got != 0);
	return 0;
}

static void take_result(const struct result *result, struct sweep_answer *answer)
{
	answer->kind = (uint32_t)result->kind;
	answer->reason = (uint32_t)result->reason;
	(void)snprintf(answer->signature, sizeof(answer->signature), "%s",
		result->kind == VERDICT_INFECTED ? result->signature : "");
	(void)snprintf(answer->where, sizeof(answer->where), "%s", result->where);
	(void)snprintf(answer->detail, sizeof(answer->detail), "%s", result->detail);
}

static int scan_file(struct engine *engine, struct span bytes,
	struct sweep_answer *answer, struct err *err)
{
	auto_dissection struct dissection *dissection = NULL;
	struct result result;

	engine_begin(engine);
	if (dissection_new(engine, &dissection, err) < 0)
		return -1;
	dissect(dissection, bytes, &result);
	take_result(&result, answer);
	return 0;
}

static int scan_mail(struct engine *engine, struct span bytes,
	struct sweep_answer *answer, struct err *err)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

	if (worker_verify(engine, bytes, &verdict, err) < 0)
		return -1;
	answer->kind = (uint32_t)verdict.kind;
	answer->reason = (uint32_t)verdict.reason;
	(void)snprintf(answer->detail, sizeof(answer->detail), "%s", verdict.detail);
	if (verdict.kind != VERDICT_INFECTED || verdict.finding_count == 0)
		return 0;
	(void)snprintf(answer->signature, sizeof(answer->signature), "%s",
		verdict.findings[0].signature);
	(void)snprintf(answer->where, sizeof(answer->where), "%s%.60s%s%.180s",
		verdict.findings[0].part[0] ? "part " : "", verdict.findings[0].part,
		verdict.findings[0].part[0] && verdict.findings[0].name[0] ? ": " : "",
		verdict.findings[0].name);
	return 0;
}

static int64_t processor_ms(void)
{
	struct rusage used = { 0 };

	(void)getrusage(RUSAGE_SELF, &used);
	return (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
	       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

void sweep_worker_scan(struct engine *engine, const struct settings *settings, int file,
	bool is_mail, struct sweep_answer *answer_r)
{
	struct sweep_answer answer = { .kind = VERDICT_CLEAN };
	auto_buf struct buf bytes;
	struct err err = { 0 };
	int64_t from = processor_ms();
	int done = 0;

	buf_init(&bytes, settings->sweep_file_max + 1);
	if (read_all(file, &bytes, &err) < 0) {
		/* Short memory is not the file's fault. */
		answer.kind = err.kind == ERR_FATAL ? VERDICT_RETRY : VERDICT_UNSCANNABLE;
		answer.reason = err.kind == ERR_MESSAGE ? REASON_LIMIT : REASON_ERROR;
		(void)snprintf(answer.detail, sizeof(answer.detail), "%.200s", err.text);
	} else if (bytes.len > 0) {
		done = is_mail ? scan_mail(engine, buf_span(&bytes), &answer, &err)
			       : scan_file(engine, buf_span(&bytes), &answer, &err);
	}
	/* At this priority the wall clock may be everybody else's. */
	if (answer.kind == VERDICT_UNSCANNABLE && answer.reason == REASON_TIMEOUT &&
		processor_ms() - from < settings->scan_timeout_ms / 2)
		done = err_set(
			&err, ERR_AGAIN, "the processor is busy with other things");
	if (done < 0) {
		answer.kind = VERDICT_RETRY;
		answer.reason = REASON_NONE;
		(void)snprintf(answer.detail, sizeof(answer.detail), "%.200s", err.text);
	}
	answer.size = bytes.len;
	if (answer.kind == VERDICT_INFECTED)
		(void)hash_span(buf_span(&bytes), &answer.hash, &err);
	*answer_r = answer;
}

static _Noreturn void fail(int fd, const struct err *err)
{
	struct span text = span_part(span_str(err->text), 0, JOB_TEXT_MAX - 1);

	(void)job_send(fd, JOB_FAILED, 0, &text, 1, NULL);
	_exit(EX_SOFTWARE);
}

static void serve_one(
	struct engine *engine, const struct settings *settings, int fd, struct job_in *in)
{
	auto_close int file = take_fd(&in->fd);
	struct sweep_answer answer;
	struct span payload = { (const uint8_t *)&answer, sizeof(answer) };
	struct err err = { 0 };

	if (in->head.type != SWEEP_FILE || file < 0)
		_exit(EX_SOFTWARE);
	if (sandbox_begin_job(settings, &err) < 0)
		fail(fd, &err);
	sweep_worker_scan(engine, settings, file, in->head.level == 1, &answer);
	if (job_send(fd, SWEEP_ANSWER, 0, &payload, 1, &err) < 0)
		_exit(EX_OK);
}

_Noreturn void sweep_worker_main(struct engine *engine, const struct settings *settings,
	int fd, const char *temp_dir)
{
	struct pollfd job = { .fd = fd, .events = POLLIN };
	struct err err = { 0 };
	struct job_in in;
	int got;

	worker_tune_heap();
	job_in_init(&in, 1, true);
	if (engine_use_temp(engine, temp_dir, &err) < 0 ||
		engine_probe_start(engine, &err) < 0 ||
		job_send(fd, JOB_READY, 0, NULL, 0, &err) < 0)
		fail(fd, &err);
	do {
		(void)poll(&job, 1, -1);
		while ((got = job_in_step(&in, fd, &err)) > 0)
			serve_one(engine, settings, fd, &in);
	} while (got == 0);
	_exit(EX_OK);
}
