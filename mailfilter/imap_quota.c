/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_quota.h"

#include <string.h>

#include "common/parse.h"

enum {
	UNIT = 1024,
	NUMBER_MAX = 24 /* with its end */
};

static struct span take_word(struct span *rest)
{
	struct span word;
	size_t len = 0;

	*rest = span_trim(*rest);
	while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != ')')
		len++;
	word = span_part(*rest, 0, len);
	*rest = span_part(*rest, len, rest->len);
	return word;
}

static bool read_number(struct span word, uint64_t *number_r)
{
	char text[NUMBER_MAX];

	if (word.len == 0 || word.len >= sizeof(text))
		return false;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	return parse_number(text, 0, UINT64_MAX / UNIT, number_r, NULL) == 0;
}

static uint64_t left(uint64_t used, uint64_t max)
{
	return used < max ? max - used : 0;
}

static void take_storage(uint64_t used, uint64_t max, struct source_facts *facts)
{
	if (facts->quota && left(facts->quota_used, facts->quota_max) <= left(used, max))
		return;
	facts->quota = true;
	facts->quota_used = used;
	facts->quota_max = max;
}

/* What is in the parentheses: NAME USED LIMIT, again and again. */
static void read_list(struct span list, struct source_facts *facts)
{
	for (;;) {
		struct span name = take_word(&list);
		uint64_t used, max;

		if (name.len == 0 || !read_number(take_word(&list), &used) ||
			!read_number(take_word(&list), &max))
			return;
		if (span_is(name, "STORAGE"))
			take_storage(used * UNIT, max * UNIT, facts);
	}
}

void imap_quota_read(struct span responses, struct source_facts *facts)
{
	while (responses.len > 0) {
		ptrdiff_t open = -1;
		size_t end = 0;
		struct span line;

		while (end < responses.len && responses.data[end] != '\n')
			end++;
		line = span_part(responses, 0, end);
		responses = span_part(responses, end + 1, responses.len);
		/* The root before it is any text; the list stands last. */
		for (size_t i = 0; i < line.len; i++)
			if (line.data[i] == '(')
				open = (ptrdiff_t)i;
		if (open >= 0)
			read_list(span_part(line, (size_t)open + 1, line.len), facts);
	}
}
