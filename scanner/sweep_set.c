/* SPDX-License-Identifier: ISC */
#include "scanner/sweep_set.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/random.h"

enum {
	PAGE = 4096,
	SLOTS = PAGE / 16, /* of a bucket */
	BUCKETS_LEAST = 16,
	SEEN_BYTES = SLOTS / 8, /* of a bucket */
	PATH_SIZE = 4096
};

#define MAGIC "MFSWEEP1"

struct slot {
	uint16_t seen, scanned; /* the last pass, and that of the scan, cut */
	uint8_t kind;           /* SWEEP_NONE: free */
	struct sweep_print print;
};

struct bucket {
	struct slot slots[SLOTS];
};

/* The first page of the file; the buckets follow. */
struct start {
	char magic[8];
	uint64_t salt[2];
	uint64_t buckets; /* a power of two */
};

_Static_assert(sizeof(struct slot) == 16, "a slot is never torn");

struct sweep_set {
	char path[PATH_SIZE];
	int lock, fd;
	struct start start;
	uint64_t count;
	uint8_t *seen;  /* a bit a slot: found, and that is not written yet */
	uint32_t full;  /* the pass in which nothing more fits; 0: none */
	struct err why; /* or in which it could not grow, and why */
};

static off_t offset_of(uint64_t bucket)
{
	return (off_t)((bucket + 1) * PAGE);
}

static int failed(const struct sweep_set *set, const char *what, struct err *err)
{
	return err_errno(err, ERR_AGAIN, "cannot %s %s", what, set->path);
}

static int read_bucket(const struct sweep_set *set, uint64_t index,
	struct bucket *bucket_r, struct err *err)
{
	ssize_t got = pread(set->fd, bucket_r, PAGE, offset_of(index));

	if (got == PAGE)
		return 0;
	return got < 0 ? failed(set, "read", err)
		       : err_set(err, ERR_AGAIN, "%s is cut short", set->path);
}

static int write_at(const struct sweep_set *set, int fd, const void *data, size_t len,
	off_t offset, struct err *err)
{
	ssize_t put = pwrite(fd, data, len, offset);

	if (put == (ssize_t)len)
		return 0;
	return put < 0 ? failed(set, "write", err)
		       : err_set(err, ERR_AGAIN, "%s: no space left", set->path);
}

static uint64_t bucket_of(const struct sweep_print *print, uint64_t buckets)
{
	uint32_t number;

	memcpy(&number, print->bytes, sizeof(number));
	return number & (buckets - 1);
}

/* Older ones stand for files that changed or went. */
static bool is_kept(const struct slot *slot, uint32_t pass)
{
	return slot->kind != SWEEP_NONE &&
	       (slot->seen == (uint16_t)pass || slot->seen == (uint16_t)(pass - 1));
}

/* pass 0: all of them. */
static int count_kept(
	const struct sweep_set *set, uint32_t pass, uint64_t *count_r, struct err *err)
{
	uint64_t count = 0;
	struct bucket bucket;

	for (uint64_t i = 0; i < set->start.buckets; i++) {
		if (read_bucket(set, i, &bucket, err) < 0)
			return -1;
		for (size_t j = 0; j < SLOTS; j++)
			count += pass == 0 ? bucket.slots[j].kind != SWEEP_NONE
					   : is_kept(&bucket.slots[j], pass);
	}
	*count_r = count;
	return 0;
}

/* What of an old bucket goes into the new one with this number. */
static void pick(const struct bucket *from, const struct start *start, uint64_t index,
	uint32_t pass, struct bucket *to)
{
	size_t used = 0;

	memset(to, 0, sizeof(*to));
	for (size_t i = 0; i < SLOTS; i++)
		if (is_kept(&from->slots[i], pass) &&
			bucket_of(&from->slots[i].print, start->buckets) == index)
			to->slots[used++] = from->slots[i];
}

static int copy_buckets(const struct sweep_set *set, const struct start *start,
	uint32_t pass, int fd, struct err *err)
{
	struct bucket from, to;

	for (uint64_t i = 0; i < set->start.buckets; i++) {
		if (read_bucket(set, i, &from, err) < 0)
			return -1;
		for (uint64_t j = i; j < start->buckets; j += set->start.buckets) {
			pick(&from, start, j, pass, &to);
			if (write_at(set, fd, &to, PAGE, offset_of(j), err) < 0)
				return -1;
		}
	}
	return 0;
}

static int flush_bucket(
	const struct sweep_set *set, uint64_t index, uint32_t pass, struct err *err)
{
	uint8_t *bits = set->seen + index * SEEN_BYTES;
	struct bucket bucket;

	if (read_bucket(set, index, &bucket, err) < 0)
		return -1;
	for (size_t i = 0; i < SLOTS; i++)
		if ((bits[i / 8] & 1U << i % 8) != 0)
			bucket.slots[i].seen = (uint16_t)pass;
	if (write_at(set, set->fd, &bucket, PAGE, offset_of(index), err) < 0)
		return -1;
	memset(bits, 0, SEEN_BYTES);
	return 0;
}

int sweep_set_flush(struct sweep_set *set, uint32_t pass, struct err *err)
{
	static const uint8_t none[SEEN_BYTES];

	for (uint64_t i = 0; i < set->start.buckets; i++)
		if (memcmp(set->seen + i * SEEN_BYTES, none, SEEN_BYTES) != 0 &&
			flush_bucket(set, i, pass, err) < 0)
			return -1;
	return 0;
}

static int fill(const struct sweep_set *set, const struct start *start, uint32_t pass,
	int fd, struct err *err)
{
	uint8_t page[PAGE] = { 0 };

	memcpy(page, start, sizeof(*start));
	if (write_at(set, fd, page, PAGE, 0, err) < 0 ||
		(pass > 0 && copy_buckets(set, start, pass, fd, err) < 0))
		return -1;
	return ftruncate(fd, offset_of(start->buckets)) < 0 || fdatasync(fd) < 0
		       ? failed(set, "make", err)
		       : 0;
}

/* A whole file that takes the place of the present one, if there is one. pass 0: an empty one. */
static int replace(
	struct sweep_set *set, const struct start *start, uint32_t pass, struct err *err)
{
	uint8_t *seen DEFER(defer_free) = calloc(start->buckets, SEEN_BYTES);
	char path[PATH_SIZE + 8];
	auto_close int fd = -1;

	if (!seen)
		return err_memory(err);
	(void)snprintf(path, sizeof(path), "%s.new", set->path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(set, "make", err);
	if (fill(set, start, pass, fd, err) < 0 ||
		(rename(path, set->path) < 0 && failed(set, "replace", err) < 0)) {
		/* Where a disk is full it would keep it so. */
		(void)unlink(path);
		return -1;
	}
	if (set->fd >= 0)
		(void)close(set->fd);
	set->fd = take_fd(&fd);
	set->start = *start;
	free(set->seen);
	set->seen = take_ptr(&seen);
	return 0;
}

static int rebuild(struct sweep_set *set, uint32_t pass, struct err *err)
{
	struct start start = set->start;
	uint64_t kept = 0;

	if (sweep_set_flush(set, pass, err) < 0 || count_kept(set, pass, &kept, err) < 0)
		return -1;
	/* With room to grow by a half before the next time. */
	while (kept >= start.buckets * SLOTS / 3 && start.buckets < SWEEP_SET_BUCKETS_MAX)
		start.buckets *= 2;
	if (replace(set, &start, pass, err) < 0)
		return -1;
	set->count = kept;
	return 0;
}

static bool is_ours(const struct sweep_set *set)
{
	const struct start *start = &set->start;
	struct stat stat;

	return memcmp(start->magic, MAGIC, sizeof(start->magic)) == 0 &&
	       start->buckets >= BUCKETS_LEAST &&
	       start->buckets <= SWEEP_SET_BUCKETS_MAX &&
	       (start->buckets & (start->buckets - 1)) == 0 &&
	       fstat(set->fd, &stat) == 0 && stat.st_size == offset_of(start->buckets);
}

static int open_table(struct sweep_set *set, struct err *err)
{
	struct start start = { .magic = MAGIC, .buckets = BUCKETS_LEAST };

	set->fd = open(set->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (set->fd >= 0 &&
		pread(set->fd, &set->start, sizeof(set->start), 0) ==
			(ssize_t)sizeof(set->start) &&
		is_ours(set)) {
		set->seen = calloc(set->start.buckets, SEEN_BYTES);
		return set->seen ? count_kept(set, 0, &set->count, err) : err_memory(err);
	}
	start.salt[0] = random_number();
	start.salt[1] = random_number();
	return replace(set, &start, 0, err);
}

int sweep_set_open(const char *dir, struct sweep_set **set_r, struct err *err)
{
	auto_sweep_set struct sweep_set *set = calloc(1, sizeof(*set));
	char lock[PATH_SIZE];

	if (!set)
		return err_memory(err);
	set->lock = set->fd = -1;
	if (snprintf(set->path, sizeof(set->path), "%s/remembered", dir) >=
		(int)sizeof(set->path))
		return err_set(err, ERR_SETTINGS, "sweep-state: the path is too long");
	(void)snprintf(lock, sizeof(lock), "%.4080s/lock", dir);
	if (file_mkdirs(dir, 0700, err) < 0 || file_lock(lock, &set->lock, err) < 0 ||
		open_table(set, err) < 0)
		return -1;
	*set_r = take_ptr(&set);
	return 0;
}

void sweep_set_close(struct sweep_set *set)
{
	if (!set)
		return;
	if (set->fd >= 0)
		(void)close(set->fd);
	if (set->lock >= 0)
		(void)close(set->lock);
	free(set->seen);
	free(set);
}

int sweep_set_print(const struct sweep_set *set, const struct stat *stat,
	const struct hash *digest, bool is_mail, struct sweep_print *print_r,
	struct err *err)
{
	const uint64_t numbers[] = { set->start.salt[0], set->start.salt[1],
		(uint64_t)stat->st_dev, (uint64_t)stat->st_ino, (uint64_t)stat->st_size,
		(uint64_t)stat->st_mtim.tv_sec, (uint64_t)stat->st_mtim.tv_nsec,
		(uint64_t)stat->st_ctim.tv_sec, (uint64_t)stat->st_ctim.tv_nsec,
		is_mail };
	uint8_t all[sizeof(numbers) + HASH_SIZE];
	struct hash hash;

	memcpy(all, numbers, sizeof(numbers));
	memcpy(all + sizeof(numbers), digest->bytes, HASH_SIZE);
	if (hash_span((struct span){ all, sizeof(all) }, &hash, err) < 0)
		return -1;
	memcpy(print_r->bytes, hash.bytes, SWEEP_PRINT_SIZE);
	return 0;
}

/* The slot with this print, or one that is free, or SLOTS. */
static size_t slot_for(const struct bucket *bucket, const struct sweep_print *print)
{
	size_t free_one = SLOTS;

	for (size_t i = 0; i < SLOTS; i++) {
		if (bucket->slots[i].kind == SWEEP_NONE)
			free_one = free_one < SLOTS ? free_one : i;
		else if (memcmp(&bucket->slots[i].print, print, sizeof(*print)) == 0)
			return i;
	}
	return free_one;
}

int sweep_set_find(struct sweep_set *set, const struct sweep_print *print, uint32_t pass,
	enum sweep_kind *kind_r, bool *now_r, struct err *err)
{
	uint64_t index = bucket_of(print, set->start.buckets);
	struct bucket bucket;
	const struct slot *found;
	size_t slot;

	if (read_bucket(set, index, &bucket, err) < 0)
		return -1;
	slot = slot_for(&bucket, print);
	*kind_r = SWEEP_NONE;
	*now_r = false;
	if (slot == SLOTS || bucket.slots[slot].kind == SWEEP_NONE ||
		bucket.slots[slot].kind > SWEEP_UNSCANNABLE)
		return 0;
	found = &bucket.slots[slot];
	if (found->seen != (uint16_t)pass)
		set->seen[index * SEEN_BYTES + slot / 8] |= (uint8_t)(1U << slot % 8);
	*kind_r = (enum sweep_kind)found->kind;
	*now_r = found->scanned == (uint16_t)pass;
	return 0;
}

/* -1: there is none in this pass. That costs a look at the whole table, and so once a pass. */
static int make_room(struct sweep_set *set, uint32_t pass)
{
	if (set->full == pass)
		return -1;
	if (set->count < set->start.buckets * SLOTS / 2)
		return 0;
	set->why = (struct err){ 0 };
	if (rebuild(set, pass, &set->why) == 0 &&
		set->count < set->start.buckets * SLOTS / 2)
		return 0;
	set->full = pass;
	return -1;
}

int sweep_set_add(struct sweep_set *set, const struct sweep_print *print,
	enum sweep_kind kind, uint32_t pass, struct err *err)
{
	struct slot added = { .seen = (uint16_t)pass,
		.scanned = (uint16_t)pass,
		.kind = (uint8_t)kind,
		.print = *print };
	struct bucket bucket;
	uint64_t index;
	size_t slot;

	if (make_room(set, pass) < 0)
		return set->why.kind == ERR_NONE
			       ? 0
			       : err_set(err, set->why.kind, "%s", set->why.text);
	index = bucket_of(print, set->start.buckets);
	if (read_bucket(set, index, &bucket, err) < 0)
		return -1;
	slot = slot_for(&bucket, print);
	if (slot == SLOTS)
		return 0;
	if (write_at(set, set->fd, &added, sizeof(added),
		    offset_of(index) + (off_t)(slot * sizeof(added)), err) < 0)
		return -1;
	set->count += bucket.slots[slot].kind == SWEEP_NONE;
	return 0;
}

uint64_t sweep_set_count(const struct sweep_set *set)
{
	return set->count;
}
