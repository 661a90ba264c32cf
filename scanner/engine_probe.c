/* SPDX-License-Identifier: ISC
 *
 * The self-test of an engine, through the same door as any mail. */
#include <string.h>

#include "scanner/engine_inside.h"
#include "scanner/probe.h"

enum {
	PROBE_MAIL_MAX = 4096
};

static int probe_scan(struct engine *engine, bool with_probe, struct err *err)
{
	struct result result;
	auto_buf struct buf mail;
	bool found;

	buf_init(&mail, PROBE_MAIL_MAX);
	if (probe_mail(with_probe, &mail, err) < 0)
		return -1;
	engine_begin(engine);
	engine_scan(engine, buf_span(&mail), NULL, &result);
	found = result.kind == VERDICT_INFECTED &&
		strncmp(result.signature, probe_name, strlen(probe_name)) == 0;
	if (with_probe ? found : result.kind == VERDICT_CLEAN)
		return 0;
	return err_set(err, result.kind == VERDICT_RETRY ? ERR_AGAIN : ERR_FATAL,
		"self-test: %s%s%s%s",
		with_probe ? "the probe in a mail is not found, "
			   : "a clean mail is not clean, ",
		verdict_name(result.kind), result.detail[0] ? ": " : "",
		result.detail[0] ? result.detail : result.signature);
}

int engine_probe(struct engine *engine, struct err *err)
{
	engine->is_proved = false;
	if (probe_scan(engine, true, err) < 0 || probe_scan(engine, false, err) < 0)
		return -1;
	engine->is_proved = true;
	return 0;
}

int engine_probe_start(struct engine *engine, struct err *err)
{
	return engine->is_proved ? probe_scan(engine, true, err)
				 : engine_probe(engine, err);
}
