/* SPDX-License-Identifier: ISC
 *
 * mailfilter judge: suspicious or inert, and why. Needs no scanner and no settings. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/json.h"
#include "common/log.h"

#include "mailfilter/cmd.h"
#include "mailfilter/input.h"
#include "mailfilter/judge.h"

static const char usage[] = "usage: mailfilter judge [--json] FILE|-...\n";

static int print_json(const char *file, unsigned reasons, struct err *err)
{
	struct json json DEFER(json_done);

	json_init(&json);
	json_open(&json, NULL, '{');
	json_text(&json, "file", span_str(file));
	json_bool(&json, "suspicious", reasons != 0);
	json_open(&json, "reasons", '[');
	for (unsigned bit = 1; bit != 0 && bit <= reasons; bit <<= 1)
		if (reasons & bit)
			json_text(&json, NULL,
				span_str(judge_reason_name((enum judge_reason)bit)));
	json_close(&json, ']');
	json_close(&json, '}');
	return json_print(&json, err);
}

static int judge_file(const char *file, bool as_json, struct err *err)
{
	auto_body struct body body;
	char text[256], name[LOG_TEXT_MAX];
	struct span bytes;
	unsigned reasons;

	body_init(&body, input_spool(), INPUT_BYTES_MAX);
	if (input_read(file, &body, err) < 0 || body_span(&body, &bytes, err) < 0)
		return -1;
	reasons = judge_message(bytes);
	if (as_json)
		return print_json(file, reasons, err);
	(void)printf("%s: %s%s\n", log_value(span_str(file), name),
		reasons ? "suspicious: " : "inert",
		judge_text(reasons, text, sizeof(text)));
	return 0;
}

int cmd_judge(const struct settings *settings, int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	bool as_json = false;
	int option, code = EX_OK;

	(void)settings;
	optind = 1;
	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (option != 'j')
			return cmd_usage(
				usage, "judge: unknown option %s", argv[optind - 1]);
		as_json = true;
	}
	if (optind == argc)
		return cmd_usage(usage, "judge: no file given");
	for (int i = optind; i < argc; i++) {
		struct err err = { 0 };

		if (judge_file(argv[i], as_json, &err) < 0) {
			log_error("%s", err.text);
			code = EX_NOINPUT;
		}
	}
	return code;
}
