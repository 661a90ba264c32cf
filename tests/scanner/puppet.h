/* SPDX-License-Identifier: ISC
 *
 * One worker as the parent sees it, with the test at the other end of its socket, and of that of
 * its engine host, whose orders it reads. */
#ifndef TESTS_SCANNER_PUPPET_H
#define TESTS_SCANNER_PUPPET_H

#include "tests/test.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"

#include "scanner/crew.h"
#include "scanner/memory.h"

enum {
	PID = 4711 /* of a worker; only ever told to the engine host */
};

#define KILLED_BY(number) (number) /* as waitpid(2) gives it */

#define MAIL "Subject: x\r\n\r\nx\r\n"

struct fixture {
	struct settings settings;
	struct host host;
	int host_end;   /* of the control socket */
	int worker_end; /* of the worker's socket */
	struct worker *worker;
	struct request *request;
};

static struct fixture f;

/* A worker that joins, as the engine host reports it. */
static inline void join(void)
{
	struct job_worker forked = { .pid = PID };
	struct err err = { 0 };
	int fds[2];

	assert_int_equal(job_socketpair(fds, &err), 0);
	buf_clear(&f.host.in.payload);
	assert_int_equal(buf_add(&f.host.in.payload, &forked, sizeof(forked), &err), 0);
	f.host.in.fd = fds[0];
	f.worker_end = fds[1];
	f.host.forks = 1;
	crew_joined(&f.host);
	f.worker = pool_find(&f.host.pool, PID);
	assert_non_null(f.worker);
	assert_int_equal(f.host.forks, 0);
}

static inline void from_worker(enum job_type type, struct span payload)
{
	assert_int_equal(job_send(f.worker_end, type, 0, &payload, 1, NULL), 0);
	crew_hear(&f.host, f.worker);
}

static inline void reap(int status)
{
	struct job_worker ended = { .pid = PID, .status = status };

	buf_clear(&f.host.in.payload);
	assert_int_equal(buf_add(&f.host.in.payload, &ended, sizeof(ended), NULL), 0);
	crew_reaped(&f.host);
}

/* The next order to the engine host; 0: none. */
static inline uint32_t order(void)
{
	struct job_head head = { 0 };
	uint8_t payload[sizeof(struct job_worker)];

	if (recv(f.host_end, &head, sizeof(head), MSG_DONTWAIT) != sizeof(head))
		return 0;
	if (head.length > 0)
		assert_int_equal(
			recv(f.host_end, payload, sizeof(payload), 0), head.length);
	return head.type;
}

static inline int set_up(void **state)
{
	struct wire_request wanted = { .size = strlen(MAIL), .quarantine_id = "Q" };
	struct link_peer peer = { .len = 1 };
	static char temp_dir[] = "/tmp";
	struct err err = { 0 };
	int fds[2];

	(void)state;
	f = (struct fixture){
		.settings = { .temp_dir = temp_dir,
			.scan_timeout_ms = 1000,
			.worker_jobs = 3,
			.message_max = 1000 },
		.worker_end = -1,
	};
	f.host = (struct host){
		.state = HOST_SERVING, .settings = &f.settings, .pid = 0, .generation = 1
	};
	(void)memory_ran_out(&f.host.oom_kills);
	if (job_socketpair(fds, &err) < 0 || pool_init(&f.host.pool, 4, &err) < 0)
		return -1;
	f.host.control = fds[0];
	f.host_end = fds[1];
	job_in_init(&f.host.in, JOB_HOST_MAX, true);
	if (request_new(&peer, 1, &wanted, "/tmp", &f.request, &err) < 0)
		return -1;
	return request_add(f.request, 0, span_str(MAIL), &err);
}

static inline int tear_down(void **state)
{
	(void)state;
	crew_lost(&f.host);
	host_done(&f.host);
	request_free(f.request);
	if (f.worker_end >= 0)
		(void)close(f.worker_end);
	(void)close(f.host_end);
	return 0;
}

/* Ready, and with the request in hand. */
static inline void at_work(void)
{
	join();
	from_worker(JOB_READY, (struct span){ 0 });
	assert_int_equal(f.worker->state, WORKER_IDLE);
	assert_true(crew_give(&f.host, f.request));
	assert_int_equal(f.worker->state, WORKER_BUSY);
	assert_false(f.worker->sending); /* it is on its way at once */
	assert_int_equal(crew_busy(&f.host), 1);
}

static inline void say_verdict(enum verdict_kind kind)
{
	struct verdict verdict = { .kind = kind };
	auto_buf struct buf out = { .max = 10000 };

	assert_int_equal(wire_encode_verdict(&verdict, &out, NULL), 0);
	from_worker(JOB_VERDICT, buf_span(&out));
}

#define CREW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
