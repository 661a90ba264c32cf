/* SPDX-License-Identifier: ISC
 *
 * Bytes as libclamav alone scans them, and signatures of a test's own. */
#ifndef TESTS_SCANNER_FOUND_H
#define TESTS_SCANNER_FOUND_H

#include "tests/scanner/engined.h"

static inline struct result scan(struct span bytes)
{
	struct result result;

	engine_scan(f.engine, bytes, NULL, &result);
	return result;
}

static inline void assert_result(struct result result, enum verdict_kind kind,
	enum verdict_reason reason, const char *signature)
{
	if (result.kind != kind || result.reason != reason ||
		strcmp(result.signature, signature) != 0)
		fail_msg("%s %s \"%s\" \"%s\"", verdict_name(result.kind),
			verdict_reason_name(result.reason), result.signature,
			result.detail);
}

static inline void write_signatures(const char *name, const char *text)
{
	char path[200];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", f.temp, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void remove_signatures(const char *name)
{
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/%s", f.temp, name);
	assert_int_equal(unlink(path), 0);
}

static inline void use_folder(const char *folder)
{
	free(f.items[0]);
	f.items[0] = strdup(folder);
}

#endif
