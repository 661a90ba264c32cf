/* SPDX-License-Identifier: ISC
 *
 * mailfilter self-test: EICAR in several wrappings through the scanner of the settings, and one
 * harmless mail. 0: all caught, the harmless one clean; 75: no verdict; 70: one was missed. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/log.h"

#include "mailfilter/cmd.h"
#include "mailfilter/input.h"
#include "mailfilter/scan.h"
#include "mailfilter/wrapping.h"

static const char usage[] = "usage: mailfilter self-test\n";

enum {
	STEP_MS = 200
};

struct trial {
	enum wrapping wrapping;
	struct body mail;
	struct verdict verdict;
	bool done;
};

static void take_verdict(void *arg, struct verdict *verdict)
{
	struct trial *trial = arg;

	trial->verdict = *verdict;
	*verdict = (struct verdict){ 0 };
	trial->done = true;
}

static void give_up(struct trial *trial, const char *why)
{
	(void)snprintf(trial->verdict.detail, sizeof(trial->verdict.detail), "%.*s",
		VERDICT_DETAIL_MAX - 1, why);
	trial->done = true;
}

/* One mail after the other: nothing here is in a hurry. */
static int run(struct scan *scan, struct trial *trial, struct err *err)
{
	/* Nothing is allowed: EICAR is to be found, whatever the settings say of it. */
	struct scan_request request = { .message = &trial->mail,
		.quarantine_id = "",
		.answer = take_verdict,
		.arg = trial };
	auto_buf struct buf mail;
	char why[VERDICT_DETAIL_MAX];
	bool sent = false;
	uint64_t id = 0;

	buf_init(&mail, WRAPPING_MAIL_MAX);
	if (wrapping_make(trial->wrapping, &mail, err) < 0 ||
		body_add(&trial->mail, buf_span(&mail), err) < 0)
		return -1;
	while (!trial->done) {
		if (!sent && scan_ready(scan)) {
			sent = scan_send(scan, &request, &id, err) == 0;
			if (!sent && err->kind != ERR_AGAIN)
				return -1;
		}
		if (!sent && scan_hopeless(scan, why, sizeof(why)))
			give_up(trial, why);
		else if (scan_wait(scan, NULL, 0, STEP_MS, err) < 0) {
			/* What comes for it later would find its trial gone. */
			if (sent)
				scan_cancel(scan, id);
			return -1;
		}
	}
	return 0;
}

/* Says how it went; the exit code it asks for. */
static int judge(const struct trial *trial)
{
	const struct verdict *verdict = &trial->verdict;
	enum verdict_kind wanted =
		trial->wrapping == WRAPPING_NONE ? VERDICT_CLEAN : VERDICT_INFECTED;
	char text[LOG_TEXT_MAX];
	int code = EX_OK;

	if (verdict->kind == VERDICT_RETRY)
		code = EX_TEMPFAIL;
	else if (verdict->kind != wanted)
		code = EX_SOFTWARE;
	(void)printf("%-28s %s%s", wrapping_name(trial->wrapping),
		code ? "NOT AS IT SHOULD BE: " : "", verdict_name(verdict->kind));
	if (verdict->finding_count > 0)
		(void)printf(" (%s)",
			log_value(span_str(verdict->findings[0].signature), text));
	if (verdict->detail[0])
		(void)printf(" (%s)", log_value(span_str(verdict->detail), text));
	(void)putchar('\n');
	return code;
}

static int run_all(struct scan *scan, struct err *err)
{
	int worst = EX_OK;

	for (int i = 0; i < WRAPPINGS; i++) {
		struct trial trial = { .wrapping = (enum wrapping)i };
		int code = EX_SOFTWARE;

		body_init(&trial.mail, input_spool(), WRAPPING_MAIL_MAX);
		if (run(scan, &trial, err) == 0)
			code = judge(&trial);
		else
			log_error("%s", err->text);
		verdict_done(&trial.verdict);
		body_done(&trial.mail);
		if (code == EX_SOFTWARE || worst == EX_OK)
			worst = code;
		if (code == EX_TEMPFAIL)
			break; /* the next one would wait as long, for nothing */
	}
	return worst;
}

int cmd_self_test(const struct settings *settings, int argc, char **argv)
{
	struct scan *scan = NULL;
	struct err err = { 0 };
	int code = EX_SOFTWARE;

	(void)argv;
	if (argc != 1)
		return cmd_usage(usage, "self-test takes no arguments");
	if (scan_open(settings, &scan, &err) < 0) {
		log_error("%s", err.text);
		return err_exit_code(err.kind);
	}
	code = run_all(scan, &err);
	scan_close(scan);
	if (code == EX_OK)
		(void)puts("all as it should be");
	else if (code == EX_SOFTWARE)
		(void)puts(
			"the scanner missed something: see its log, and mailfilter status");
	return code;
}
