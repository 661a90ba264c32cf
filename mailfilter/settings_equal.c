/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "mailfilter/account_settings.h"

/* What the parent alone heeds, or what each account has taken for its own. */
static bool is_the_parents(const char *name)
{
	return strcmp(name, "jobs") == 0 || strcmp(name, "interval") == 0;
}

/* All that a worker heeds and that is no account's own. */
static bool same_for_all(const struct settings *left, const struct settings *right)
{
	for (const struct schema_option *option = settings_options; option->name;
		option++) {
		const struct schema_option one[] = { *option, { 0 } };

		if (!is_the_parents(option->name) && !schema_equal(one, left, right))
			return false;
		if (strcmp(option->name, "rule") == 0 &&
			!schema_sections_equal(option, &left->rules, &right->rules))
			return false;
	}
	return true;
}

bool settings_same_account(const struct settings *left,
	const struct account_settings *account, const struct settings *right,
	const struct account_settings *other)
{
	return same_for_all(left, right) &&
	       schema_equal(account_options, account, other) &&
	       account->idle_interval_ms == other->idle_interval_ms;
}
