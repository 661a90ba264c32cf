/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/buf.h"
#include "common/file.h"

#include "scanner/memory.h"
#include "scanner/pages.h"

enum {
	SIZE = 16 * 1024 * 1024,
	FILE_MAX = 64 * 1024
};

static uint64_t in_large_pages(void)
{
	auto_buf struct buf file;
	uint64_t bytes = 0;
	const char *text;
	struct err err;

	buf_init(&file, FILE_MAX);
	assert_int_equal(
		file_read("/proc/self/smaps_rollup", FILE_MAX - 1, &file, &err), 0);
	assert_int_equal(buf_text(&file, &text, &err), 0);
	(void)memory_field(text, "AnonHugePages", &bytes);
	return bytes;
}

static bool kernel_can(uint8_t *memory)
{
	/* MADV_COLLAPSE */
	return madvise(memory, SIZE, 25) == 0;
}

static uint8_t *make(void)
{
	uint8_t *memory = mmap(
		NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	for (size_t i = 0; i < SIZE; i++)
		memory[i] = (uint8_t)(i * 2654435761U >> 24);
	return memory;
}

static void collapse_keeps_every_byte_and_uses_large_pages(void **state)
{
	uint8_t *probe = make(), *memory = make();
	bool can = kernel_can(probe);
	uint64_t before = in_large_pages();

	(void)state;
	pages_collapse();
	for (size_t i = 0; i < SIZE; i++)
		if (memory[i] != (uint8_t)(i * 2654435761U >> 24))
			fail_msg("byte %zu is another", i);
	if (can)
		assert_true(in_large_pages() >= before + SIZE / 2);
	assert_int_equal(munmap(memory, SIZE), 0);
	assert_int_equal(munmap(probe, SIZE), 0);
}

static void memory_that_was_not_used_stays_free(void **state)
{
	uint8_t *memory = mmap(
		NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char pages[SIZE / 4096];
	size_t used = 0;

	(void)state;
	assert_ptr_not_equal(memory, MAP_FAILED);
	pages_collapse();
	assert_int_equal(mincore(memory, SIZE, pages), 0);
	for (size_t i = 0; i < sizeof(pages); i++)
		used += pages[i] & 1;
	assert_int_equal(used, 0);
	assert_int_equal(munmap(memory, SIZE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collapse_keeps_every_byte_and_uses_large_pages),
		cmocka_unit_test(memory_that_was_not_used_stays_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
