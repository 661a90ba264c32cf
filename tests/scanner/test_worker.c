/* SPDX-License-Identifier: ISC
 *
 * A worker in a process of its own. */
#include "tests/scanner/scanned.h"

#include <sys/wait.h>

#include "common/wire.h"

/* As the engine host forks it. */
static pid_t fork_worker(int *fd_r, const char *temp)
{
	int fds[2];
	pid_t child;

	assert_int_equal(job_socketpair(fds, NULL), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(fds[0]);
		worker_main(f.engine, &f.settings, fds[1], temp);
	}
	(void)close(fds[1]);
	*fd_r = fds[0];
	return child;
}

static void ask(int fd, enum job_type type, const char *message, struct verdict *verdict)
{
	struct span spans[2] = { { 0 }, span_str(message) };
	const struct allow nothing = { 0 };
	auto_buf struct buf start, reply;
	struct job_head head;

	buf_init(&start, 100);
	buf_init(&reply, JOB_REPLY_MAX);
	assert_int_equal(job_scan_start("q-18", &nothing, &start, NULL), 0);
	spans[0] = buf_span(&start);
	assert_int_equal(job_send(fd, type, 0, spans, 2, NULL), 0);
	assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
	assert_int_equal(head.type, JOB_VERDICT);
	assert_int_equal(wire_decode_verdict(buf_span(&reply), verdict, NULL), 0);
}

static void a_worker_serves_jobs_until_its_socket_closes(void **state)
{
	int fd, status;
	pid_t child = fork_worker(&fd, f.temp);
	struct job_head head;
	auto_buf struct buf reply;

	(void)state;
	buf_init(&reply, JOB_REPLY_MAX);
	assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
	assert_int_equal(head.type, JOB_READY);
	for (int i = 0; i < 3; i++) {
		__attribute__((cleanup(verdict_done))) struct verdict bad = { 0 };
		__attribute__((cleanup(verdict_done))) struct verdict good = { 0 };

		ask(fd, JOB_SCAN, MIXED TEXT_PART EICAR_PART END, &bad);
		assert_verdict(&bad, VERDICT_INFECTED, REASON_NONE);
		assert_int_equal(bad.edits.count, 2);
		assert_true(span_find(buf_span(&bad.edits.list[0].text),
				    span_str("X-Quarantine-ID: q-18")) > 0);
		ask(fd, JOB_VERIFY, MIXED TEXT_PART END, &good);
		assert_verdict(&good, VERDICT_CLEAN, REASON_NONE);
	}
	(void)close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_worker_that_does_not_find_the_probe_does_not_serve(void **state)
{
	int fd, status;
	pid_t child = fork_worker(&fd, "/nowhere/at/all");
	struct job_head head;
	auto_buf struct buf reply;

	(void)state;
	buf_init(&reply, JOB_REPLY_MAX);
	assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
	assert_int_equal(head.type, JOB_FAILED);
	assert_true(span_find(buf_span(&reply), span_str("/nowhere/at/all")) > 0);
	(void)close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

static void a_worker_dies_of_a_job_it_does_not_know(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t length;
	} heads[] = { { HOST_FORK, 0 }, { JOB_SCAN, UINT64_MAX } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct job_head head = { .type = heads[i].type,
			.length = heads[i].length };
		int fd, status;
		pid_t child = fork_worker(&fd, f.temp);
		auto_buf struct buf reply;

		buf_init(&reply, JOB_REPLY_MAX);
		assert_int_equal(write(fd, &head, sizeof(head)), sizeof(head));
		assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
		assert_int_equal(job_receive(fd, &head, &reply, NULL), 1);
		assert_int_equal(head.type, JOB_FAILED);
		assert_int_equal(job_receive(fd, &head, &reply, NULL), 0);
		(void)close(fd);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(a_worker_serves_jobs_until_its_socket_closes),
		WITH_ENGINE(a_worker_that_does_not_find_the_probe_does_not_serve),
		WITH_ENGINE(a_worker_dies_of_a_job_it_does_not_know),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
