/* SPDX-License-Identifier: ISC */
#include "scanner/result.h"

#include <stdio.h>
#include <string.h>

/* A warning means that something was not looked at, except these: they are about names and texts
 * in a file that is looked at all the same, or about mail that is not taken apart. */
static const struct {
	const char *start;
	enum verdict_reason reason;
} known_warnings[] = {
	{ "cli_codepage_to_utf8: iconv error", REASON_NONE },
	{ "utf16 length is not multiple of two", REASON_NONE },
	{ "ooxml_parse_document: encountered issue in parsing properties", REASON_NONE },
	{ "cli_scanicon:", REASON_NONE },
	{ "Partial message received", REASON_UNSUPPORTED },
	{ "Attempt to send Content-type message/external-body", REASON_UNSUPPORTED },
	{ "Unsupported message format", REASON_UNSUPPORTED },
};

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

enum verdict_reason result_of_warning(const char *text)
{
	for (size_t i = 0; i < sizeof(known_warnings) / sizeof(*known_warnings); i++)
		if (starts(text, known_warnings[i].start))
			return known_warnings[i].reason;
	return REASON_ERROR;
}

void result_init(struct result *result)
{
	*result = (struct result){ .kind = VERDICT_CLEAN };
}

static int rank(const struct result *result)
{
	switch (result->kind) {
	case VERDICT_INFECTED:
		return 5;
	case VERDICT_RETRY:
		return 4;
	case VERDICT_UNSCANNABLE:
		return result->reason == REASON_ENCRYPTED ? 2 : 3;
	case VERDICT_CLEAN:
		return result->signature[0] ? 1 : 0;
	}
	return 4;
}

void result_add(struct result *sum, const struct result *other)
{
	bool is_deep =
		sum->kind == other->kind && !(sum->is_surface && other->is_surface);

	if (rank(other) > rank(sum))
		*sum = *other;
	else if (is_deep)
		sum->is_surface = false;
}

static void add(struct result *sum, struct result other, const char *detail)
{
	(void)snprintf(other.detail, sizeof(other.detail), "%s", detail);
	result_add(sum, &other);
}

void result_add_unscannable(
	struct result *sum, enum verdict_reason reason, const char *detail)
{
	add(sum, (struct result){ .kind = VERDICT_UNSCANNABLE, .reason = reason },
		detail);
}

void result_add_retry(struct result *sum, const char *detail)
{
	add(sum, (struct result){ .kind = VERDICT_RETRY }, detail);
}

void result_add_short(struct result *sum, const char *detail)
{
	add(sum, (struct result){ .kind = VERDICT_RETRY, .reason = REASON_LIMIT },
		detail);
}

void result_add_failure(struct result *sum, const struct err *err)
{
	if (err->kind == ERR_AGAIN)
		result_add_short(sum, err->text);
	else
		result_add_retry(sum, err->text);
}

/* libclamav marks every signature that is not from the official sets; our own built-in one is
 * known by its plain name. */
static const char *plain(const char *name)
{
	return strcmp(name, "Eicar-Test-Signature.UNOFFICIAL") == 0
		       ? "Eicar-Test-Signature"
		       : name;
}

void result_add_name(struct result *sum, const char *name)
{
	struct result found = { .kind = VERDICT_INFECTED };

	if (!name) {
		result_add_unscannable(sum, REASON_LIMIT, "a limit of libclamav");
	} else if (starts(name, "Heuristics.Limits.Exceeded.MaxScanTime")) {
		result_add_unscannable(sum, REASON_TIMEOUT, name);
	} else if (starts(name, "Heuristics.Limits.Exceeded")) {
		result_add_unscannable(sum, REASON_LIMIT, name);
	} else if (starts(name, "Heuristics.Encrypted.")) {
		result_add_unscannable(sum, REASON_ENCRYPTED, name);
	} else {
		if (starts(name, "Heuristics.Phishing.") || starts(name, "PUA."))
			found.kind = VERDICT_CLEAN;
		(void)snprintf(
			found.signature, sizeof(found.signature), "%s", plain(name));
		result_add(sum, &found);
	}
}
