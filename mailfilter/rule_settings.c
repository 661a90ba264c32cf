/* SPDX-License-Identifier: ISC */
#include "mailfilter/rule_settings.h"

#include <stddef.h>
#include <string.h>

#include "common/glob.h"

#include "mailfilter/account_settings.h"

enum {
	PATTERNS_MAX = 1000,
	FOLDER_MAX = 128
};

static const char folder[] = "folder:";

/* A folder's name, which becomes part of a path. */
static int check_folder(const char *name, struct err *err)
{
	size_t len = 0;

	/* Maildir++ writes other characters in a way of its own. */
	while (name[len] >= ' ' && name[len] <= '~' && !strchr("/\\:&*?\"", name[len]))
		len++;
	if (len > 0 && len <= FOLDER_MAX && !name[len] && name[0] != '.' &&
		name[len - 1] != '.' && !strstr(name, ".."))
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected the name of a folder in at most %d ASCII characters, "
		"with \".\" between a folder and one in it",
		name, FOLDER_MAX);
}

static int check_then(const char *value, struct err *err)
{
	if (strcmp(value, "scan") == 0 || strcmp(value, "pass") == 0 ||
		strcmp(value, "quarantine") == 0)
		return 0;
	if (strncmp(value, folder, sizeof(folder) - 1) == 0)
		return check_folder(value + sizeof(folder) - 1, err);
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected scan, pass, quarantine or folder:NAME", value);
}

static bool is_field_char(char c)
{
	return c > ' ' && c < 0x7f && c != ':';
}

static int check_header(const char *value, struct err *err)
{
	size_t len = 0;

	while (is_field_char(value[len]))
		len++;
	if (len == 0 || len > RULE_FIELD_MAX || value[len] != ':')
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected a field's name, a colon and a pattern, as in "
			"\"X-Mailer: *bulk*\"",
			value);
	return glob_check(value + len + 1 + strspn(value + len + 1, " "), err);
}

#define AT(member)   .offset = offsetof(struct rule_settings, member)
#define LINE(member) .line_offset = offsetof(struct rule_settings, lines.member)

/* clang-format off */
const struct schema_option rule_options[] = {
	{ .name = "accounts", .type = SCHEMA_LIST, AT(accounts), .min = 1, .max = PATTERNS_MAX,
	  .check = account_check_name, LINE(accounts) },
	{ .name = "header", .type = SCHEMA_LIST, AT(header), .min = 1, .max = PATTERNS_MAX,
	  .check = check_header },
	{ .name = "from", .type = SCHEMA_LIST, AT(from), .min = 1, .max = PATTERNS_MAX,
	  .check = glob_check },
	{ .name = "list", .type = SCHEMA_LIST, AT(list), .min = 1, .max = PATTERNS_MAX,
	  .check = glob_check },
	{ .name = "subject", .type = SCHEMA_LIST, AT(subject), .min = 1, .max = PATTERNS_MAX,
	  .check = glob_check },
	{ .name = "attachment", .type = SCHEMA_LIST, AT(attachment), .min = 1,
	  .max = PATTERNS_MAX, .check = glob_check },
	{ .name = "type", .type = SCHEMA_LIST, AT(type), .min = 1, .max = PATTERNS_MAX,
	  .check = glob_check },
	{ .name = "size-over", .type = SCHEMA_SIZE, AT(size_over), .min = 1,
	  .max = MESSAGE_MAX_MOST },
	{ .name = "size-under", .type = SCHEMA_SIZE, AT(size_under), .min = 1,
	  .max = MESSAGE_MAX_MOST },
	{ .name = "then", .type = SCHEMA_TEXT, AT(then), .check = check_then, LINE(then) },
	{ 0 },
};
/* clang-format on */

/* What is wrong with this rule, on the option's line or, if it is not given, its own. */
#define REFUSE(option_line, ...)                                                         \
	schema_error(err, settings->path,                                                \
		(option_line) > 0 ? (option_line) : rule->line, __VA_ARGS__)

const struct rule_settings *settings_rule(const struct settings *settings, size_t i)
{
	return (const struct rule_settings *)settings->rules.items + i;
}

bool rule_is_for(const struct rule_settings *rule, const char *account)
{
	for (size_t i = 0; i < rule->accounts.count; i++)
		if (strcmp(rule->accounts.items[i], account) == 0)
			return true;
	return rule->accounts.count == 0;
}

static int finish_accounts(
	const struct settings *settings, struct rule_settings *rule, struct err *err)
{
	const char *twice = schema_list_repeat(&rule->accounts);

	if (twice)
		return REFUSE(rule->lines.accounts,
			"accounts: \"%.80s\" stands there twice: expected it once",
			twice);
	for (size_t i = 0; i < rule->accounts.count; i++) {
		bool known = false;

		for (size_t j = 0; j < settings->accounts.count && !known; j++)
			known = strcmp(settings_account(settings, j)->name,
					rule->accounts.items[i]) == 0;
		if (!known)
			return REFUSE(rule->lines.accounts,
				"accounts: \"%.80s\": expected the name of an account in "
				"this file",
				rule->accounts.items[i]);
	}
	return 0;
}

static bool has_condition(const struct rule_settings *rule)
{
	return rule->header.count + rule->from.count + rule->list.count +
		       rule->subject.count + rule->attachment.count + rule->type.count +
		       rule->size_over + rule->size_under >
	       0;
}

/* Every account that the rule is for must have such a thing as another folder. */
static int finish_folder(
	const struct settings *settings, struct rule_settings *rule, struct err *err)
{
	for (size_t i = 0; i < settings->accounts.count; i++) {
		const struct account_settings *account = settings_account(settings, i);

		if (!rule_is_for(rule, account->name) ||
			account->deliver_kind == DELIVER_MAILDIR)
			continue;
		if (account->deliver_kind != DELIVER_MBOX)
			return REFUSE(rule->lines.then,
				"then: account %s delivers to %.80s, where there are no "
				"folders: expected accounts that deliver to maildir:PATH or "
				"mbox:PATH",
				account->name, account->deliver);
		if (strcmp(strrchr(account->deliver_path, '/') + 1, rule->folder) == 0)
			return REFUSE(rule->lines.then,
				"then: \"%s\" is where account %s delivers anyway: expected "
				"another name",
				rule->folder, account->name);
	}
	return 0;
}

static int finish_then(
	const struct settings *settings, struct rule_settings *rule, struct err *err)
{
	if (!rule->then)
		return REFUSE(0,
			"rule %s does nothing: expected then = scan, pass, quarantine or "
			"\"folder:NAME\"",
			rule->name);
	if (strcmp(rule->then, "scan") == 0)
		rule->then_kind = RULE_SCAN;
	else if (strcmp(rule->then, "pass") == 0)
		rule->then_kind = RULE_PASS;
	else if (strcmp(rule->then, "quarantine") == 0)
		rule->then_kind = RULE_QUARANTINE;
	else
		rule->then_kind = RULE_FOLDER;
	if (rule->then_kind == RULE_FOLDER) {
		rule->folder = rule->then + sizeof(folder) - 1;
		if (finish_folder(settings, rule, err) < 0)
			return -1;
	}
	if (!has_condition(rule) &&
		(rule->then_kind == RULE_PASS || rule->then_kind == RULE_FOLDER))
		return REFUSE(rule->lines.then,
			"rule %s would let all mail through unscanned: expected a condition, "
			"such as from or list",
			rule->name);
	return 0;
}

int rule_settings_finish(
	const struct settings *settings, struct rule_settings *rule, struct err *err)
{
	if (rule->size_over > 0 && rule->size_under > 0 &&
		rule->size_over + 1 >= rule->size_under)
		return REFUSE(0,
			"rule %s: no size is over size-over and under size-under: expected "
			"the first to be smaller",
			rule->name);
	if (finish_accounts(settings, rule, err) < 0)
		return -1;
	return finish_then(settings, rule, err);
}

const char *rule_then_name(enum rule_then then)
{
	switch (then) {
	case RULE_SCAN:
		return "scan";
	case RULE_PASS:
		return "pass";
	case RULE_QUARANTINE:
		return "quarantine";
	case RULE_FOLDER:
		return "folder";
	}
	return "unknown";
}
