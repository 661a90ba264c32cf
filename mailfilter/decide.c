/* SPDX-License-Identifier: ISC */
#include "mailfilter/decide.h"

#include <stdio.h>

/* How much a policy keeps from the mailbox. */
static int strictness(enum policy policy)
{
	switch (policy) {
	case POLICY_TAG:
		return 0;
	case POLICY_CLEAN:
		return 1;
	case POLICY_QUARANTINE:
		return 2;
	case POLICY_HOLD:
		return 3;
	}
	return 3;
}

static enum policy stricter(enum policy left, enum policy right)
{
	return strictness(left) >= strictness(right) ? left : right;
}

static enum policy of_reason(
	enum verdict_reason reason, const struct account_settings *account)
{
	return (enum policy)(reason == REASON_NONE ? account->on_unscannable
						   : account->on_reason[reason]);
}

static enum action of_policy(enum policy policy, bool can_clean)
{
	switch (policy) {
	case POLICY_TAG:
		return ACTION_TAG;
	case POLICY_CLEAN:
		/* Nothing to cut from what could not be scanned: keep it back. */
		return can_clean ? ACTION_CLEAN : ACTION_QUARANTINE;
	case POLICY_QUARANTINE:
		return ACTION_QUARANTINE;
	case POLICY_HOLD:
		return ACTION_HOLD;
	}
	return ACTION_HOLD;
}

static void infected(struct message *message, const struct account_settings *account)
{
	const struct verdict *verdict = &message->verdict;
	enum policy policy = (enum policy)account->on_infected;

	if (verdict->reason != REASON_NONE)
		policy = stricter(policy, of_reason(verdict->reason, account));
	message->action = of_policy(policy, true);
	(void)snprintf(message->reason, sizeof(message->reason), "infected: %s%s%s",
		verdict->finding_count > 0 ? verdict->findings[0].signature : "",
		verdict->finding_count > 1 ? " and more" : "",
		verdict->reason != REASON_NONE ? ", other parts not scanned" : "");
}

static void unscannable(struct message *message, const struct account_settings *account)
{
	const struct verdict *verdict = &message->verdict;

	message->action = of_policy(of_reason(verdict->reason, account), false);
	(void)snprintf(message->reason, sizeof(message->reason),
		"not scanned: %s%s%.200s", verdict_reason_name(verdict->reason),
		verdict->detail[0] ? ": " : "", verdict->detail);
}

void decide(struct message *message, const struct account_settings *account)
{
	if (message->action != ACTION_NONE)
		return;
	if (!message->scanned) {
		message->action = message->suspicious ? ACTION_HOLD : ACTION_DELIVER;
		if (message->suspicious)
			(void)snprintf(
				message->reason, sizeof(message->reason), "not scanned");
		return;
	}
	switch (message->verdict.kind) {
	case VERDICT_CLEAN:
		message->action = ACTION_DELIVER;
		break;
	case VERDICT_INFECTED:
		infected(message, account);
		break;
	case VERDICT_UNSCANNABLE:
		unscannable(message, account);
		break;
	case VERDICT_RETRY:
		message->action = ACTION_HOLD;
		(void)snprintf(message->reason, sizeof(message->reason), "%s",
			message->verdict.detail[0] ? message->verdict.detail
						   : "no verdict");
		break;
	}
}

const char *decide_verdict(
	const struct message *message, char text[static DECIDE_VERDICT_MAX])
{
	const struct verdict *verdict = &message->verdict;

	if (message->passed)
		(void)snprintf(text, DECIDE_VERDICT_MAX, "passed");
	else if (!message->scanned)
		(void)snprintf(text, DECIDE_VERDICT_MAX, "%s",
			message->suspicious || message->action == ACTION_PARK ? "none"
									      : "inert");
	else if (verdict->reason != REASON_NONE)
		(void)snprintf(text, DECIDE_VERDICT_MAX, "%s (%s)",
			verdict_name(verdict->kind),
			verdict_reason_name(verdict->reason));
	else
		(void)snprintf(
			text, DECIDE_VERDICT_MAX, "%s", verdict_name(verdict->kind));
	return text;
}
