/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/defer.h"
#include "scanner/job.h"

enum {
	LARGE = 20 * 1024 * 1024
};

struct pair {
	int near; /* of the one under test */
	int far;
};

static int open_pair(void **state)
{
	static struct pair pair;
	struct err err = { 0 };
	int fds[2];

	if (job_socketpair(fds, &err) < 0)
		return -1;
	pair = (struct pair){ fds[0], fds[1] };
	*state = &pair;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *pair = *state;

	if (pair->near >= 0)
		(void)close(pair->near);
	if (pair->far >= 0)
		(void)close(pair->far);
	return 0;
}

static void send_head(int fd, uint32_t type, uint64_t length)
{
	struct job_head head = { .type = type, .length = length };

	assert_int_equal(send(fd, &head, sizeof(head), 0), sizeof(head));
}

static void a_message_arrives_as_it_was_sent(void **state)
{
	struct pair *pair = *state;
	const struct span spans[] = { span_str("one "), { NULL, 0 } };
	const struct span more[] = { span_str("one "), span_str("two") };
	auto_buf struct buf payload = { .max = 100 };
	struct job_head head = { 0 };
	struct err err = { 0 };

	assert_int_equal(job_send(pair->far, JOB_SCAN, 7, more, 2, &err), 0);
	assert_int_equal(job_send(pair->far, JOB_VERIFY, 0, spans, 2, &err), 0);
	assert_int_equal(job_send(pair->far, JOB_READY, 0, NULL, 0, &err), 0);
	assert_int_equal(job_receive(pair->near, &head, &payload, &err), 1);
	assert_int_equal(head.type, JOB_SCAN);
	assert_int_equal(head.level, 7);
	assert_true(span_equal(buf_span(&payload), span_str("one two")));
	assert_int_equal(job_receive(pair->near, &head, &payload, &err), 1);
	assert_int_equal(head.type, JOB_VERIFY);
	assert_true(span_equal(buf_span(&payload), span_str("one ")));
	assert_int_equal(job_receive(pair->near, &head, &payload, &err), 1);
	assert_int_equal(head.type, JOB_READY);
	assert_int_equal(payload.len, 0);
}

static void a_close_between_messages_is_an_end_and_inside_one_an_error(void **state)
{
	struct pair *pair = *state;
	auto_buf struct buf payload = { .max = 100 };
	struct job_head head = { 0 };
	struct err err = { 0 };

	assert_int_equal(job_send(pair->far, JOB_READY, 0, NULL, 0, &err), 0);
	send_head(pair->far, JOB_SCAN, 10);
	assert_int_equal(close(take_fd(&pair->far)), 0);
	assert_int_equal(job_receive(pair->near, &head, &payload, &err), 1);
	assert_int_equal(job_receive(pair->near, &head, &payload, &err), -1);
	assert_int_equal(err.kind, ERR_SESSION);
	assert_int_equal(job_receive(pair->near, &head, &payload, &err), 0);
}

static void a_length_beyond_the_limit_is_refused_unread(void **state)
{
	static const uint64_t lengths[] = { 101, UINT32_MAX, UINT64_MAX };
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		auto_buf struct buf payload = { .max = 100 };
		struct job_head head = { 0 };
		struct job_in in;

		assert_int_equal(open_pair(state), 0);
		send_head(((struct pair *)*state)->far, JOB_SCAN, lengths[i]);
		assert_int_equal(
			job_receive(((struct pair *)*state)->near, &head, &payload, &err),
			-1);
		assert_int_equal(err.kind, ERR_MESSAGE);
		job_in_init(&in, 100, false);
		send_head(((struct pair *)*state)->far, JOB_VERDICT, lengths[i]);
		assert_int_equal(
			job_in_step(&in, ((struct pair *)*state)->near, &err), -1);
		assert_int_equal(err.kind, ERR_MESSAGE);
		job_in_done(&in);
		assert_int_equal(close_pair(state), 0);
	}
	assert_int_equal(open_pair(state), 0);
}

static void a_message_in_single_bytes_is_put_together(void **state)
{
	static const char text[] = "verdict";
	struct pair *pair = *state;
	struct job_head head = { .type = JOB_VERDICT, .length = sizeof(text) };
	uint8_t bytes[sizeof(head) + sizeof(text)];
	struct err err = { 0 };
	struct job_in in;

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), text, sizeof(text));
	job_in_init(&in, 100, false);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(bytes); i++) {
			assert_int_equal(job_in_step(&in, pair->near, &err), 0);
			assert_int_equal(send(pair->far, bytes + i, 1, 0), 1);
			assert_int_equal(job_in_step(&in, pair->near, &err),
				i + 1 == sizeof(bytes) ? 1 : 0);
			if (i + 1 == sizeof(bytes))
				assert_string_equal((char *)in.payload.data, text);
		}
	job_in_done(&in);
}

static void memory_grows_with_what_came_not_with_what_was_announced(void **state)
{
	struct pair *pair = *state;
	struct err err = { 0 };
	struct job_in in;

	job_in_init(&in, 1U << 30, false);
	send_head(pair->far, JOB_VERDICT, 1U << 30);
	assert_int_equal(job_in_step(&in, pair->near, &err), 0);
	assert_in_range(in.payload.size, 0, 1U << 20);
	job_in_done(&in);
}

static void a_large_message_goes_out_in_steps_and_never_waits(void **state)
{
	struct pair *pair = *state;
	uint8_t *bytes = malloc(LARGE);
	struct span spans[] = { { bytes, 5 }, { bytes + 5, LARGE - 5 } };
	struct err err = { 0 };
	struct job_out out;
	struct job_in in;
	int sent = 0, got = 0, steps = 0;

	assert_non_null(bytes);
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (uint8_t)(i * 31 >> 3);
	job_in_init(&in, LARGE, false);
	job_out_start(&out, JOB_SCAN, 3, spans, 2);
	while (sent == 0 || got == 0) {
		if (sent == 0)
			sent = job_out_step(&out, pair->far, &err);
		if (got == 0)
			got = job_in_step(&in, pair->near, &err);
		steps++;
	}
	assert_int_equal(sent, 1);
	assert_int_equal(got, 1);
	assert_true(steps > 10);
	assert_int_equal(in.head.level, 3);
	assert_true(span_equal(buf_span(&in.payload), (struct span){ bytes, LARGE }));
	job_in_done(&in);
	free(bytes);
}

static void a_dead_receiver_is_an_error_and_no_signal(void **state)
{
	struct pair *pair = *state;
	const struct span span = span_str("bytes");
	struct err err = { 0 };
	struct job_out out;

	assert_int_equal(close(take_fd(&pair->far)), 0);
	job_out_start(&out, JOB_SCAN, 0, &span, 1);
	assert_int_equal(job_out_step(&out, pair->near, &err), -1);
	assert_int_equal(err.kind, ERR_SESSION);
	assert_int_equal(job_send(pair->near, JOB_SCAN, 0, &span, 1, &err), -1);
}

static void a_descriptor_travels_with_its_message(void **state)
{
	struct pair *pair = *state;
	struct job_worker worker = { .pid = 4711 }, got;
	struct span payload = { (uint8_t *)&worker, sizeof(worker) };
	struct err err = { 0 };
	struct job_in in;
	struct stat sent, received;
	auto_close int passed = open("/etc/passwd", O_RDONLY);

	assert_int_equal(fstat(passed, &sent), 0);
	job_in_init(&in, JOB_HOST_MAX, true);
	assert_int_equal(job_send(pair->far, HOST_LOADED, 0, &payload, 1, &err), 0);
	assert_int_equal(job_send_fd(pair->far, HOST_WORKER, payload, passed, &err), 0);
	assert_int_equal(job_send(pair->far, HOST_REAPED, 0, &payload, 1, &err), 0);

	assert_int_equal(job_in_step(&in, pair->near, &err), 1);
	assert_int_equal(in.head.type, HOST_LOADED);
	assert_int_equal(in.fd, -1);
	assert_int_equal(job_in_step(&in, pair->near, &err), 1);
	assert_int_equal(in.head.type, HOST_WORKER);
	memcpy(&got, in.payload.data, sizeof(got));
	assert_int_equal(got.pid, 4711);
	assert_int_equal(fstat(in.fd, &received), 0);
	assert_true(sent.st_ino == received.st_ino && sent.st_dev == received.st_dev);
	assert_int_equal(fcntl(in.fd, F_GETFD), FD_CLOEXEC);
	/* Left where it is, it is closed with its message. */
	assert_int_equal(job_in_step(&in, pair->near, &err), 1);
	assert_int_equal(in.head.type, HOST_REAPED);
	assert_int_equal(in.fd, -1);
	job_in_done(&in);
}

static void an_unwanted_descriptor_is_dropped(void **state)
{
	struct pair *pair = *state;
	struct err err = { 0 };
	struct job_in in;
	int passed = open("/dev/null", O_RDONLY), next;

	assert_true(passed >= 0);
	job_in_init(&in, 100, false);
	assert_int_equal(
		job_send_fd(pair->far, JOB_VERDICT, span_str("x"), passed, &err), 0);
	assert_int_equal(close(passed), 0);
	assert_int_equal(job_in_step(&in, pair->near, &err), 1);
	assert_int_equal(in.fd, -1);
	/* The lowest free number is free still. */
	next = open("/dev/null", O_RDONLY);
	assert_int_equal(next, passed);
	assert_int_equal(close(next), 0);
	job_in_done(&in);
}

/* Two of them in one message fit into the room that one takes with its padding. */
static void of_two_descriptors_none_is_left_open_unseen(void **state)
{
	struct pair *pair = *state;
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct job_head head = { .type = HOST_WORKER };
	struct iovec iov = { &head, sizeof(head) };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
	int passed = open("/dev/null", O_RDONLY), two[] = { passed, passed }, next;
	struct err err = { 0 };
	struct job_in in;

	assert_true(passed >= 0);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(two));
	memcpy(CMSG_DATA(cmsg), two, sizeof(two));
	job_in_init(&in, 100, true);
	assert_int_equal(sendmsg(pair->far, &message, 0), sizeof(head));
	assert_int_equal(close(passed), 0);
	assert_int_equal(job_in_step(&in, pair->near, &err), 1);
	job_in_done(&in);
	next = open("/dev/null", O_RDONLY);
	assert_int_equal(next, passed);
	assert_int_equal(close(next), 0);
}

static void fill(struct allow *allow, size_t hashes, size_t names)
{
	char name[FINDING_SIGNATURE_MAX] = "";
	struct hash hash;

	for (size_t i = 0; i < hashes; i++) {
		memset(&hash, 0, sizeof(hash));
		memcpy(&hash, &i, sizeof(i));
		assert_int_equal(allow_add_hash(allow, &hash, NULL), 0);
	}
	memset(name, 'n', sizeof(name) - 1);
	for (size_t i = 0; i < names; i++) {
		name[0] = (char)('0' + i % 64);
		name[1] = (char)('0' + i / 64);
		assert_int_equal(allow_add_name(allow, name, NULL), 0);
	}
}

static void a_scan_job_is_its_quarantine_id_the_lists_and_the_message(void **state)
{
	static const size_t counts[][2] = { { 0, 0 }, { 1, 2 },
		{ ALLOW_HASHES_MAX, ALLOW_NAMES_MAX } };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		auto_buf struct buf bytes = { .max = JOB_START_MAX + 100 };
		DEFER(job_scan_done) struct job_scan job = { 0 };
		auto_allow struct allow allow = { 0 };
		struct err err = { 0 };

		fill(&allow, counts[i][0], counts[i][1]);
		assert_int_equal(job_scan_start("20260131-abc", &allow, &bytes, &err), 0);
		assert_true(bytes.len <= JOB_START_MAX);
		assert_int_equal(buf_add_str(&bytes, "From: me\r\n", &err), 0);
		assert_int_equal(job_scan_parse(buf_span(&bytes), &job, &err), 0);
		assert_string_equal(job.quarantine_id, "20260131-abc");
		assert_true(span_equal(job.message, span_str("From: me\r\n")));
		assert_int_equal(job.allow.hash_count, counts[i][0]);
		assert_int_equal(job.allow.name_count, counts[i][1]);
		for (size_t n = 0; n < allow.hash_count; n++)
			assert_true(allow_has_hash(&job.allow, &allow.hashes[n]));
		for (size_t n = 0; n < allow.name_count; n++)
			assert_true(allow_has_name(&job.allow, allow.names[n]));
	}
}

static void a_scan_job_cut_short_or_past_a_limit_is_refused(void **state)
{
	auto_buf struct buf bytes = { .max = 400 };
	DEFER(job_scan_done) struct job_scan job = { 0 };
	auto_allow struct allow allow = { 0 };
	char id[JOB_ID_MAX + 2];
	struct err err = { 0 };

	(void)state;
	fill(&allow, 2, 1);
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	assert_int_equal(job_scan_start(id, &allow, &bytes, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	id[JOB_ID_MAX] = '\0';
	assert_int_equal(job_scan_start(id, &allow, &bytes, &err), 0);
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(
			job_scan_parse(span_part(buf_span(&bytes), 0, len), &job, &err),
			-1);
	assert_int_equal(job_scan_parse(buf_span(&bytes), &job, &err), 0);
	assert_int_equal(job.message.len, 0);
	job_scan_done(&job);
	memset(bytes.data + 4 + JOB_ID_MAX, 0xff, 4);
	assert_int_equal(job_scan_parse(buf_span(&bytes), &job, &err), -1);
	memset(bytes.data, 0xff, 4);
	assert_int_equal(job_scan_parse(buf_span(&bytes), &job, &err), -1);
	assert_null(job.allow.hashes);
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(a_message_arrives_as_it_was_sent),
		PAIR_TEST(a_close_between_messages_is_an_end_and_inside_one_an_error),
		cmocka_unit_test_teardown(
			a_length_beyond_the_limit_is_refused_unread, close_pair),
		PAIR_TEST(a_message_in_single_bytes_is_put_together),
		PAIR_TEST(memory_grows_with_what_came_not_with_what_was_announced),
		PAIR_TEST(a_large_message_goes_out_in_steps_and_never_waits),
		PAIR_TEST(a_dead_receiver_is_an_error_and_no_signal),
		PAIR_TEST(a_descriptor_travels_with_its_message),
		PAIR_TEST(an_unwanted_descriptor_is_dropped),
		PAIR_TEST(of_two_descriptors_none_is_left_open_unseen),
		cmocka_unit_test(
			a_scan_job_is_its_quarantine_id_the_lists_and_the_message),
		cmocka_unit_test(a_scan_job_cut_short_or_past_a_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
