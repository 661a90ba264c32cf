/* SPDX-License-Identifier: ISC
 *
 * The pipeline's first step: must a message be scanned? What its owner released from quarantine is
 * not, then the rules have their say, then judge. */
#include "mailfilter/steps.h"

#include <stdio.h>
#include <string.h>

#include "mailfilter/judge.h"
#include "mailfilter/released.h"
#include "mailfilter/rules.h"

/* The rule that decides; NULL: none, or it cannot be told, which judge finds as well. */
static const struct rule_settings *find_rule(
	const struct pipeline *pipeline, struct message *message)
{
	const struct pipeline_tools *tools = &pipeline->tools;
	const struct rule_settings *rule = NULL;
	struct span bytes = { 0 };

	if (tools->settings->rules.count == 0 ||
		body_span(&message->body, &bytes, NULL) < 0 ||
		rules_match(tools->settings, tools->account->name, bytes, &rule, NULL) <
			0)
		return NULL;
	return rule;
}

static void judge(struct pipeline *pipeline, struct message *message)
{
	struct span bytes;
	unsigned reasons;

	/* What is large is not even mapped: judge would not look at it. */
	if (pipeline->tools.account->scan == SCAN_ALL)
		reasons = JUDGE_SETTING;
	else if (message->body.size > JUDGE_BYTES_MAX)
		reasons = JUDGE_LARGE;
	else if (body_span(&message->body, &bytes, NULL) < 0)
		reasons = JUDGE_ERROR;
	else
		reasons = judge_message(bytes);
	message->suspicious = reasons != 0;
	(void)judge_text(reasons, message->judged, sizeof(message->judged));
}

/* What is filed was not scanned. If it should have been, its header says so. */
static void file(struct message *message, const struct rule_settings *rule)
{
	if (!message->folder_fixed)
		(void)snprintf(
			message->folder, sizeof(message->folder), "%s", rule->folder);
	message->action = message->suspicious ? ACTION_TAG : ACTION_DELIVER;
	message->stage = STAGE_SCANNED;
}

static void apply(struct pipeline *pipeline, struct message *message,
	const struct rule_settings *rule)
{
	message->stage = STAGE_JUDGED;
	(void)snprintf(message->rule, sizeof(message->rule), "%s", rule->name);
	switch (rule->then_kind) {
	case RULE_SCAN:
		message->suspicious = true;
		(void)judge_text(JUDGE_RULE, message->judged, sizeof(message->judged));
		return;
	case RULE_PASS:
		message->passed = true;
		(void)judge_text(JUDGE_RULE, message->judged, sizeof(message->judged));
		return;
	case RULE_QUARANTINE:
		message->suspicious = true;
		message->action = ACTION_QUARANTINE;
		message->stage = STAGE_SCANNED;
		break;
	case RULE_FOLDER:
		judge(pipeline, message);
		file(message, rule);
		break;
	}
	(void)snprintf(message->reason, sizeof(message->reason), "rule %s", rule->name);
}

static void judge_one(struct pipeline *pipeline, struct message *message, bool released)
{
	const struct rule_settings *rule;

	if (released && released_before(pipeline->tools.record, &message->body)) {
		message->passed = true;
		(void)snprintf(message->judged, sizeof(message->judged), "released");
		message->stage = STAGE_JUDGED;
		return;
	}
	rule = find_rule(pipeline, message);
	if (message->suspect && !(rule && rule->then_kind == RULE_PASS)) {
		message->suspicious = true;
		(void)snprintf(message->judged, sizeof(message->judged), "%s",
			MESSAGE_JUDGED_AGAIN);
		message->stage = STAGE_JUDGED;
		return;
	}
	if (rule) {
		apply(pipeline, message, rule);
		return;
	}
	judge(pipeline, message);
	message->stage = STAGE_JUDGED;
}

void step_judge(struct pipeline *pipeline, struct message **list, size_t count)
{
	const bool released = released_any(pipeline->tools.record);

	for (size_t i = 0; i < count; i++)
		/* One that did not come whole: there is nothing to judge. */
		if (list[i]->err.kind == ERR_NONE)
			judge_one(pipeline, list[i], released);
}
