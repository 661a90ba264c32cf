/* SPDX-License-Identifier: ISC */
#include "mailfilter/runner.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#include "mailfilter/envelope.h"
#include "mailfilter/stream.h"

/* What password stores need to find their files and agents; nothing else of ours gets out. */
static const char *const for_passwords[] = { "PATH", "HOME", "USER", "LANG", "GNUPGHOME",
	"XDG_RUNTIME_DIR", "PASSWORD_STORE_DIR", "DBUS_SESSION_BUS_ADDRESS", NULL };
static const char *const for_delivery[] = { "PATH", "HOME", "USER", "LOGNAME", "SHELL",
	"LANG", "TZ", NULL };

enum {
	ENTRY_MAX = 16 + ENVELOPE_SENDER_MAX,
	CANCEL = -1 /* instead of a command: stop the one that runs; has no answer */
};

struct runner {
	pid_t pid;
	int fd; /* -1: it is gone */
};

/* What goes between the two, each in one packet. A packet that is only a command is that much
 * shorter. */
struct request {
	int32_t command;
	char sender[ENVELOPE_SENDER_MAX + 1];
};

struct answer {
	int32_t result; /* of command_read or command_give */
	struct runner_end end;
	struct err err;
	uint32_t output_len;
	uint8_t output[RUNNER_OUTPUT_MAX];
};

static void answer_wipe(struct answer *answer)
{
	explicit_bzero(answer->output, sizeof(answer->output));
}

static int read_here(const struct account_settings *account, enum runner_command command,
	const struct stream_wait *wait, struct buf *output, struct err *err)
{
	const struct command_task task = {
		.argv = command == RUNNER_DELIVER_PASSWORD
				? &account->deliver_password_command
				: &account->password_command,
		.input = -1,
		.passed = for_passwords,
		.wait = wait,
		.timeout_ms = RUNNER_PASSWORD_MS
	};

	if (command == RUNNER_DELIVER)
		return err_set(err, ERR_FATAL, "no command to be read from");
	return command_read(&task, RUNNER_OUTPUT_MAX, output, err);
}

static int give_here(const struct account_settings *account, int input,
	const char *sender, const struct stream_wait *wait, struct runner_end *end_r,
	struct err *err)
{
	char sender_entry[ENTRY_MAX], recipient_entry[ENTRY_MAX];
	const char *const extra[] = { sender_entry,
		account->recipient ? recipient_entry : NULL, NULL };
	const struct command_task task = { .argv = &account->deliver_command,
		.input = input,
		.passed = for_delivery,
		.extra = extra,
		.wait = wait,
		.timeout_ms = account->deliver_timeout_ms };

	(void)snprintf(sender_entry, sizeof(sender_entry), "SENDER=%s", sender);
	if (account->recipient)
		(void)snprintf(recipient_entry, sizeof(recipient_entry), "RECIPIENT=%s",
			account->recipient);
	return command_give(&task, &end_r->status, end_r->line, err);
}

/* In the runner: until the command is done, or the worker says otherwise or is gone. */
static int wait_for_both(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	const int *worker = arg;
	struct pollfd fds[] = { { .fd = *worker, .events = POLLIN },
		{ .fd = fd, .events = events } };
	int ready;

	do
		ready = poll(fds, 2, clock_left(deadline_ms));
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return err_errno(err, ERR_FATAL, "poll");
	if (fds[0].revents)
		return err_set(err, ERR_AGAIN, "stopped");
	return ready > 0;
}

static void run(const struct account_settings *account, int worker,
	const struct request *request, int input, struct answer *answer)
{
	const struct stream_wait wait = { .wait = wait_for_both, .arg = &worker };
	DEFER(buf_wipe) struct buf output;
	uint8_t *room;

	buf_init(&output, RUNNER_OUTPUT_MAX);
	switch (request->command) {
	case RUNNER_PASSWORD:
	case RUNNER_DELIVER_PASSWORD:
		answer->result =
			buf_reserve(&output, RUNNER_OUTPUT_MAX, &room, &answer->err);
		if (answer->result == 0)
			answer->result =
				read_here(account, (enum runner_command)request->command,
					&wait, &output, &answer->err);
		if (answer->result == 0)
			memcpy(answer->output, output.data, output.len);
		answer->output_len = (uint32_t)output.len;
		break;
	case RUNNER_DELIVER:
		answer->result = input < 0 ? err_set(&answer->err, ERR_FATAL,
						     "a delivery without a message")
					   : give_here(account, input, request->sender,
						     &wait, &answer->end, &answer->err);
		break;
	default:
		answer->result = err_set(&answer->err, ERR_FATAL, "no such command");
		break;
	}
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* One packet of a worker, who may send anything. false: it is gone. */
static bool take_request(int fd, struct request *request, int *input_r)
{
	union control control = { 0 };
	struct iovec part = { .iov_base = request, .iov_len = sizeof(*request) };
	struct msghdr packet = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		/* Not what it takes with its padding: a second descriptor would fit in. */
		.msg_controllen = CMSG_LEN(sizeof(int)) };
	const struct cmsghdr *head;
	ssize_t got;

	*request = (struct request){ .command = CANCEL };
	*input_r = -1;
	do
		got = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	head = CMSG_FIRSTHDR(&packet);
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
		head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(input_r, CMSG_DATA(head), sizeof(int));
	request->sender[ENVELOPE_SENDER_MAX] = '\0';
	return got > 0;
}

static _Noreturn void serve(const struct account_settings *account, int worker)
{
	struct request request;
	int input;

	while (take_request(worker, &request, &input)) {
		struct answer answer = { 0 };

		if (request.command != CANCEL) {
			run(account, worker, &request, input, &answer);
			(void)send(worker, &answer, sizeof(answer), MSG_NOSIGNAL);
			answer_wipe(&answer);
		}
		if (input >= 0)
			(void)close(input);
	}
	_exit(0);
}

int runner_start(
	const struct account_settings *account, struct runner **runner_r, struct err *err)
{
	auto_free struct runner *runner = NULL;
	auto_close int ours = -1, theirs = -1;
	int fds[2];

	*runner_r = NULL;
	if (account->password_command.count == 0 && account->deliver_command.count == 0 &&
		account->deliver_password_command.count == 0)
		return 0;
	runner = calloc(1, sizeof(*runner));
	if (!runner)
		return err_memory(err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno(err, ERR_AGAIN, "a process for commands");
	ours = fds[0];
	theirs = fds[1];
	runner->pid = fork();
	if (runner->pid < 0)
		return err_errno(err, ERR_AGAIN, "a process for commands");
	if (runner->pid == 0) {
		/* Last of all the other end: with one of these open nobody's end would show. */
		if (dup2(theirs, STDERR_FILENO + 1) < 0 ||
			close_range(STDERR_FILENO + 2, UINT_MAX, 0) < 0)
			_exit(1);
		serve(account, STDERR_FILENO + 1);
	}
	runner->fd = take_fd(&ours);
	*runner_r = take_ptr(&runner);
	return 0;
}

void runner_stop(struct runner *runner)
{
	if (!runner)
		return;
	defer_close(&runner->fd);
	while (waitpid(runner->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(runner);
}

bool runner_is_gone(const struct runner *runner)
{
	struct pollfd end = { .fd = runner ? runner->fd : -1 };

	if (!runner)
		return false;
	return runner->fd < 0 || (poll(&end, 1, 0) > 0 && (end.revents & POLLHUP));
}

static int lost(struct runner *runner, struct err *err)
{
	defer_close(&runner->fd);
	runner->fd = -1;
	return err_set(err, ERR_AGAIN, "the process that runs commands is gone");
}

static int send_request(const struct runner *runner, void *bytes, size_t len, int input)
{
	union control control = { 0 };
	struct iovec part = { .iov_base = bytes, .iov_len = len };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };

	if (input >= 0) {
		packet.msg_control = control.bytes;
		packet.msg_controllen = sizeof(control.bytes);
		control.align = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.align), &input, sizeof(input));
	}
	return sendmsg(runner->fd, &packet, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int take_answer(struct runner *runner, struct answer *answer, struct err *err)
{
	ssize_t got;

	do
		got = recv(runner->fd, answer, sizeof(*answer), 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(*answer) || answer->output_len > RUNNER_OUTPUT_MAX)
		return lost(runner, err);
	return 0;
}

static int ask(struct runner *runner, struct request *request, int input, struct err *err)
{
	if (runner->fd < 0 || send_request(runner, request, sizeof(*request), input) < 0)
		return lost(runner, err);
	return 0;
}

/* The answer is there also where it was stopped; then *stopped holds why. */
static int hear(struct runner *runner, const struct stream_wait *wait, int64_t timeout_ms,
	struct answer *answer, struct err *stopped, struct err *err)
{
	struct pollfd fd = { .fd = runner->fd, .events = POLLIN };
	int32_t cancel = CANCEL;

	if (wait->wait(wait->arg, runner->fd, POLLIN,
		    clock_ms() + timeout_ms + RUNNER_SLACK_MS, stopped) <= 0) {
		(void)send_request(runner, &cancel, sizeof(cancel), -1);
		if (poll(&fd, 1, RUNNER_SLACK_MS) <= 0)
			return lost(runner, err);
	}
	return take_answer(runner, answer, err);
}

int runner_read(const struct account_settings *account, enum runner_command command,
	const struct stream_wait *wait, struct buf *output, struct err *err)
{
	struct request request = { .command = (int32_t)command };
	DEFER(answer_wipe) struct answer answer;
	struct err stopped = { 0 };

	if (!account->runner)
		return read_here(account, command, wait, output, err);
	if (ask(account->runner, &request, -1, err) < 0 ||
		hear(account->runner, wait, RUNNER_PASSWORD_MS, &answer, &stopped, err) <
			0)
		return -1;
	if (answer.result == 0)
		return buf_add(output, answer.output, answer.output_len, err);
	*err = stopped.kind != ERR_NONE ? stopped : answer.err;
	return -1;
}

int runner_give(const struct account_settings *account, int input, const char *sender,
	const struct stream_wait *wait, struct runner_end *end_r, struct err *err)
{
	struct request request = { .command = RUNNER_DELIVER };
	DEFER(answer_wipe) struct answer answer;
	struct err stopped = { 0 };

	*end_r = (struct runner_end){ 0 };
	if (!account->runner)
		return give_here(account, input, sender, wait, end_r, err);
	(void)snprintf(request.sender, sizeof(request.sender), "%s", sender);
	if (ask(account->runner, &request, input, err) < 0)
		return -1;
	/* Whatever it has begun may have been done. */
	if (hear(account->runner, wait, account->deliver_timeout_ms, &answer, &stopped,
		    err) < 0)
		return 1;
	*end_r = answer.end;
	if (answer.result < 0 && err)
		*err = answer.err;
	return answer.result;
}
