/* SPDX-License-Identifier: ISC
 *
 * Mail that stays in its folder on the server: read over a session of its own, in folders that are
 * opened for reading alone. What is found is marked on record, and the account's next visit fetches,
 * scans and replaces it as it does with new mail, through any crash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailfilter/login.h"
#include "mailfilter/rescan_inside.h"

struct session {
	struct source *source; /* NULL: none is open */
	bool served;           /* a message came over it */
	char folder[MESSAGE_FOLDER_MAX];
	uint32_t uidvalidity; /* of it, 0: it is not there */
	bool selected;
};

static void end_session(struct session *session)
{
	if (session->source)
		session->source->ops->close(session->source);
	*session = (struct session){ 0 };
}

/* Where the message is, if it is there at all. 1: yes, 0: no. */
static int enter(struct rescan *rescan, const struct message_key *key, struct err *err)
{
	struct session *session = rescan->place;
	const struct stream_wait wait = { .wait = rescan_wait, .arg = rescan };
	struct source *source;

	if (key->uidvalidity == 0)
		return 0;
	if (!session->source &&
		login_open(rescan->job->account, &wait, &session->source, err) < 0)
		return -1;
	source = session->source;
	if (!session->selected || strcmp(session->folder, key->folder) != 0) {
		struct err why = { 0 };

		memcpy(session->folder, key->folder, sizeof(session->folder));
		session->uidvalidity = 0;
		session->selected = true;
		if (source->ops->select(
			    source, key->folder, &session->uidvalidity, &why) < 0 &&
			why.kind != ERR_ACCOUNT) {
			*err = why;
			return -1;
		}
	}
	return session->uidvalidity == key->uidvalidity;
}

struct arrival {
	struct message *message;
	enum source_outcome outcome;
	struct err err; /* why it could not be kept: the session goes on */
};

static int take_bytes(void *arg, struct span bytes, struct err *err)
{
	struct arrival *arrival = arg;

	(void)err;
	if (arrival->err.kind == ERR_NONE)
		(void)body_add(&arrival->message->body, bytes, &arrival->err);
	return 0;
}

static int take_end(
	void *arg, const char *uid, enum source_outcome outcome, struct err *err)
{
	struct arrival *arrival = arg;
	struct body *body = &arrival->message->body;

	(void)err;
	if (outcome == SOURCE_DISCARD) {
		const char *dir = body->dir;
		const uint64_t max = body->max;

		body_done(body);
		body_init(body, dir, max);
		arrival->err.kind = ERR_NONE;
	} else if (strcmp(uid, arrival->message->key.uid) == 0) {
		arrival->outcome = outcome;
	}
	return 0;
}

static int fetch(struct rescan *rescan, const struct record_row *row,
	struct message *message, struct err *err)
{
	struct session *session = rescan->place;
	struct source_item item = { .size = row->listed_size ? row->listed_size
							     : row->size };
	struct arrival arrival = { .message = message, .outcome = SOURCE_ABSENT };
	const struct source_sink sink = { take_bytes, take_end, &arrival };

	if (item.size > message->body.max)
		return err_set(err, ERR_MESSAGE,
			"over the limit (message-max) by now: it is not scanned");
	memcpy(item.uid, row->key.uid, sizeof(item.uid));
	if (session->source->ops->fetch(session->source, &item, 1, &sink, err) < 0)
		return -1;
	session->served = true;
	if (arrival.err.kind != ERR_NONE) {
		*err = arrival.err;
		return -1;
	}
	return arrival.outcome == SOURCE_FETCHED && message->body.size > 0;
}

static int load(struct rescan *rescan, const struct record_row *row,
	struct message *message, struct err *err)
{
	struct session *session = rescan->place;
	int there;

	for (;;) {
		const bool served = session->served;

		there = enter(rescan, &row->key, err);
		if (there > 0)
			there = fetch(rescan, row, message, err);
		if (there >= 0 || err->kind != ERR_SESSION)
			return there;
		/* Servers end sessions; one that does so at each message is not worth it. */
		end_session(session);
		if (!served)
			return -1;
		err->kind = ERR_NONE;
		body_done(&message->body);
		body_init(&message->body, rescan->tmp, rescan->job->account->message_max);
	}
}

static int replace(struct rescan *rescan, const struct record_row *row,
	struct message *message, struct err *err)
{
	char reason[MESSAGE_REASON_MAX];

	(void)snprintf(reason, sizeof(reason), "found since it was there: %.200s",
		message->reason);
	return record_suspect(rescan->record, &row->key, reason, err) < 0 ? -1 : 1;
}

static void close_session(struct rescan *rescan)
{
	struct session *session = rescan->place;

	if (session->source)
		(void)session->source->ops->finish(session->source, NULL);
	end_session(session);
	free(session);
}

static const struct rescan_place_ops ops = {
	.load = load, .replace = replace, .close = close_session
};

int rescan_inplace_open(struct rescan *rescan, struct err *err)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return err_memory(err);
	rescan->place = session;
	rescan->ops = &ops;
	return 0;
}
