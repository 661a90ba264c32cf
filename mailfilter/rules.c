/* SPDX-License-Identifier: ISC */
#include "mailfilter/rules.h"

#include <string.h>

#include "common/field.h"
#include "common/glob.h"
#include "common/mime_text.h"

/* What other programs find where the structure is in doubt, mime.h. */
static const unsigned habits[] = { MIME_RULE_LAST, MIME_RULE_JUNK_ENDS, MIME_RULE_PREFIX,
	MIME_RULE_GOES_ON, MIME_RULE_RAW, MIME_RULE_FOLLOW, MIME_RULE_ANY };

enum {
	HABITS = sizeof(habits) / sizeof(habits[0]),
	/* In these readers do not differ about what a rule looks at. */
	NO_DOUBT = MIME_DOUBT_EMBEDDED | MIME_DOUBT_ENCRYPTED
};

/* One message, parsed when the first rule asks. */
struct look {
	struct span message;
	struct mime *mime;           /* NULL: not yet */
	struct mime *others[HABITS]; /* the same, where there is a doubt */
	struct err *err;
	bool failed;
};

/* One condition while its readings are told. */
struct test {
	const struct schema_list *patterns;
	size_t from, count; /* of the patterns, those that count */
	size_t skip;        /* bytes in front of each: the field's name */
	bool any, all;
};

static bool matches_any(const struct test *test, const char *text)
{
	for (size_t i = test->from; i < test->from + test->count; i++)
		if (glob_match(test->patterns->items[i] + test->skip, text))
			return true;
	return false;
}

static void take_reading(void *arg, const char *text, bool odd)
{
	struct test *test = arg;
	const bool matches = matches_any(test, text);

	test->any = test->any || matches;
	/* What is odd would keep every encoded word from matching. */
	test->all = test->all && (matches || odd);
}

static struct test test_of(const struct schema_list *patterns)
{
	return (struct test){
		.patterns = patterns, .count = patterns->count, .all = true
	};
}

static bool result_of(const struct test *test, bool strict)
{
	return test->any && (test->all || !strict);
}

typedef void tell_value(struct span value, mime_text_reading *each, void *arg);

/* Every field of this name, in whatever header a program may see: up to the first blank line. */
static void tell_fields(
	const struct look *look, const char *name, tell_value *tell, struct test *test)
{
	size_t left = RULES_FIELDS_MAX, pos = 0;
	struct field field;

	while (field_next(look->message, &pos, &field) != FIELD_LAST) {
		if (field.kind != FIELD_NAMED || !span_is(field.name, name))
			continue;
		if (left-- == 0) {
			test->all = false;
			return;
		}
		tell(field.value, take_reading, test);
	}
}

static bool holds_fields(const struct look *look, const char *name, tell_value *tell,
	tell_value *also, const struct schema_list *patterns, bool strict)
{
	struct test test = test_of(patterns);

	tell_fields(look, name, tell, &test);
	/* Names and comments are what the sender likes: enough to keep mail back, no more. */
	if (!strict && also)
		tell_fields(look, name, also, &test);
	return result_of(&test, strict);
}

/* The id in brackets, or all of it where there are none. */
static void tell_list_id(struct span value, mime_text_reading *each, void *arg)
{
	const ptrdiff_t open = span_find(value, span_str("<"));
	const ptrdiff_t close = span_find(value, span_str(">"));

	if (open >= 0 && close > open)
		value = span_part(value, (size_t)open + 1, (size_t)(close - open) - 1);
	mime_text_value(value, each, arg);
}

/* "FIELD: PATTERN", any of them. */
static bool holds_header(
	const struct look *look, const struct schema_list *patterns, bool strict)
{
	for (size_t i = 0; i < patterns->count; i++) {
		const char *const item = patterns->items[i];
		const size_t len = strcspn(item, ":");
		struct test test = test_of(patterns);
		char name[RULE_FIELD_MAX + 1];

		if (len > RULE_FIELD_MAX)
			continue;
		memcpy(name, item, len);
		name[len] = '\0';
		test.from = i;
		test.count = 1;
		test.skip = len + 1 + strspn(item + len + 1, " ");
		tell_fields(look, name, mime_text_value, &test);
		if (result_of(&test, strict))
			return true;
	}
	return false;
}

static void take_names(
	const struct look *look, const struct mime *mime, struct test *test, bool strict)
{
	for (size_t i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];

		mime_text_file_names(look->message, part, take_reading, test);
		if (strict && part->is_attachment && !part->has_name)
			test->all = false;
	}
}

static void take_types(
	const struct look *look, const struct mime *mime, struct test *test, bool strict)
{
	(void)look;
	for (size_t i = 0; i < mime->count; i++)
		/* A multipart is no thing of its own that could be let through or not. */
		if (!strict || !mime->parts[i].is_multipart)
			take_reading(test, mime->parts[i].type, false);
}

/* In the parts as they are read here, and as others read them. */
static bool holds_parts(const struct look *look,
	void (*take)(const struct look *look, const struct mime *mime, struct test *test,
		bool strict),
	const struct schema_list *patterns, bool strict)
{
	struct test test = test_of(patterns);

	take(look, look->mime, &test, strict);
	for (size_t i = 0; i < HABITS && !strict; i++)
		if (look->others[i])
			take(look, look->others[i], &test, strict);
	return result_of(&test, strict);
}

static bool parse(struct look *look)
{
	if (look->mime || look->failed)
		return !look->failed;
	if (mime_parse(look->message, &look->mime, look->err) < 0) {
		look->failed = true;
		return false;
	}
	for (size_t i = 0; i < HABITS && look->mime->doubts && !look->failed; i++)
		look->failed = mime_parse_as(look->message, habits[i], &look->others[i],
				       look->err) < 0;
	return !look->failed;
}

static void look_done(struct look *look)
{
	mime_free(look->mime);
	for (size_t i = 0; i < HABITS; i++)
		mime_free(look->others[i]);
}

/* What the header alone tells. */
static bool holds_header_conditions(
	const struct look *look, const struct rule_settings *rule, bool strict)
{
	if (rule->size_over > 0 && look->message.len <= rule->size_over)
		return false;
	if (rule->size_under > 0 && look->message.len >= rule->size_under)
		return false;
	if (rule->header.count > 0 && !holds_header(look, &rule->header, strict))
		return false;
	if (rule->from.count > 0 && !holds_fields(look, "from", mime_text_addresses,
					    mime_text_value, &rule->from, strict))
		return false;
	if (rule->list.count > 0 && !holds_fields(look, "list-id", tell_list_id,
					    mime_text_value, &rule->list, strict))
		return false;
	return rule->subject.count == 0 || holds_fields(look, "subject", mime_text_value,
						   NULL, &rule->subject, strict);
}

/* The cheapest first; the message is parsed only if all others hold. */
static bool holds(struct look *look, const struct rule_settings *rule)
{
	const bool strict =
		rule->then_kind == RULE_PASS || rule->then_kind == RULE_FOLDER;

	if (!holds_header_conditions(look, rule, strict))
		return false;
	if (!strict && rule->attachment.count == 0 && rule->type.count == 0)
		return true;
	if (!parse(look))
		return false;
	if (strict && (look->mime->doubts & ~(unsigned)NO_DOUBT) != 0)
		return false;
	if (rule->attachment.count > 0 &&
		!holds_parts(look, take_names, &rule->attachment, strict))
		return false;
	return rule->type.count == 0 ||
	       holds_parts(look, take_types, &rule->type, strict);
}

int rules_match(const struct settings *settings, const char *account, struct span message,
	const struct rule_settings **rule_r, struct err *err)
{
	DEFER(look_done) struct look look = { .message = message, .err = err };
	const struct rule_settings *found = NULL;

	for (size_t i = 0; i < settings->rules.count && !found && !look.failed; i++) {
		const struct rule_settings *rule = settings_rule(settings, i);

		if (rule_is_for(rule, account ? account : "") && holds(&look, rule))
			found = rule;
	}
	if (look.failed)
		return -1;
	*rule_r = found;
	return 0;
}
