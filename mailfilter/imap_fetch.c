/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "mailfilter/imap.h"
#include "mailfilter/imap_facts.h"
#include "mailfilter/uidset.h"

enum {
	DISCARDS_MAX = 16 /* bodies nobody asked for, then the session ends */
};

enum answer {
	ANSWER_NONE,
	ANSWER_NIL,
	ANSWER_BODY
};

struct fetch {
	struct imap *imap;
	const char *what; /* of each message */
	const struct source_sink *sink;
	const uint32_t *uids; /* asked for, ascending */
	enum answer *answers; /* one a UID */
	size_t count;
	size_t discards;
	bool fresh;     /* the folder was opened again behind the last of the commands */
	uint64_t bytes; /* given to the sink since its last done */
	struct err err; /* why nothing more is taken */
};

/* What one FETCH response holds. */
struct response {
	uint32_t uid;
	unsigned bodies; /* whole ones */
	bool nil;        /* the only one is NIL */
	bool odd;        /* a part of a body, or more than one */
};

static void stop(struct fetch *fetch)
{
	/* Else libetpan reads on to the end of the answer. */
	stream_stop(fetch->imap->stream, &fetch->err);
}

static bool is_whole(const struct mailimap_msg_att_body_section *section)
{
	return section && section->sec_origin_octet == 0 &&
	       !(section->sec_section && section->sec_section->sec_spec);
}

static bool take_bytes(int type, struct mailimap_msg_att_body_section *section,
	const char *bytes, size_t len, void *arg)
{
	struct fetch *fetch = arg;
	struct span span = { (const uint8_t *)bytes, len };
	int result;

	if (fetch->err.kind != ERR_NONE)
		return false;
	if (type != MAILIMAP_MSG_ATT_BODY_SECTION || !is_whole(section))
		return true; /* not asked for: the response will be odd */
	fetch->bytes += len;
	stream_pause(fetch->imap->stream);
	result = fetch->sink->data(fetch->sink->arg, span, &fetch->err);
	stream_resume(fetch->imap->stream);
	if (result < 0)
		stop(fetch);
	return result == 0;
}

static int done(struct fetch *fetch, const char *uid, enum source_outcome outcome)
{
	int result;

	fetch->bytes = 0;
	stream_pause(fetch->imap->stream);
	result = fetch->sink->done(fetch->sink->arg, uid, outcome, &fetch->err);
	stream_resume(fetch->imap->stream);
	if (result < 0)
		stop(fetch);
	return result;
}

static int done_uid(struct fetch *fetch, uint32_t uid, enum source_outcome outcome)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%" PRIu32, uid);
	return done(fetch, text, outcome);
}

static void read_body(
	const struct mailimap_msg_att_body_section *section, struct response *response)
{
	if (!is_whole(section) || response->bodies++ > 0)
		response->odd = true;
	else
		response->nil = !section->sec_body_part;
}

static struct response read_response(const struct mailimap_msg_att *message)
{
	struct response response = { .uid = imap_facts_message_uid(message) };

	for (clistiter *at = clist_begin(message->att_list); at; at = clist_next(at)) {
		const struct mailimap_msg_att_item *item = clist_content(at);
		const struct mailimap_msg_att_static *fact;

		if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC)
			continue;
		fact = item->att_data.att_static;
		if (fact->att_type == MAILIMAP_MSG_ATT_BODY_SECTION)
			read_body(fact->att_data.att_body_section, &response);
	}
	return response;
}

static int compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static enum answer *answer_of(struct fetch *fetch, uint32_t uid)
{
	const uint32_t *found =
		bsearch(&uid, fetch->uids, fetch->count, sizeof(*fetch->uids), compare);

	return found ? &fetch->answers[found - fetch->uids] : NULL;
}

static void discard(struct fetch *fetch)
{
	if (++fetch->discards > DISCARDS_MAX) {
		(void)err_set(&fetch->err, ERR_SESSION,
			"the server sends messages that were not asked for");
		stop(fetch);
	} else {
		(void)done(fetch, "", SOURCE_DISCARD);
	}
}

/* A FETCH response has come to its end: whose bytes were these? A server may send news of flags
 * at any time, the UID after the body, and one message in two responses. */
static void take_message(struct mailimap_msg_att *message, void *arg)
{
	struct fetch *fetch = arg;
	struct response response = read_response(message);
	enum answer *answer = answer_of(fetch, response.uid);

	if (fetch->err.kind != ERR_NONE)
		return;
	if (response.odd) {
		(void)err_set(&fetch->err, ERR_SESSION,
			"the server sends something else than one whole body");
		stop(fetch);
		return;
	}
	if (response.bodies == 0)
		return;
	if (response.nil) {
		if (answer && *answer == ANSWER_NONE)
			*answer = ANSWER_NIL;
		return;
	}
	if (!answer || *answer == ANSWER_BODY) {
		discard(fetch);
		return;
	}
	if (done_uid(fetch, response.uid, SOURCE_FETCHED) == 0)
		*answer = ANSWER_BODY;
}

/* One command for these. 1: OK, 0: NO. */
static int fetch_set(struct fetch *fetch, const char *set, struct err *err)
{
	const struct imap_handler handler = { take_message, take_bytes, fetch };
	int result;

	fetch->fresh = false;
	imap_handle(fetch->imap, &handler);
	result = imap_printf(fetch->imap, err, "UID FETCH %s (UID %s)", set, fetch->what);
	imap_handle(fetch->imap, NULL);
	if (fetch->err.kind != ERR_NONE) {
		fetch->imap->broken = true;
		*err = fetch->err;
		return -1;
	}
	return result;
}

struct presence {
	uint32_t uid;
	bool seen;
};

static void note_presence(struct mailimap_msg_att *message, void *arg)
{
	struct presence *presence = arg;

	if (read_response(message).uid == presence->uid)
		presence->seen = true;
}

/* NIL is also what a server may say of a message that another client has just expunged (RFC 2180,
 * 4.1.3), and what Dovecot says of all that was in a folder which was deleted under the session: it
 * goes on listing them to that session. Opened anew it knows no such UID, or the folder is
 * another. 1: it is there and has no body. */
static int has_no_body(struct fetch *fetch, uint32_t uid, struct err *err)
{
	struct presence presence = { .uid = uid };
	const struct imap_handler handler = { .message = note_presence,
		.arg = &presence };
	int result;

	if (!fetch->fresh && imap_reopen(fetch->imap, err) < 0)
		return -1;
	fetch->fresh = true;
	imap_handle(fetch->imap, &handler);
	result = imap_printf(fetch->imap, err, "UID FETCH %" PRIu32 " (UID)", uid);
	imap_handle(fetch->imap, NULL);
	if (result < 0)
		return -1;
	return result == 0 || presence.seen;
}

static int report_missing(struct fetch *fetch, size_t i, struct err *err)
{
	enum source_outcome outcome = SOURCE_ABSENT;
	int nil = 0;

	if (fetch->answers[i] == ANSWER_BODY)
		return 0;
	if (fetch->answers[i] == ANSWER_NIL)
		nil = has_no_body(fetch, fetch->uids[i], err);
	if (nil < 0)
		return -1;
	if (nil > 0)
		outcome = SOURCE_NIL;
	if (done_uid(fetch, fetch->uids[i], outcome) < 0) {
		fetch->imap->broken = true;
		*err = fetch->err;
		return -1;
	}
	return 0;
}

/* The server refused a range, for the sake of one message, as a rule: ask for those that did not
 * come one by one, so that the odd one shows. */
static int fetch_one(struct fetch *fetch, size_t i, struct err *err)
{
	char set[16];
	int result;

	if (fetch->answers[i] == ANSWER_BODY)
		return 0;
	(void)snprintf(set, sizeof(set), "%" PRIu32, fetch->uids[i]);
	result = fetch_set(fetch, set, err);
	if (result < 0)
		return -1;
	if (result == 0 && fetch->answers[i] == ANSWER_NONE &&
		strcasecmp(imap_code(fetch->imap), "EXPUNGEISSUED") != 0)
		fetch->answers[i] = ANSWER_NIL;
	return report_missing(fetch, i, err);
}

static int fetch_part(
	struct fetch *fetch, const char *set, size_t from, size_t count, struct err *err)
{
	int result = fetch_set(fetch, set, err);

	if (result < 0)
		return -1;
	/* SERVERBUG is what Dovecot says of a message it cannot read. */
	if (result == 0 && imap_temporary(fetch->imap) &&
		strcasecmp(imap_code(fetch->imap), "SERVERBUG") != 0)
		return err_set(err, ERR_SESSION, "the server does not fetch now: %.300s",
			imap_words(fetch->imap));
	for (size_t i = from; i < from + count; i++) {
		if ((result ? report_missing(fetch, i, err) : fetch_one(fetch, i, err)) <
			0)
			return -1;
	}
	return 0;
}

int imap_fetch_what(struct imap *imap, const char *what, const struct source_item *items,
	size_t count, const struct source_sink *sink, struct err *err)
{
	struct fetch fetch = { .imap = imap, .what = what, .sink = sink };
	auto_free uint32_t *uids = NULL;
	auto_free enum answer *answers = NULL;
	size_t at = 0;

	if (count == 0)
		return 0;
	if (uidset_read(items, count, &uids, &fetch.count, err) < 0)
		return -1;
	answers = calloc(fetch.count, sizeof(*answers));
	if (!answers)
		return err_memory(err);
	fetch.uids = uids;
	fetch.answers = answers;
	do {
		char set[UIDSET_TEXT_MAX];
		size_t part = uidset_text(uids + at, fetch.count - at, set);

		if (fetch_part(&fetch, set, at, part, err) < 0)
			return -1;
		at += part;
	} while (at < fetch.count);
	return 0;
}

int imap_fetch(struct source *source, const struct source_item *items, size_t count,
	const struct source_sink *sink, struct err *err)
{
	return imap_fetch_what(
		(struct imap *)source, "BODY.PEEK[]", items, count, sink, err);
}
