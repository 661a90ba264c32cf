/* SPDX-License-Identifier: ISC
 *
 * What a worker that was taken over would try, and what it gets. The scans that go on working
 * behind the same walls. */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "tests/scanner/fixture.h"
#include "tests/scanner/make_archive.h"
#include "tests/scanner/sandboxed.h"

#include "common/mime.h"

#include "scanner/charsets.h"
#include "scanner/dissect.h"

/* Beside the sandbox's folder, made before: a file that the same user may change. */
static char outside[] = "/tmp/mailfilter-outside.XXXXXX";

static int setup(void **state)
{
	int fd = mkstemp(outside);

	if (fd < 0 || close(fd) < 0)
		return -1;
	mime_start();
	return sandboxed_setup(state);
}

/* As it was made. */
static int teardown(void **state)
{
	struct stat file;

	if (stat(outside, &file) < 0 || file.st_size != 0 || file.st_nlink != 1 ||
		(file.st_mode & 07777) != 0600 || unlink(outside) < 0)
		return -1;
	return sandboxed_teardown(state);
}

/* One system call, as the kernel sees it. */
struct attempt {
	const char *name;
	int result; /* errno, or the signal that ends who tries */
	long call;
	long args[6];
};

static const struct attempt *attempt;

enum {
	PARENT = -77 /* an argument: the pid of the parent */
};

static long at(const void *pointer)
{
	return (long)(intptr_t)pointer;
}

static int makes_the_attempt(int keep_fd)
{
	long args[6];

	(void)keep_fd;
	for (size_t i = 0; i < 6; i++)
		args[i] = attempt->args[i] == PARENT ? getppid() : attempt->args[i];
	return syscall(attempt->call, args[0], args[1], args[2], args[3], args[4],
		       args[5]) >= 0
		       ? OK
		       : errno;
}

static void assert_ended(const struct attempt *all, size_t count, enum inside kind)
{
	for (size_t i = 0; i < count; i++) {
		struct sandboxed inside;

		attempt = &all[i];
		inside = sandboxed_start(makes_the_attempt, kind);
		assert_signal(all[i].name, sandboxed_end(&inside), all[i].result);
	}
}

static void assert_refused(const struct attempt *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct sandboxed inside;

		attempt = &all[i];
		inside = sandboxed_start(makes_the_attempt, INSIDE_WORKER);
		assert_code(all[i].name, sandboxed_end(&inside), all[i].result);
	}
}

#define COUNT(all) (sizeof(all) / sizeof(*(all)))

/* Landlock's answer is an error: a library that looks for a file does without. */
static void files_outside_its_folder_are_out_of_reach(void **state)
{
	char up[64], way_up[SANDBOXED_PATH_MAX];
	const long made = at("/tmp/mailfilter-made"), other = at(outside);
	const struct attempt all[] = {
		{ "shadow", EACCES, SYS_openat, { AT_FDCWD, at("/etc/shadow") } },
		{ "passwd", EACCES, SYS_openat, { AT_FDCWD, at("/etc/passwd") } },
		{ "its program", EACCES, SYS_openat, { AT_FDCWD, at("/proc/self/exe") } },
		{ "its memory", EACCES, SYS_openat,
			{ AT_FDCWD, at("/proc/self/mem"), O_RDWR } },
		{ "the folder of all", EACCES, SYS_openat,
			{ AT_FDCWD, at("/tmp"), O_DIRECTORY } },
		{ "a way up", EACCES, SYS_openat, { AT_FDCWD, at(way_up) } },
		{ "write", EACCES, SYS_openat, { AT_FDCWD, other, O_WRONLY | O_APPEND } },
		{ "empty", EACCES, SYS_openat, { AT_FDCWD, other, O_WRONLY | O_TRUNC } },
		{ "make", EACCES, SYS_openat,
			{ AT_FDCWD, made, O_WRONLY | O_CREAT, 0600 } },
		{ "make a folder", EACCES, SYS_mkdirat, { AT_FDCWD, made, 0700 } },
		{ "remove", EACCES, SYS_unlinkat, { AT_FDCWD, other, 0 } },
	};

	(void)state;
	skip_without_paths();
	(void)snprintf(up, sizeof(up), "..%s", strrchr(outside, '/'));
	(void)sandboxed_path(up, way_up);
	assert_refused(all, COUNT(all));
}

static void what_libraries_try_in_vain_fails(void **state)
{
	const int code = PROT_READ | PROT_WRITE | PROT_EXEC;
	const struct attempt all[] = {
		{ "make code", EPERM, SYS_mmap,
			{ 0, 4096, code, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
		{ "turn data into code", EPERM, SYS_mprotect,
			{ at(outside) & ~4095L, 4096, PROT_READ | PROT_EXEC } },
		{ "a mode", EPERM, SYS_fchmodat, { AT_FDCWD, at(outside), 0777 } },
		{ "a terminal", ENOTTY, SYS_ioctl, { 2, TIOCSTI, at("x") } },
	};

	(void)state;
	skip_without_filter();
	assert_refused(all, COUNT(all));
}

static int opens_300_files(int keep_fd)
{
	for (int i = 0; i < 300; i++)
		if (dup(keep_fd) < 0)
			return i > 200 ? errno : WRONG;
	return OK;
}

static int raises_a_limit(int keep_fd)
{
	const struct rlimit more = { 4096, 4096 };

	(void)keep_fd;
	return setrlimit(RLIMIT_NOFILE, &more) < 0 ? errno : OK;
}

static void its_limits_hold(void **state)
{
	struct sandboxed inside = sandboxed_start(opens_300_files, INSIDE_WORKER);

	(void)state;
	assert_code("opens_300_files", sandboxed_end(&inside), EMFILE);
	inside = sandboxed_start(raises_a_limit, INSIDE_WORKER);
	assert_code("raises_a_limit", sandboxed_end(&inside), EPERM);
}

static const struct attempt host_ends[] = {
	{ "socket", SIGSYS, SYS_socket, { AF_INET, SOCK_STREAM } },
	{ "local socket", SIGSYS, SYS_socket, { AF_UNIX, SOCK_DGRAM } },
	{ "run a program", SIGSYS, SYS_execve, { 0 } },
	{ "run an open one", SIGSYS, SYS_execveat, { -1 } },
	{ "trace", SIGSYS, SYS_ptrace, { PTRACE_ATTACH, PARENT } },
	{ "read others", SIGSYS, SYS_process_vm_readv, { PARENT } },
	{ "load into the kernel", SIGSYS, SYS_bpf, { 0 } },
	{ "a ring", SIGSYS, SYS_io_uring_setup, { 1 } },
	{ "a namespace", SIGSYS, SYS_unshare, { CLONE_NEWUSER } },
	{ "mount", SIGSYS, SYS_mount, { 0 } },
};

static void what_no_scan_does_ends_it(void **state)
{
	const long other = at(outside);
	char path[SANDBOXED_PATH_MAX];
	const long own = at(sandboxed_path("link", path));
	const struct attempt all[] = {
		{ "fork", SIGSYS, SYS_clone, { SIGCHLD } },
		{ "fork anew", SIGSYS, SYS_clone3, { 0 } },
		{ "thread", SIGSYS, SYS_clone,
			{ CLONE_VM | CLONE_SIGHAND | CLONE_THREAD } },
		{ "socket pair", SIGSYS, SYS_socketpair, { AF_UNIX, SOCK_STREAM } },
		{ "connect", SIGSYS, SYS_connect, { 3 } },
		{ "kill", SIGSYS, SYS_kill, { PARENT, 0 } },
		{ "kill a thread", SIGSYS, SYS_tgkill, { PARENT, PARENT, 0 } },
		{ "limit others", SIGSYS, SYS_prlimit64, { PARENT, RLIMIT_NOFILE } },
		{ "signal by a socket", SIGSYS, SYS_fcntl, { 3, F_SETOWN, PARENT } },
		{ "symbolic link", SIGSYS, SYS_symlinkat, { at("/etc"), AT_FDCWD, own } },
		{ "link", SIGSYS, SYS_linkat, { AT_FDCWD, other, AT_FDCWD, own } },
		{ "rename", SIGSYS, SYS_renameat2, { AT_FDCWD, other, AT_FDCWD, own } },
		{ "truncate", SIGSYS, SYS_truncate, { other, 1 } },
		{ "give away", SIGSYS, SYS_fchownat,
			{ AT_FDCWD, other, NOBODY, NOBODY } },
		{ "become root", SIGSYS, SYS_setuid, { 0 } },
		{ "memory of others", SIGSYS, SYS_shmget, { IPC_PRIVATE, 4096 } },
		{ "keys", SIGSYS, SYS_keyctl, { 0 } },
		{ "the clock", SIGSYS, SYS_clock_settime, { CLOCK_REALTIME } },
		{ "a call that is none", SIGSYS, 4095, { 0 } },
	};

	(void)state;
	skip_without_filter();
	assert_ended(all, COUNT(all), INSIDE_WORKER);
	assert_ended(host_ends, COUNT(host_ends), INSIDE_WORKER);
}

static int forks_and_reads(int keep_fd)
{
	pid_t pid = fork();
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	(void)keep_fd;
	if (pid == 0)
		_exit(OK);
	return pid > 0 && fd >= 0 && close(fd) == 0 ? OK : WRONG;
}

static void an_engine_host_has_no_network_and_starts_no_program(void **state)
{
	struct sandboxed inside;

	(void)state;
	skip_without_filter();
	assert_ended(host_ends, COUNT(host_ends), INSIDE_HOST);
	inside = sandboxed_start(forks_and_reads, INSIDE_HOST);
	assert_code("forks_and_reads", sandboxed_end(&inside), OK);
}

static struct fixture f;

static int finds_eicar_in_a_zip_in_a_mail(int keep_fd)
{
	struct result result;
	auto_buf struct buf zip, mail;

	(void)keep_fd;
	buf_init(&zip, 4096);
	buf_init(&mail, 4096);
	make_zip(&zip, "eicar.com", span_str(EICAR), 0);
	if (buf_add_str(&mail,
		    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/zip\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n",
		    NULL) < 0)
		return WRONG;
	add_base64(&mail, buf_span(&zip), "\r\n");
	if (engine_use_temp(f.engine, sandboxed_temp, NULL) < 0 ||
		engine_probe(f.engine, NULL) < 0)
		return CANNOT_ENTER;
	engine_scan(f.engine, buf_span(&mail), NULL, &result);
	return result.kind == VERDICT_INFECTED ? OK : WRONG;
}

enum {
	ARCHIVES = 13
};
static struct buf archives[ARCHIVES];

/* With a member too large for memory, which goes through the temp folder. Made
 * outside: the writers of some kinds have files of their own. */
static void make_archives(void)
{
	static char large[600UL * 1024];
	const struct member members[] = { { "large.txt", large }, { "e.com", EICAR } };
	static const struct {
		const char *format, *filter;
	} kinds[ARCHIVES - 1] = { { "zip", NULL }, { "7zip", NULL }, { "ustar", "zstd" },
		{ "pax", "gzip" }, { "gnutar", "bzip2" }, { "newc", "xz" },
		{ "odc", "lz4" }, { "ustar", "lzip" }, { "ustar", "lzma" },
		{ "ustar", "compress" }, { "xar", NULL }, { "arbsd", NULL } };
	struct buf *rar = &archives[ARCHIVES - 1];

	memset(large, 'x', sizeof(large) - 1);
	for (size_t i = 0; i < ARCHIVES; i++)
		buf_init(&archives[i], FIXTURE_MAX);
	for (size_t i = 0; i < ARCHIVES - 1; i++)
		make_archive(
			&archives[i], kinds[i].format, kinds[i].filter, NULL, members, 2);
	start_rar5(rar, false);
	add_rar5(rar, "large", span_str(large), false);
	add_rar5(rar, "e.com", span_str(EICAR), false);
	end_rar5(rar);
}

static int finds_eicar_in_archives_of_all_kinds(int keep_fd)
{
	(void)keep_fd;
	if (engine_use_temp(f.engine, sandboxed_temp, NULL) < 0)
		return CANNOT_ENTER;
	for (size_t i = 0; i < ARCHIVES; i++) {
		auto_dissection struct dissection *dissection = NULL;
		struct result result;

		engine_begin(f.engine);
		if (dissection_new(f.engine, &dissection, NULL) < 0)
			return WRONG;
		dissect(dissection, buf_span(&archives[i]), &result);
		if (result.kind != VERDICT_INFECTED)
			return WRONG;
	}
	return OK;
}

static void a_scan_finds_what_it_finds_outside(void **state)
{
	(void)state;
	fixture_start(&f);
	fixture_load(&f);
	assert_inside(finds_eicar_in_a_zip_in_a_mail);
	make_archives();
	assert_inside(finds_eicar_in_archives_of_all_kinds);
	for (size_t i = 0; i < ARCHIVES; i++)
		buf_done(&archives[i]);
	fixture_stop(&f);
}

/* The euro sign and what it is in UTF-8; or a letter that the charset has. */
static int converts_charsets(int keep_fd)
{
	static const struct {
		const char *charset, *in, *out;
	} all[] = { { "UTF-16LE", "\xac\x20", "\xe2\x82\xac" },
		{ "UTF-32BE", "\0\0\x20\xac", "\xe2\x82\xac" },
		{ "WINDOWS-1252", "\x80", "\xe2\x82\xac" },
		{ "KOI8-R", "\xc1", "\xd0\xb0" }, { "BIG5", "\xa4\xa4", "\xe4\xb8\xad" },
		{ "GB18030", "\xd6\xd0", "\xe4\xb8\xad" },
		{ "SHIFT_JIS", "\x92\x86", "\xe4\xb8\xad" },
		{ "EUC-KR", "\xb0\xa1", "\xea\xb0\x80" }, { "IBM037", "\x81", "a" } };

	(void)keep_fd;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char in[8], out[8] = "", *from = in, *to = out;
		size_t left = i == 1 ? 4 : strlen(all[i].in), room = sizeof(out) - 1;
		iconv_t charset = iconv_open("UTF-8", all[i].charset);

		memcpy(in, all[i].in, left);
		/* One that did not open, too, makes iconv fail. */
		if (iconv(charset, &from, &left, &to, &room) == (size_t)-1 ||
			strcmp(out, all[i].out) != 0 || iconv_close(charset) < 0)
			return WRONG;
	}
	return OK;
}

static void charsets_loaded_before_still_convert(void **state)
{
	auto_charsets struct charsets charsets;

	(void)state;
	charsets_open(&charsets);
	assert_true(charsets.count > 90);
	assert_inside(converts_charsets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_outside_its_folder_are_out_of_reach),
		cmocka_unit_test(what_libraries_try_in_vain_fails),
		cmocka_unit_test(its_limits_hold),
		cmocka_unit_test(what_no_scan_does_ends_it),
		cmocka_unit_test(an_engine_host_has_no_network_and_starts_no_program),
		cmocka_unit_test(a_scan_finds_what_it_finds_outside),
		cmocka_unit_test(charsets_loaded_before_still_convert),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
