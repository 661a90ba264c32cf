/* SPDX-License-Identifier: ISC
 *
 * judge SECONDS FILE...: how fast mail is judged: in this process, from memory. All files in turn, again
 * and again for so long; a line for each class of sizes and one for all: files, how many of them are
 * suspicious, bytes, and the median of the rounds in MB (10^6 bytes) a second of processor time. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/file.h"
#include "common/mime.h"
#include "common/parse.h"

#include "mailfilter/judge.h"

enum {
	SECONDS_MAX = 3600,
	ROUNDS_MAX = 10000,
	FILE_MAX = 64 * 1024 * 1024
};

struct size_class {
	const char *name;
	size_t most; /* bytes of a file */
	size_t files, suspicious, bytes;
	double rates[ROUNDS_MAX];
};

/* What is larger is not even read: it would look as if it were judged in no time. */
static struct size_class classes[] = {
	{ .name = "up to 16 KB", .most = (size_t)16 * 1024 },
	{ .name = "up to 64 KB", .most = (size_t)64 * 1024 },
	{ .name = "up to 256 KB", .most = (size_t)256 * 1024 },
	{ .name = "up to 1 MB", .most = JUDGE_BYTES_MAX },
	{ .name = "all" },
};
enum {
	ALL = sizeof(classes) / sizeof(classes[0]) - 1
};

static double now(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void read_file(const char *path, struct buf *file)
{
	struct err err = { 0 };

	buf_init(file, FILE_MAX);
	if (file_read(path, FILE_MAX, file, &err) < 0)
		errx(1, "%s", err.text);
}

static struct size_class *class_of(size_t len)
{
	struct size_class *class = classes;

	while (class < classes + ALL && len > class->most)
		class ++;
	return class < classes + ALL ? class : NULL;
}

static void add(struct size_class *class, size_t len, bool suspicious)
{
	class->files++;
	class->suspicious += suspicious;
	class->bytes += len;
}

static void count(const struct buf *files, size_t file_count)
{
	for (size_t i = 0; i < file_count; i++) {
		struct size_class *const class = class_of(files[i].len);
		bool suspicious;

		if (!class)
			continue;
		suspicious = judge_message(buf_span(&files[i])) != 0;
		add(class, files[i].len, suspicious);
		add(&classes[ALL], files[i].len, suspicious);
	}
}

static void judge_all(const struct buf *files, size_t file_count, size_t round)
{
	double seconds[ALL + 1] = { 0 };

	for (size_t i = 0; i < file_count; i++) {
		const struct size_class *const class = class_of(files[i].len);
		double from = now(), took;

		if (!class)
			continue;
		(void)judge_message(buf_span(&files[i]));
		took = now() - from;
		seconds[class - classes] += took;
		seconds[ALL] += took;
	}
	for (size_t i = 0; i <= ALL; i++)
		classes[i].rates[round] =
			seconds[i] > 0 ? (double)classes[i].bytes / 1e6 / seconds[i] : 0;
}

static int compare(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static void print(struct size_class *class, size_t rounds)
{
	if (class->files == 0)
		return;
	qsort(class->rates, rounds, sizeof(class->rates[0]), compare);
	printf("    %-14s %5zu files, %3zu suspicious %8.2f MB %8.0f MB/s  (%.0f-%.0f)\n",
		class->name, class->files, class->suspicious, (double)class->bytes / 1e6,
		class->rates[rounds / 2], class->rates[0], class->rates[rounds - 1]);
}

int main(int argc, char **argv)
{
	struct buf *files;
	uint64_t seconds = 0;
	size_t rounds = 0;
	double from;

	if (argc < 3 || parse_number(argv[1], 1, SECONDS_MAX, &seconds, NULL) < 0)
		errx(64, "usage: judge SECONDS FILE...");
	files = calloc((size_t)argc, sizeof(*files));
	if (!files)
		errx(1, "out of memory");
	for (int i = 2; i < argc; i++)
		read_file(argv[i], &files[i - 2]);
	mime_start();
	count(files, (size_t)argc - 2);
	if (classes[ALL].files == 0)
		errx(1, "no file is small enough to be judged");
	from = now();
	while (rounds < ROUNDS_MAX && (rounds == 0 || now() - from < (double)seconds))
		judge_all(files, (size_t)argc - 2, rounds++);
	printf("Judging on one core, in one process, from memory: median of %zu rounds (least-most)\n",
		rounds);
	for (size_t i = 0; i <= ALL; i++)
		print(&classes[i], rounds);
	for (int i = 2; i < argc; i++)
		buf_done(&files[i - 2]);
	free(files);
	return 0;
}
