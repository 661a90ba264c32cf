/* SPDX-License-Identifier: ISC */
#include "common/verdict.h"

#include <string.h>

void verdict_done(struct verdict *verdict)
{
	free(verdict->findings);
	edits_done(&verdict->edits);
	memset(verdict, 0, sizeof(*verdict));
}

/* Room is doubled at each power of two, so the struct needs no size of its own. */
int verdict_add_finding(
	struct verdict *verdict, const struct finding *finding, struct err *err)
{
	size_t count = verdict->finding_count;
	struct finding *findings = verdict->findings;

	if (count >= FINDINGS_MAX)
		return err_set(err, ERR_MESSAGE, "more than %d findings", FINDINGS_MAX);
	if ((count & (count - 1)) == 0) {
		findings =
			reallocarray(findings, count ? count * 2 : 1, sizeof(*findings));
		if (!findings)
			return err_memory(err);
		verdict->findings = findings;
	}
	findings[count] = *finding;
	verdict->finding_count = count + 1;
	return 0;
}

const char *verdict_allowed(const struct verdict *verdict)
{
	const size_t len = sizeof(VERDICT_ALLOWED) - 1;

	return strncmp(verdict->detail, VERDICT_ALLOWED, len) == 0 ? verdict->detail + len
								   : NULL;
}

const char *verdict_name(enum verdict_kind kind)
{
	switch (kind) {
	case VERDICT_RETRY:
		return "retry";
	case VERDICT_CLEAN:
		return "clean";
	case VERDICT_INFECTED:
		return "infected";
	case VERDICT_UNSCANNABLE:
		return "unscannable";
	}
	return "retry";
}

const char *verdict_reason_name(enum verdict_reason reason)
{
	switch (reason) {
	case REASON_NONE:
		return "";
	case REASON_ENCRYPTED:
		return "encrypted";
	case REASON_UNSUPPORTED:
		return "unsupported";
	case REASON_LIMIT:
		return "limit";
	case REASON_TIMEOUT:
		return "timeout";
	case REASON_CRASH:
		return "crash";
	case REASON_MALFORMED:
		return "malformed";
	case REASON_ERROR:
		return "error";
	}
	return "error";
}
