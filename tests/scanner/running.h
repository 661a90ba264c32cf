/* SPDX-License-Identifier: ISC
 *
 * The whole scanner: the test program started again as parent and engine host, driven as a client
 * drives it. The signatures are our own EICAR one. */
#ifndef TESTS_SCANNER_RUNNING_H
#define TESTS_SCANNER_RUNNING_H

#include "tests/test.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/wire.h"

#include "scanner/broker.h"
#include "scanner/enginehost.h"
#include "scanner/inspector.h"
#include "scanner/request.h"

enum {
	PATIENCE_MS = 30 * 1000, /* far more than anything here takes */
	PATHS = 128
};

#define EICAR                                                                            \
	"X5O!P%@AP[4\\PZX54(P^)7CC)7}$"                                                  \
	"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

#define CLEAN_MAIL                                                                       \
	"From: a@example.org\r\n"                                                        \
	"Subject: hello\r\n\r\n"                                                         \
	"Nothing here.\r\n"

#define INFECTED_MAIL                                                                    \
	"From: a@example.org\r\n"                                                        \
	"MIME-Version: 1.0\r\n"                                                          \
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n"                              \
	"--b\r\n\r\n"                                                                    \
	"Look at this.\r\n"                                                              \
	"--b\r\n"                                                                        \
	"Content-Type: application/octet-stream\r\n"                                     \
	"Content-Disposition: attachment; filename=e.com\r\n\r\n" EICAR "\r\n"           \
	"--b--\r\n"

struct scanner {
	char folder[PATHS];
	char conf[PATHS + 16];
	char endpoint[PATHS + 32];
	char log[PATHS + 16];
	pid_t pid;
	struct link *link;
};

static inline void settings_are(const struct scanner *scanner, const char *lines)
{
	FILE *file = fopen(scanner->conf, "we");

	assert_non_null(file);
	assert_true(fprintf(file, "listen = { \"%s\" }\ntemp-dir = \"%s/temp\"\n%s\n",
			    scanner->endpoint, scanner->folder, lines) > 0);
	assert_int_equal(fclose(file), 0);
}

static inline pid_t spawn_one(const struct scanner *scanner)
{
	char name[] = "scanner", serve[] = "--serve", file[] = "-c", conf[PATHS + 16];
	char *argv[] = { name, serve, file, conf, NULL };
	posix_spawn_file_actions_t files;
	pid_t pid;

	(void)snprintf(conf, sizeof(conf), "%s", scanner->conf);
	assert_int_equal(posix_spawn_file_actions_init(&files), 0);
	assert_int_equal(posix_spawn_file_actions_addopen(&files, STDERR_FILENO,
				 scanner->log, O_WRONLY | O_CREAT | O_APPEND, 0600),
		0);
	assert_int_equal(
		posix_spawn(&pid, "/proc/self/exe", &files, NULL, argv, environ), 0);
	(void)posix_spawn_file_actions_destroy(&files);
	return pid;
}

static inline void start(struct scanner *scanner, const char *lines)
{
	struct err err = { 0 };

	*scanner = (struct scanner){ .folder = "/tmp/mailfilter-broker.XXXXXX" };
	assert_non_null(mkdtemp(scanner->folder));
	(void)snprintf(scanner->conf, sizeof(scanner->conf), "%s/conf", scanner->folder);
	(void)snprintf(scanner->log, sizeof(scanner->log), "%s/log", scanner->folder);
	(void)snprintf(scanner->endpoint, sizeof(scanner->endpoint), "ipc://%s/socket",
		scanner->folder);
	settings_are(scanner, lines);
	scanner->pid = spawn_one(scanner);
	if (link_connect(scanner->endpoint, WIRE_HEAD_MAX, &scanner->link, &err) < 0)
		fail_msg("%s", err.text);
}

static inline int remove_one(
	const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)type;
	(void)where;
	return remove(path);
}

/* The exit code; a signal is 128 and its number. */
static inline int wait_for(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int stop(struct scanner *scanner)
{
	int code;

	assert_int_equal(kill(scanner->pid, SIGTERM), 0);
	code = wait_for(scanner->pid);
	link_close(scanner->link);
	assert_int_equal(nftw(scanner->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	return code;
}

static inline void say(struct scanner *scanner, const struct wire_message *message)
{
	auto_buf struct buf head = { .max = WIRE_HEAD_MAX };
	bool has_data = message->type == WIRE_REQUEST || message->type == WIRE_CHUNK;
	int64_t until = clock_ms() + PATIENCE_MS;
	struct err err = { 0 };

	if (wire_encode(message, &head, &err) < 0)
		fail_msg("%s", err.text);
	while (link_send(scanner->link, NULL, buf_span(&head), has_data, message->data,
		       &err) < 0) {
		if (clock_ms() > until)
			fail_msg("%s", err.text);
		assert_int_equal(
			link_wait(&scanner->link, 1, NULL, NULL, 0, 1000, &err), 0);
	}
}

/* The next message of one of two types; others are passed over. */
static inline void hear_either(struct scanner *scanner, enum wire_type type,
	enum wire_type other, struct wire_message *message_r)
{
	int64_t until = clock_ms() + PATIENCE_MS;
	struct link_message received;
	struct err err = { 0 };

	*message_r = (struct wire_message){ 0 };
	while (clock_ms() < until) {
		int got = link_receive(scanner->link, &received, &err);

		assert_true(got >= 0);
		if (got == 0) {
			assert_int_equal(link_wait(&scanner->link, 1, NULL, NULL, 0,
						 clock_left(until), &err),
				0);
			continue;
		}
		if (wire_decode(received.frames, received.frame_count, message_r, &err) <
			0)
			fail_msg("%s", err.text);
		if (message_r->type == type || message_r->type == other)
			return;
		wire_message_done(message_r);
	}
	fail_msg("no answer of type %d", (int)type);
}

static inline void hear(
	struct scanner *scanner, enum wire_type type, struct wire_message *message_r)
{
	hear_either(scanner, type, type, message_r);
}

static inline struct wire_state hear_state(struct scanner *scanner)
{
	struct wire_message message;
	struct wire_state state;

	hear(scanner, WIRE_STATE, &message);
	state = message.state;
	wire_message_done(&message);
	return state;
}

static inline struct wire_state ask_state(struct scanner *scanner)
{
	say(scanner, &(struct wire_message){ .type = WIRE_PING });
	return hear_state(scanner);
}

/* Each change is told unasked, once we are known. */
static inline struct wire_state await_generation(
	struct scanner *scanner, uint64_t generation)
{
	struct wire_state state = ask_state(scanner);

	while (state.state != WIRE_READY || state.generation < generation)
		state = hear_state(scanner);
	return state;
}

/* It serves when this returns. */
static inline void start_ready(struct scanner *scanner, const char *lines)
{
	start(scanner, lines);
	(void)await_generation(scanner, 1);
}

static inline void request(struct scanner *scanner, uint64_t id, struct span mail)
{
	say(scanner, &(struct wire_message){ .type = WIRE_REQUEST,
			     .id = id,
			     .request = { .size = mail.len, .quarantine_id = "Q-1" },
			     .data = span_part(mail, 0, WIRE_CHUNK_MAX) });
}

static inline void request_allowing(
	struct scanner *scanner, uint64_t id, struct span mail, const struct allow *allow)
{
	say(scanner, &(struct wire_message){ .type = WIRE_REQUEST,
			     .id = id,
			     .request = { .size = mail.len, .allow = *allow },
			     .data = span_part(mail, 0, WIRE_CHUNK_MAX) });
}

static inline void await_verdict(
	struct scanner *scanner, uint64_t id, struct wire_message *message_r)
{
	hear(scanner, WIRE_VERDICT, message_r);
	assert_int_equal(message_r->id, id);
}

static inline void assert_verdict(
	struct scanner *scanner, uint64_t id, enum verdict_kind kind)
{
	struct wire_message message;

	await_verdict(scanner, id, &message);
	assert_string_equal(verdict_name(message.verdict.kind), verdict_name(kind));
	wire_message_done(&message);
}

static inline void assert_refused(
	struct scanner *scanner, uint64_t id, enum wire_refusal refusal)
{
	struct wire_message message;

	hear(scanner, WIRE_REFUSE, &message);
	assert_int_equal(message.id, id);
	assert_int_equal(message.refusal, refusal);
	wire_message_done(&message);
}

/* What was said to us before this returns has been passed over: a refusal comes in order. */
static inline void catch_up(struct scanner *scanner)
{
	uint8_t byte = 0;

	say(scanner,
		&(struct wire_message){
			.type = WIRE_CHUNK, .id = UINT32_MAX, .data = { &byte, 1 } });
	assert_refused(scanner, UINT32_MAX, WIRE_UNKNOWN);
}

static inline bool log_says(const struct scanner *scanner, const char *text)
{
	auto_fclose FILE *file = fopen(scanner->log, "re");
	auto_free char *line = NULL;
	size_t size = 0;

	assert_non_null(file);
	while (getline(&line, &size, file) > 0)
		if (strstr(line, text))
			return true;
	return false;
}

/* Without a cache: the same mail costs a worker each time. */
#define ONE_WORKER "signatures = { \"test\" }\nworkers = 1\ncache = 0\n"

/* Started again by itself: "--serve -c FILE", "--engine-host [-q|-v] -c FILE", "--inspector ..."
 * likewise. */
static inline int serve(int argc, char **argv)
{
	struct settings settings = { 0 };
	struct err err = { 0 };
	int code;

	/* A test that fails leaves it behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	log_start("scanner", LOG_LEVEL_INFO);
	if (settings_load(argv[argc - 1], &settings, &err) < 0) {
		log_error("%s", err.text);
		return EX_CONFIG;
	}
	code = strcmp(argv[1], "--serve") == 0       ? broker_run(&settings)
	       : strcmp(argv[1], "--inspector") == 0 ? inspector_main(&settings)
						     : enginehost_main(&settings);
	settings_free(&settings);
	return code;
}

/* A test program's main: its tests, or what it was started again as. */
#define RUN_OR_SERVE(argc, argv, tests)                                                  \
	((argc) > 1 ? serve(argc, argv) : cmocka_run_group_tests(tests, NULL, NULL))

#endif
