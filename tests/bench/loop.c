/* SPDX-License-Identifier: ISC
 *
 * loop SIGNATURES: the limit of scanning everything: libclamav alone, over files in memory. Each line
 * on standard input is "PROCESSES FOLDER"; so many processes that share the signatures scan what is
 * in the folder, and a line is printed: seconds, processor seconds, files, infected, and the largest
 * resident size of a process in KB. What cannot be scanned ends it.
 */
#include <clamav.h>
#include <dirent.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	FILES_MAX = 4096,
	PROCESSES_MAX = 64,
	PATH_SIZE = 4096
};

struct file {
	char *bytes;
	size_t len;
};

struct batch {
	struct file files[FILES_MAX];
	size_t count;
};

static void add_file(struct batch *batch, const char *path)
{
	struct stat stat;
	FILE *in = fopen(path, "rb");
	if (!in || fstat(fileno(in), &stat) != 0)
		err(1, "%s", path);
	if (batch->count == FILES_MAX)
		errx(1, "%s: more than %d files", path, FILES_MAX);
	struct file file = { .len = (size_t)stat.st_size };
	file.bytes = malloc(file.len + 1);
	if (!file.bytes)
		err(1, "%s", path);
	if (fread(file.bytes, 1, file.len, in) != file.len)
		errx(1, "%s: cannot be read", path);
	(void)fclose(in);
	batch->files[batch->count++] = file;
}

static void read_folder(struct batch *batch, const char *folder)
{
	char path[PATH_SIZE];
	DIR *dir = opendir(folder);
	if (!dir)
		err(1, "%s", folder);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >=
			(int)sizeof(path))
			errx(1, "%s: too long", entry->d_name);
		add_file(batch, path);
	}
	(void)closedir(dir);
}

static void forget(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->files[i].bytes);
	batch->count = 0;
}

static bool infected(const struct cl_engine *engine, const struct file *file)
{
	struct cl_scan_options options = { .parse = ~0U,
		.general = CL_SCAN_GENERAL_HEURISTICS,
		.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX };
	const char *name = NULL;
	unsigned long scanned = 0;
	cl_fmap_t *map = cl_fmap_open_memory(file->bytes, file->len);
	if (!map)
		errx(1, "out of memory");
	const cl_error_t got =
		cl_scanmap_callback(map, NULL, &name, &scanned, engine, &options, NULL);
	cl_fmap_close(map);
	if (got != CL_CLEAN && got != CL_VIRUS)
		errx(1, "libclamav: %s", cl_strerror(got));
	return got == CL_VIRUS;
}

static double now(void)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double seconds(struct timeval at)
{
	return (double)at.tv_sec + (double)at.tv_usec / 1e6;
}

/* Prints the line. The infected are counted in a page that all of them share. */
static void scan(const struct cl_engine *engine, const struct batch *batch, int processes)
{
	int *found = mmap(NULL, PROCESSES_MAX * sizeof(*found), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (found == MAP_FAILED)
		err(1, "mmap");
	double cpu = 0;
	long most_kb = 0;
	int all = 0;
	const double from = now();
	for (int p = 0; p < processes; p++) {
		const pid_t pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (pid != 0)
			continue;
		for (size_t i = (size_t)p; i < batch->count; i += (size_t)processes)
			found[p] += infected(engine, &batch->files[i]);
		_exit(0);
	}
	for (int p = 0; p < processes; p++) {
		struct rusage usage;
		int status = 0;
		if (wait4(-1, &status, 0, &usage) < 0 || status != 0)
			errx(1, "a process failed");
		cpu += seconds(usage.ru_utime) + seconds(usage.ru_stime);
		if (usage.ru_maxrss > most_kb)
			most_kb = usage.ru_maxrss;
	}
	const double took = now() - from;
	for (int p = 0; p < processes; p++)
		all += found[p];
	printf("%.6f %.6f %zu %d %ld\n", took, cpu, batch->count, all, most_kb);
	(void)munmap(found, PROCESSES_MAX * sizeof(*found));
}

int main(int argc, char **argv)
{
	static struct batch batch;
	char line[PATH_SIZE];
	unsigned int count = 0;
	if (argc != 2)
		errx(64, "usage: loop SIGNATURES");
	if (cl_init(0) != CL_SUCCESS)
		errx(1, "libclamav does not start");
	struct cl_engine *engine = cl_engine_new();
	if (!engine || cl_load(argv[1], engine, &count, CL_DB_STDOPT) != CL_SUCCESS ||
		cl_engine_compile(engine) != CL_SUCCESS)
		errx(1, "%s: the signatures do not load", argv[1]);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready %u\n", count);
	while (fgets(line, sizeof(line), stdin)) {
		char *rest = NULL;
		const long processes = strtol(line, &rest, 10);
		rest[strcspn(rest, "\n")] = '\0';
		if (processes < 1 || processes > PROCESSES_MAX || *rest != ' ')
			errx(64, "%s: not PROCESSES FOLDER", line);
		read_folder(&batch, rest + 1);
		scan(engine, &batch, (int)processes);
		forget(&batch);
	}
	(void)cl_engine_free(engine);
	return 0;
}
