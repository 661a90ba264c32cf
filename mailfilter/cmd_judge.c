/* SPDX-License-Identifier: ISC
 *
 * mailfilter judge: suspicious or inert, and why; which rule decides, and what would happen. Needs
 * no scanner; rules come from the settings, if there are any. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/json.h"
#include "common/log.h"

#include "mailfilter/cmd.h"
#include "mailfilter/input.h"
#include "mailfilter/judge.h"
#include "mailfilter/rules.h"

static const char usage[] =
	"usage: mailfilter judge [--account NAME] [--json] FILE|-...\n";

struct question {
	const struct settings *settings; /* NULL: no rules are known */
	const char *account;             /* whose rules count; NULL: those for all */
	bool as_json;
};

struct answer {
	const char *file;
	unsigned reasons;
	const struct rule_settings *rule; /* NULL: none */
};

/* What would happen, as far as that can be said before a scan. */
static const char *then_of(const struct answer *answer)
{
	if (answer->rule)
		return rule_then_name(answer->rule->then_kind);
	return answer->reasons ? "scan" : "deliver";
}

static int print_json(const struct answer *answer, struct err *err)
{
	const struct rule_settings *rule = answer->rule;
	struct json json DEFER(json_done);

	json_init(&json);
	json_open(&json, NULL, '{');
	json_text(&json, "file", span_str(answer->file));
	json_bool(&json, "suspicious", answer->reasons != 0);
	json_open(&json, "reasons", '[');
	for (unsigned bit = 1; bit != 0 && bit <= answer->reasons; bit <<= 1)
		if (answer->reasons & bit)
			json_text(&json, NULL,
				span_str(judge_reason_name((enum judge_reason)bit)));
	json_close(&json, ']');
	json_text(&json, "rule", span_str(rule ? rule->name : ""));
	json_text(&json, "then", span_str(then_of(answer)));
	if (rule && rule->folder)
		json_text(&json, "folder", span_str(rule->folder));
	json_close(&json, '}');
	return json_print(&json, err);
}

static void print_text(const struct answer *answer)
{
	char text[256], name[LOG_TEXT_MAX];
	const struct rule_settings *rule = answer->rule;

	(void)printf("%s: %s%s", log_value(span_str(answer->file), name),
		answer->reasons ? "suspicious: " : "inert",
		judge_text(answer->reasons, text, sizeof(text)));
	if (rule)
		(void)printf("; rule %s: %s%s%s", rule->name, then_of(answer),
			rule->folder ? " " : "", rule->folder ? rule->folder : "");
	(void)putchar('\n');
}

static int judge_file(const struct question *question, const char *file, struct err *err)
{
	struct answer answer = { .file = file };
	auto_body struct body body;
	struct span bytes;

	body_init(&body, input_spool(), INPUT_BYTES_MAX);
	if (input_read(file, &body, err) < 0 || body_span(&body, &bytes, err) < 0)
		return -1;
	answer.reasons = judge_message(bytes);
	if (question->settings && rules_match(question->settings, question->account,
					  bytes, &answer.rule, err) < 0)
		return -1;
	if (question->as_json)
		return print_json(&answer, err);
	print_text(&answer);
	return 0;
}

int cmd_judge(const struct settings *settings, int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ "account", required_argument, NULL, 'a' }, { NULL, 0, NULL, 0 } };
	struct question question = { .settings = settings };
	int option, code = EX_OK;

	optind = 1;
	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (option == 'j')
			question.as_json = true;
		else if (option == 'a')
			question.account = optarg;
		else
			return cmd_usage(
				usage, "judge: unknown option %s", argv[optind - 1]);
	}
	if (optind == argc)
		return cmd_usage(usage, "judge: no file given");
	if (question.account &&
		(!settings || !settings_find_account(settings, question.account)))
		return cmd_no_account(settings, question.account);
	/* With one account its rules are meant. */
	if (settings && settings->accounts.count == 1)
		question.account = settings_account(settings, 0)->name;
	for (int i = optind; i < argc; i++) {
		struct err err = { 0 };

		if (judge_file(&question, argv[i], &err) < 0) {
			log_error("%s", err.text);
			code = EX_NOINPUT;
		}
	}
	return code;
}
