/* SPDX-License-Identifier: ISC
 *
 * The whole scanner: this program started again as parent and engine host, driven as a client
 * drives it. The signatures are our own EICAR one. */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/wire.h"

#include "scanner/broker.h"
#include "scanner/enginehost.h"
#include "scanner/request.h"

enum {
	PATIENCE_MS = 30 * 1000, /* far more than anything here takes */
	PATHS = 128,
	PIDS_MAX = 32
};

#define EICAR                                                                            \
	"X5O!P%@AP[4\\PZX54(P^)7CC)7}$"                                                  \
	"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

static const char clean_mail[] = "From: a@example.org\r\n"
				 "Subject: hello\r\n"
				 "\r\n"
				 "Nothing here.\r\n";

static const char infected_mail[] = "From: a@example.org\r\n"
				    "MIME-Version: 1.0\r\n"
				    "Content-Type: multipart/mixed; boundary=b\r\n"
				    "\r\n"
				    "--b\r\n"
				    "\r\n"
				    "Look at this.\r\n"
				    "--b\r\n"
				    "Content-Type: application/octet-stream\r\n"
				    "Content-Disposition: attachment; filename=e.com\r\n"
				    "\r\n" EICAR "\r\n"
				    "--b--\r\n";

struct scanner {
	char folder[PATHS];
	char conf[PATHS + 16];
	char endpoint[PATHS + 32];
	char log[PATHS + 16];
	pid_t pid;
	struct link *link;
};

static void settings_are(const struct scanner *scanner, const char *lines)
{
	FILE *file = fopen(scanner->conf, "we");

	assert_non_null(file);
	assert_true(fprintf(file, "listen = { \"%s\" }\ntemp-dir = \"%s/temp\"\n%s\n",
			    scanner->endpoint, scanner->folder, lines) > 0);
	assert_int_equal(fclose(file), 0);
}

static pid_t spawn_one(const struct scanner *scanner)
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

static void start(struct scanner *scanner, const char *lines)
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

static int remove_one(
	const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)type;
	(void)where;
	return remove(path);
}

/* The exit code; a signal is 128 and its number. */
static int wait_for(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int stop(struct scanner *scanner)
{
	int code;

	assert_int_equal(kill(scanner->pid, SIGTERM), 0);
	code = wait_for(scanner->pid);
	link_close(scanner->link);
	assert_int_equal(nftw(scanner->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	return code;
}

static void say(struct scanner *scanner, const struct wire_message *message)
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
static void hear_either(struct scanner *scanner, enum wire_type type,
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

static void hear(
	struct scanner *scanner, enum wire_type type, struct wire_message *message_r)
{
	hear_either(scanner, type, type, message_r);
}

static struct wire_state hear_state(struct scanner *scanner)
{
	struct wire_message message;
	struct wire_state state;

	hear(scanner, WIRE_STATE, &message);
	state = message.state;
	wire_message_done(&message);
	return state;
}

static struct wire_state ask_state(struct scanner *scanner)
{
	say(scanner, &(struct wire_message){ .type = WIRE_PING });
	return hear_state(scanner);
}

/* Each change is told unasked, once we are known. */
static struct wire_state await_generation(struct scanner *scanner, uint64_t generation)
{
	struct wire_state state = ask_state(scanner);

	while (state.state != WIRE_READY || state.generation < generation)
		state = hear_state(scanner);
	return state;
}

static void request(struct scanner *scanner, uint64_t id, struct span mail)
{
	say(scanner, &(struct wire_message){ .type = WIRE_REQUEST,
			     .id = id,
			     .request = { .size = mail.len, .quarantine_id = "Q-1" },
			     .data = span_part(mail, 0, WIRE_CHUNK_MAX) });
}

static void await_verdict(
	struct scanner *scanner, uint64_t id, struct wire_message *message_r)
{
	hear(scanner, WIRE_VERDICT, message_r);
	assert_int_equal(message_r->id, id);
}

static void assert_verdict(struct scanner *scanner, uint64_t id, enum verdict_kind kind)
{
	struct wire_message message;

	await_verdict(scanner, id, &message);
	assert_string_equal(verdict_name(message.verdict.kind), verdict_name(kind));
	wire_message_done(&message);
}

static void assert_refused(
	struct scanner *scanner, uint64_t id, enum wire_refusal refusal)
{
	struct wire_message message;

	hear(scanner, WIRE_REFUSE, &message);
	assert_int_equal(message.id, id);
	assert_int_equal(message.refusal, refusal);
	wire_message_done(&message);
}

static size_t children(pid_t pid, pid_t list[static PIDS_MAX])
{
	char path[64], line[1024] = "";
	char *rest = line;
	size_t count = 0;
	auto_fclose FILE *file = NULL;

	(void)snprintf(
		path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file))
		return 0;
	for (char *word; count < PIDS_MAX && (word = strsep(&rest, " ")) && word[0];) {
		uint64_t child = 0;

		assert_int_equal(parse_number(word, 1, INT32_MAX, &child, NULL), 0);
		list[count++] = (pid_t)child;
	}
	return count;
}

static pid_t engine_host(const struct scanner *scanner)
{
	pid_t list[PIDS_MAX] = { 0 };

	assert_int_equal(children(scanner->pid, list), 1);
	return list[0];
}

static pid_t only_worker(const struct scanner *scanner)
{
	pid_t list[PIDS_MAX] = { 0 };

	assert_int_equal(children(engine_host(scanner), list), 1);
	return list[0];
}

/* What was said to us before this returns has been passed over: a refusal comes in order. */
static void catch_up(struct scanner *scanner)
{
	uint8_t byte = 0;

	say(scanner,
		&(struct wire_message){
			.type = WIRE_CHUNK, .id = UINT32_MAX, .data = { &byte, 1 } });
	assert_refused(scanner, UINT32_MAX, WIRE_UNKNOWN);
}

/* A worker that stands still has the request in hand when this returns. */
static pid_t stop_worker_with(struct scanner *scanner, uint64_t id, struct span mail)
{
	pid_t worker = only_worker(scanner);

	assert_int_equal(kill(worker, SIGSTOP), 0);
	request(scanner, id, mail);
	do
		catch_up(scanner);
	while (ask_state(scanner).queued > 0);
	return worker;
}

static bool log_says(const struct scanner *scanner, const char *text)
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

/* Ended, reaped or not: whoever adopts an orphan takes its time. */
static void await_end(pid_t pid)
{
	auto_close int fd = pidfd_open(pid, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };

	if (fd >= 0)
		assert_int_equal(poll(&end, 1, PATIENCE_MS), 1);
	else
		assert_int_equal(errno, ESRCH);
}

#define ONE_WORKER "signatures = { \"test\" }\nworkers = 1\n"

static void it_answers_while_it_loads_and_says_when_it_is_ready(void **state)
{
	struct scanner scanner;
	struct wire_state ready;

	(void)state;
	start(&scanner, ONE_WORKER);
	ready = await_generation(&scanner, 1);
	assert_true(ready.session != 0);
	assert_int_equal(ready.signatures, 1);
	assert_int_equal(ready.message_max, 50 << 20);
	assert_true(ready.jobs >= 1);
	assert_non_null(strstr(ready.engine, "libclamav"));
	assert_string_not_equal(ready.unprotected, "");
	assert_string_equal(ready.trouble, "");
	assert_int_equal(stop(&scanner), 0);
}

static void a_clean_mail_is_clean_and_named_by_its_hash(void **state)
{
	struct span mail = span_str(clean_mail);
	struct wire_message message;
	struct scanner scanner;
	struct hash hash;

	(void)state;
	start(&scanner, ONE_WORKER);
	/* Sent while it loads: it waits. */
	request(&scanner, 7, mail);
	await_verdict(&scanner, 7, &message);
	assert_int_equal(message.verdict.kind, VERDICT_CLEAN);
	assert_int_equal(message.verdict.generation, 1);
	assert_int_equal(hash_span(mail, &hash, NULL), 0);
	assert_true(hash_equal(&message.verdict.message, &hash));
	wire_message_done(&message);
	assert_int_equal(stop(&scanner), 0);
}

static void an_infected_mail_comes_back_with_edits_that_clean_it(void **state)
{
	struct span mail = span_str(infected_mail), cleaned;
	auto_body struct body body;
	struct wire_message message;
	struct scanner scanner;
	struct hash hash;

	(void)state;
	body_init(&body, "/tmp", 1 << 20);
	start(&scanner, ONE_WORKER);
	request(&scanner, 1, mail);
	await_verdict(&scanner, 1, &message);
	assert_int_equal(message.verdict.kind, VERDICT_INFECTED);
	assert_int_equal(message.verdict.finding_count, 1);
	assert_string_equal(message.verdict.findings[0].name, "e.com");
	assert_int_equal(edits_check(&message.verdict.edits, mail.len, NULL), 0);
	assert_int_equal(edits_apply(&message.verdict.edits, mail, &body, NULL), 0);
	assert_int_equal(body_span(&body, &cleaned, NULL), 0);
	assert_int_equal(hash_span(cleaned, &hash, NULL), 0);
	assert_true(hash_equal(&message.verdict.cleaned, &hash));
	assert_true(span_find(cleaned, span_str("EICAR-STANDARD")) < 0);
	assert_true(span_find(cleaned, span_str("Look at this.")) > 0);
	assert_true(span_find(cleaned, span_str("Q-1")) > 0);
	wire_message_done(&message);
	assert_int_equal(stop(&scanner), 0);
}

static void many_requests_at_once_are_all_answered_once(void **state)
{
	enum {
		COUNT = 200
	};
	bool answered[COUNT] = { false };
	struct scanner scanner;
	uint64_t sent = 1, outstanding = 0, done = 1, jobs;

	(void)state;
	start(&scanner, "signatures = { \"test\" }\nworkers = 3\nworker-jobs = 7\n");
	jobs = await_generation(&scanner, 1).jobs;
	while (done < COUNT) {
		struct wire_message message;

		while (sent < COUNT && outstanding < jobs) {
			request(&scanner, sent,
				span_str(sent % 5 == 0 ? infected_mail : clean_mail));
			sent++;
			outstanding++;
		}
		hear(&scanner, WIRE_VERDICT, &message);
		assert_true(message.id < COUNT && !answered[message.id]);
		answered[message.id] = true;
		assert_int_equal(message.verdict.kind,
			message.id % 5 == 0 ? VERDICT_INFECTED : VERDICT_CLEAN);
		wire_message_done(&message);
		outstanding--;
		done++;
	}
	assert_int_equal(stop(&scanner), 0);
}

static void a_request_sent_twice_is_answered_once(void **state)
{
	struct scanner scanner;
	pid_t worker;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	worker = stop_worker_with(&scanner, 5, span_str(clean_mail));
	request(&scanner, 5, span_str(clean_mail));
	request(&scanner, 6, span_str(clean_mail));
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_verdict(&scanner, 5, VERDICT_CLEAN);
	assert_verdict(&scanner, 6, VERDICT_CLEAN);
	assert_int_equal(stop(&scanner), 0);
}

static void a_worker_killed_at_work_costs_no_verdict(void **state)
{
	static const int signals[] = { SIGKILL, SIGSEGV };
	struct scanner scanner;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	for (size_t i = 1; i <= sizeof(signals) / sizeof(*signals); i++) {
		pid_t worker = stop_worker_with(&scanner, i, span_str(clean_mail));

		assert_int_equal(kill(worker, signals[i - 1]), 0);
		assert_int_equal(kill(worker, SIGCONT), 0);
		assert_verdict(&scanner, i, VERDICT_CLEAN);
		await_end(worker);
	}
	assert_true(log_says(&scanner, "during a scan"));
	assert_int_equal(stop(&scanner), 0);
}

static void a_worker_that_hangs_is_killed_and_the_mail_scanned_by_another(void **state)
{
	struct scanner scanner;
	pid_t worker;

	(void)state;
	start(&scanner, ONE_WORKER "scan-timeout = 1s\n");
	(void)await_generation(&scanner, 1);
	worker = stop_worker_with(&scanner, 1, span_str(infected_mail));
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	await_end(worker);
	assert_int_equal(stop(&scanner), 0);
}

static void an_engine_host_killed_at_work_costs_no_verdict(void **state)
{
	struct scanner scanner;
	pid_t host, worker;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	host = engine_host(&scanner);
	worker = stop_worker_with(&scanner, 1, span_str(infected_mail));
	assert_int_equal(kill(host, SIGKILL), 0);
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	await_end(worker);
	assert_int_equal(await_generation(&scanner, 2).generation, 2);
	assert_int_equal(stop(&scanner), 0);
}

static void a_hangup_loads_the_signatures_anew_without_a_pause(void **state)
{
	struct scanner scanner;
	pid_t before, worker;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	before = engine_host(&scanner);
	worker = stop_worker_with(&scanner, 1, span_str(clean_mail));
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	(void)await_generation(&scanner, 2);
	/* The new one serves, the old one still has its job to end. */
	request(&scanner, 2, span_str(clean_mail));
	assert_verdict(&scanner, 2, VERDICT_CLEAN);
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	while (kill(before, 0) == 0)
		(void)ask_state(&scanner);
	assert_true(engine_host(&scanner) != before);
	assert_int_equal(stop(&scanner), 0);
}

static void signatures_that_do_not_load_leave_the_old_ones_in_use(void **state)
{
	char bad[PATHS + 8], lines[PATHS + 64];
	struct scanner scanner;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	(void)snprintf(bad, sizeof(bad), "%s/none", scanner.folder);
	(void)snprintf(
		lines, sizeof(lines), "signatures = { \"%s\" }\nworkers = 1\n", bad);
	settings_are(&scanner, lines);
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	for (uint64_t id = 1; !log_says(&scanner, "the old ones stay in use"); id++) {
		request(&scanner, id, span_str(infected_mail));
		assert_verdict(&scanner, id, VERDICT_INFECTED);
	}
	/* Nor do settings that cannot be read any more. */
	settings_are(&scanner, "nonsense");
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	for (uint64_t id = 1; !log_says(&scanner, "exit code 78"); id++) {
		request(&scanner, id, span_str(infected_mail));
		assert_verdict(&scanner, id, VERDICT_INFECTED);
	}
	assert_int_equal(ask_state(&scanner).state, WIRE_READY);
	assert_int_equal(ask_state(&scanner).generation, 1);
	assert_int_equal(stop(&scanner), 0);
}

static void without_signatures_it_says_to_run_freshclam_and_waits(void **state)
{
	char lines[PATHS * 2];
	struct scanner scanner;
	struct wire_state told;

	(void)state;
	start(&scanner, "signatures = { \"/nonexistent/clamav\" }\nworkers = 1\n");
	for (told = ask_state(&scanner); told.trouble[0] == '\0';)
		told = hear_state(&scanner);
	assert_int_equal(told.state, WIRE_LOADING);
	assert_non_null(strstr(told.trouble, "freshclam"));
	request(&scanner, 1, span_str(clean_mail));
	catch_up(&scanner);
	assert_int_equal(ask_state(&scanner).queued, 1);
	(void)snprintf(lines, sizeof(lines), ONE_WORKER);
	settings_are(&scanner, lines);
	assert_int_equal(kill(scanner.pid, SIGHUP), 0);
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	assert_int_equal(stop(&scanner), 0);
}

static void a_second_scanner_is_told_who_is_there(void **state)
{
	char pid[32], path[PATHS + 64];
	struct scanner scanner;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	assert_int_equal(wait_for(spawn_one(&scanner)), EX_TEMPFAIL);
	(void)snprintf(pid, sizeof(pid), "%d", (int)scanner.pid);
	assert_true(log_says(&scanner, pid));
	/* And leaves the first one's folders alone. */
	(void)snprintf(path, sizeof(path), "%s/temp/e.%d/w.%d", scanner.folder,
		(int)engine_host(&scanner), (int)only_worker(&scanner));
	assert_int_equal(access(path, F_OK), 0);
	request(&scanner, 1, span_str(infected_mail));
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	assert_int_equal(stop(&scanner), 0);
}

static void a_large_mail_comes_in_chunks_under_credit(void **state)
{
	enum {
		LARGE = 20971520
	};
	uint8_t *bytes = malloc(LARGE);
	struct span mail = { bytes, LARGE };
	struct wire_message message;
	struct scanner scanner;
	uint64_t sent = WIRE_CHUNK_MAX, credit = 0;
	struct hash hash;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', LARGE);
	for (size_t i = 72; i < LARGE; i += 73)
		bytes[i] = '\n';
	memcpy(bytes, clean_mail, sizeof(clean_mail) - 1);
	start(&scanner, ONE_WORKER "scan-timeout = 60s\n");
	request(&scanner, 3, mail);
	while (sent < LARGE) {
		while (credit <= sent) {
			hear(&scanner, WIRE_CREDIT, &message);
			assert_int_equal(message.id, 3);
			credit = message.offset;
			assert_true(credit <= sent + REQUEST_CREDIT);
		}
		message = (struct wire_message){ .type = WIRE_CHUNK,
			.id = 3,
			.offset = sent,
			.data = span_part(
				span_part(mail, 0, credit), sent, WIRE_CHUNK_MAX) };
		say(&scanner, &message);
		sent += message.data.len;
	}
	await_verdict(&scanner, 3, &message);
	assert_int_equal(message.verdict.kind, VERDICT_CLEAN);
	assert_int_equal(hash_span(mail, &hash, NULL), 0);
	assert_true(hash_equal(&message.verdict.message, &hash));
	wire_message_done(&message);
	assert_int_equal(stop(&scanner), 0);
	free(bytes);
}

static void what_is_too_much_or_out_of_order_is_refused_and_the_rest_served(void **state)
{
	struct wire_message chunk = { .type = WIRE_CHUNK, .data = { NULL, 0 } };
	uint8_t bytes[1000] = { 0 };
	struct scanner scanner;

	(void)state;
	start(&scanner, ONE_WORKER "message-max = 1M\nqueue = 2\n");
	(void)await_generation(&scanner, 1);
	chunk.data = (struct span){ bytes, 10 };
	chunk.id = 1;
	say(&scanner, &chunk);
	assert_refused(&scanner, 1, WIRE_UNKNOWN);
	say(&scanner, &(struct wire_message){ .type = WIRE_REQUEST,
			      .id = 2,
			      .request = { .size = (1 << 20) + 1 } });
	assert_refused(&scanner, 2, WIRE_TOO_LARGE);
	/* Two that do not end fill the queue. */
	for (uint64_t id = 3; id < 6; id++)
		say(&scanner, &(struct wire_message){ .type = WIRE_REQUEST,
				      .id = id,
				      .request = { .size = 500 },
				      .data = { bytes, 100 } });
	assert_refused(&scanner, 5, WIRE_BUSY);
	chunk.id = 3;
	chunk.offset = 101;
	say(&scanner, &chunk);
	assert_refused(&scanner, 3, WIRE_PROTOCOL);
	chunk.id = 4;
	chunk.offset = 100;
	chunk.data.len = 401;
	say(&scanner, &chunk);
	assert_refused(&scanner, 4, WIRE_PROTOCOL);
	say(&scanner, &(struct wire_message){ .type = WIRE_REQUEST,
			      .id = 6,
			      .request = { .size = 500 },
			      .data = { bytes, 100 } });
	say(&scanner, &(struct wire_message){ .type = WIRE_CANCEL, .id = 6 });
	chunk.id = 6;
	chunk.data.len = 400;
	say(&scanner, &chunk);
	assert_refused(&scanner, 6, WIRE_UNKNOWN);
	request(&scanner, 7, span_str(clean_mail));
	assert_verdict(&scanner, 7, VERDICT_CLEAN);
	assert_int_equal(stop(&scanner), 0);
}

static void send_raw(struct scanner *scanner, struct span head, struct span data)
{
	int64_t until = clock_ms() + PATIENCE_MS;
	struct err err = { 0 };

	while (link_send(scanner->link, NULL, head, data.data != NULL, data, &err) < 0) {
		if (clock_ms() > until)
			fail_msg("%s", err.text);
		assert_int_equal(
			link_wait(&scanner->link, 1, NULL, NULL, 0, 100, &err), 0);
	}
}

static void garbage_is_refused_and_the_rest_served(void **state)
{
	struct scanner scanner;
	uint8_t bytes[300];
	uint32_t seed = 1;

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	for (int i = 0; i < 500; i++) {
		size_t len = (size_t)i % sizeof(bytes);

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		send_raw(&scanner, (struct span){ bytes, len },
			i % 2 ? (struct span){ bytes, 5 } : (struct span){ 0 });
	}
	/* What only a scanner may say. */
	say(&scanner, &(struct wire_message){
			      .type = WIRE_STATE, .state = { .state = WIRE_READY } });
	request(&scanner, 9, span_str(infected_mail));
	assert_verdict(&scanner, 9, VERDICT_INFECTED);
	assert_int_equal(stop(&scanner), 0);
}

static void a_client_that_goes_takes_its_requests_with_it(void **state)
{
	struct wire_message message = { 0 };
	struct scanner scanner;
	struct err err = { 0 };
	pid_t worker;

	(void)state;
	start(&scanner, ONE_WORKER "queue = 1\n");
	(void)await_generation(&scanner, 1);
	worker = stop_worker_with(&scanner, 1, span_str(clean_mail));
	link_close(scanner.link);
	assert_int_equal(
		link_connect(scanner.endpoint, WIRE_HEAD_MAX, &scanner.link, &err), 0);
	request(&scanner, 1, span_str(clean_mail));
	assert_refused(&scanner, 1, WIRE_BUSY);
	assert_int_equal(kill(worker, SIGCONT), 0);
	/* Its place becomes free once the worker is done with it. */
	do {
		wire_message_done(&message);
		request(&scanner, 2, span_str(clean_mail));
		hear_either(&scanner, WIRE_VERDICT, WIRE_REFUSE, &message);
		assert_int_equal(message.id, 2);
	} while (message.type == WIRE_REFUSE);
	assert_int_equal(message.verdict.kind, VERDICT_CLEAN);
	wire_message_done(&message);
	assert_int_equal(stop(&scanner), 0);
}

static int left_over;

static int count_one(
	const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)where;
	left_over += type == FTW_F && strcmp(path + strlen(path) - 4, "lock") != 0;
	left_over += type == FTW_DP && where->level > 0;
	return 0;
}

static void a_stop_ends_everything_and_leaves_nothing(void **state)
{
	char temp[PATHS + 8];
	pid_t host, workers[PIDS_MAX] = { 0 };
	size_t count;
	struct scanner scanner;

	(void)state;
	start(&scanner, "signatures = { \"test\" }\nworkers = 3\n");
	(void)await_generation(&scanner, 1);
	request(&scanner, 1, span_str(infected_mail));
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	while (ask_state(&scanner).workers < 3)
		;
	host = engine_host(&scanner);
	count = children(host, workers);
	assert_int_equal(count, 3);
	assert_int_equal(kill(scanner.pid, SIGTERM), 0);
	while (hear_state(&scanner).state != WIRE_STOPPING)
		;
	assert_int_equal(wait_for(scanner.pid), 0);
	await_end(host);
	for (size_t i = 0; i < count; i++)
		await_end(workers[i]);
	(void)snprintf(temp, sizeof(temp), "%s/temp", scanner.folder);
	left_over = 0;
	assert_int_equal(nftw(temp, count_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(left_over, 0);
	/* And the next one finds everything as it needs it. */
	scanner.pid = spawn_one(&scanner);
	(void)ask_state(&scanner);
	assert_int_equal(stop(&scanner), 0);
}

static void a_killed_parent_takes_all_with_it_and_the_next_one_tidies_up(void **state)
{
	char path[PATHS + 32];
	pid_t host, worker;
	struct scanner scanner;
	struct err err = { 0 };

	(void)state;
	start(&scanner, ONE_WORKER);
	(void)await_generation(&scanner, 1);
	host = engine_host(&scanner);
	worker = only_worker(&scanner);
	assert_int_equal(kill(scanner.pid, SIGKILL), 0);
	assert_int_equal(wait_for(scanner.pid), 128 + SIGKILL);
	link_close(scanner.link);
	scanner.pid = spawn_one(&scanner);
	assert_int_equal(
		link_connect(scanner.endpoint, WIRE_HEAD_MAX, &scanner.link, &err), 0);
	(void)await_generation(&scanner, 1);
	await_end(host);
	await_end(worker);
	(void)snprintf(path, sizeof(path), "%s/temp/e.%d", scanner.folder, (int)host);
	assert_int_equal(access(path, F_OK), -1);
	request(&scanner, 1, span_str(clean_mail));
	assert_verdict(&scanner, 1, VERDICT_CLEAN);
	assert_int_equal(stop(&scanner), 0);
}

/* Started again by itself: "--serve -c FILE", "--engine-host [-q|-v] -c FILE". */
static int serve(int argc, char **argv)
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
	code = strcmp(argv[1], "--serve") == 0 ? broker_run(&settings)
					       : enginehost_main(&settings);
	settings_free(&settings);
	return code;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_answers_while_it_loads_and_says_when_it_is_ready),
		cmocka_unit_test(a_clean_mail_is_clean_and_named_by_its_hash),
		cmocka_unit_test(an_infected_mail_comes_back_with_edits_that_clean_it),
		cmocka_unit_test(many_requests_at_once_are_all_answered_once),
		cmocka_unit_test(a_request_sent_twice_is_answered_once),
		cmocka_unit_test(a_worker_killed_at_work_costs_no_verdict),
		cmocka_unit_test(
			a_worker_that_hangs_is_killed_and_the_mail_scanned_by_another),
		cmocka_unit_test(an_engine_host_killed_at_work_costs_no_verdict),
		cmocka_unit_test(a_hangup_loads_the_signatures_anew_without_a_pause),
		cmocka_unit_test(signatures_that_do_not_load_leave_the_old_ones_in_use),
		cmocka_unit_test(without_signatures_it_says_to_run_freshclam_and_waits),
		cmocka_unit_test(a_second_scanner_is_told_who_is_there),
		cmocka_unit_test(a_large_mail_comes_in_chunks_under_credit),
		cmocka_unit_test(
			what_is_too_much_or_out_of_order_is_refused_and_the_rest_served),
		cmocka_unit_test(garbage_is_refused_and_the_rest_served),
		cmocka_unit_test(a_client_that_goes_takes_its_requests_with_it),
		cmocka_unit_test(a_stop_ends_everything_and_leaves_nothing),
		cmocka_unit_test(
			a_killed_parent_takes_all_with_it_and_the_next_one_tidies_up),
	};

	if (argc > 1)
		return serve(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
