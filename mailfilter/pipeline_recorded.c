/* SPDX-License-Identifier: ISC
 *
 * What is recorded and not yet settled, as the account takes it out of the pipeline. */
#include <string.h>

#include "mailfilter/pipeline.h"

void pipeline_forget_recorded(struct pipeline *pipeline)
{
	while (pipeline->recorded) {
		struct message *message = pipeline->recorded;
		pipeline->recorded = message->next;
		message_free(message);
	}
	pipeline->recorded_last = NULL;
}

struct message *pipeline_take_recorded(struct pipeline *pipeline, const char *folder)
{
	struct message *before = NULL;

	for (struct message *message = pipeline->recorded; message;
		message = message->next) {
		if (strcmp(message->key.folder, folder) != 0) {
			before = message;
			continue;
		}
		if (before)
			before->next = message->next;
		else
			pipeline->recorded = message->next;
		if (pipeline->recorded_last == message)
			pipeline->recorded_last = before;
		message->next = NULL;
		return message;
	}
	return NULL;
}
