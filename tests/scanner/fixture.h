/* SPDX-License-Identifier: ISC
 *
 * An engine with the EICAR signature and a temp folder of its own, and things to scan. */
#ifndef TESTS_SCANNER_FIXTURE_H
#define TESTS_SCANNER_FIXTURE_H

#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"

#include "scanner/engine.h"

#define EICAR                                                                            \
	"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-"                                   \
	"ANTIVIRUS-TEST-FILE!$H+H*"
#define EICAR_NAME "Eicar-Test-Signature"

/* The same in base64, as a mail carries it. */
#define EICAR_BASE64                                                                     \
	"WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJV"           \
	"Uy1URVNULUZJTEUhJEgrSCo="

enum {
	FIXTURE_MAX = 64 * 1024 * 1024,
	ZIP_ENCRYPTED = 1
};

struct fixture {
	char folder[64]; /* the engine's temp folder stands in it */
	char temp[80];
	struct settings settings;
	char *items[4];
	struct engine *engine;
	struct job_loaded loaded;
	struct err err;
};

static inline void fixture_start(struct fixture *f)
{
	*f = (struct fixture){ .folder = "/tmp/test-scanner-XXXXXX" };
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->temp, sizeof(f->temp), "%s/temp", f->folder);
	assert_int_equal(mkdir(f->temp, 0700), 0);
	f->settings = (struct settings){
		.signatures = { f->items, 1 },
		.temp_dir = f->folder,
		.message_max = FIXTURE_MAX,
		.scan_timeout_ms = 30000,
		.scan_size_max = 400UL << 20,
		.file_size_max = 100UL << 20,
		.files_max = 10000,
		.recursion_max = 17,
	};
	f->items[0] = strdup("test");
}

static inline void fixture_load(struct fixture *f)
{
	if (engine_load(&f->settings, &f->engine, &f->loaded, &f->err) < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(engine_use_temp(f->engine, f->temp, &f->err), 0);
}

static inline void fixture_stop(struct fixture *f)
{
	engine_free(f->engine);
	free(f->items[0]);
	/* What a test or the engine leaves behind is a failure. */
	if (rmdir(f->temp) < 0)
		assert_int_equal(errno, ENOENT);
	assert_int_equal(rmdir(f->folder), 0);
}

static inline void put_span(struct buf *out, struct span bytes)
{
	assert_int_equal(buf_add(out, bytes.data, bytes.len, NULL), 0);
}

static inline void put_text(struct buf *out, const char *text)
{
	put_span(out, span_str(text));
}

static inline void put_number(struct buf *out, uint32_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(value >> (8 * i));

		assert_int_equal(buf_add(out, &byte, 1, NULL), 0);
	}
}

static inline void put_zip_entry(
	struct buf *out, const char *name, struct span data, uint32_t flags)
{
	put_number(out, 10, 2);
	put_number(out, flags, 2);
	put_number(out, 0, 2);          /* stored */
	put_number(out, 0x5a210000, 4); /* 2025-01-01 */
	put_number(out, 0, 4);          /* CRC: libclamav does not look */
	put_number(out, (uint32_t)data.len, 4);
	put_number(out, (uint32_t)data.len, 4);
	put_number(out, (uint32_t)strlen(name), 2);
	put_number(out, 0, 2);
}

/* A zip with one stored member. */
static inline void make_zip(
	struct buf *out, const char *name, struct span data, uint32_t flags)
{
	uint32_t start = (uint32_t)out->len, central;

	put_number(out, 0x04034b50, 4);
	put_zip_entry(out, name, data, flags);
	assert_int_equal(buf_add_str(out, name, NULL), 0);
	assert_int_equal(buf_add(out, data.data, data.len, NULL), 0);
	central = (uint32_t)out->len - start;
	put_number(out, 0x02014b50, 4);
	put_number(out, 20, 2);
	put_zip_entry(out, name, data, flags);
	put_number(out, 0, 4);
	put_number(out, 0, 2);
	put_number(out, 0, 4);
	put_number(out, 0, 4);
	assert_int_equal(buf_add_str(out, name, NULL), 0);
	put_number(out, 0x06054b50, 4);
	put_number(out, 0, 4);
	put_number(out, 0x00010001, 4);
	put_number(out, (uint32_t)out->len - start - central - 12, 4);
	put_number(out, central, 4);
	put_number(out, 0, 2);
}

/* In base64, lines of 76 with this line end. */
static inline void add_base64(struct buf *out, struct span data, const char *eol)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < data.len; i += 3) {
		struct span three = span_part(data, i, 3);
		uint8_t second = three.len > 1 ? three.data[1] : 0;
		uint8_t third = three.len > 2 ? three.data[2] : 0;
		char four[4] = { alphabet[three.data[0] >> 2],
			alphabet[(three.data[0] & 3) << 4 | second >> 4], '=', '=' };

		if (three.len > 1)
			four[2] = alphabet[(second & 15) << 2 | third >> 6];
		if (three.len > 2)
			four[3] = alphabet[third & 63];
		assert_int_equal(buf_add(out, four, 4, NULL), 0);
		if (i % 57 == 54)
			assert_int_equal(buf_add_str(out, eol, NULL), 0);
	}
}

#endif
