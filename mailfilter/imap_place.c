/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mailfilter/imap.h"
#include "mailfilter/imap_facts.h"
#include "mailfilter/imap_text.h"
#include "mailfilter/login.h"

enum {
	LINES_MAX = 1000 /* of other news before the server goes on with a literal */
};

struct imap_place {
	const struct account_settings *account;
	struct stream_wait wait;
	struct imap *imap; /* NULL: no session */
};

struct imap_place *imap_place_new(
	const struct account_settings *account, const struct stream_wait *wait)
{
	struct imap_place *place = calloc(1, sizeof(*place));

	if (!place)
		return NULL;
	place->account = account;
	place->wait = *wait;
	return place;
}

void imap_place_leave(struct imap_place *place)
{
	struct source *source = place->imap ? &place->imap->source : NULL;

	if (!source)
		return;
	if (!place->imap->broken)
		(void)source->ops->finish(source, NULL);
	source->ops->close(source);
	place->imap = NULL;
}

void imap_place_free(struct imap_place *place)
{
	if (!place)
		return;
	imap_place_leave(place);
	free(place);
}

bool imap_place_is_open(const struct imap_place *place)
{
	return place->imap && !place->imap->broken;
}

static int open_session(struct imap_place *place, struct err *err)
{
	struct source *source = NULL;
	int result = login_open(place->account, &place->wait, &source, err);

	if (result == 0)
		place->imap = (struct imap *)source;
	return result;
}

/* A server shows what others did only with a command that is free to say so. */
static int enter(struct imap_place *place, const char *folder, struct err *err)
{
	struct imap *imap = place->imap;
	uint32_t uidvalidity;

	if (imap->uidvalidity == 0 || strcmp(imap->folder, folder) != 0)
		return imap->source.ops->select(&imap->source, folder, &uidvalidity, err);
	return imap_printf(imap, err, "NOOP") < 0 ? -1 : 0;
}

int imap_place_enter(struct imap_place *place, const char *folder, uint32_t *uidvalidity,
	uint32_t *uidnext_r, struct err *err)
{
	const bool waited = imap_place_is_open(place);
	int result;

	if (place->imap && place->imap->broken)
		imap_place_leave(place);
	if (!place->imap && open_session(place, err) < 0)
		return -1;
	result = enter(place, folder, err);
	/* Servers end sessions that were idle for long. */
	if (result < 0 && waited && place->imap->broken) {
		imap_place_leave(place);
		if (open_session(place, err) < 0)
			return -1;
		result = enter(place, folder, err);
	}
	if (result < 0)
		return -1;
	if (*uidvalidity != 0 && *uidvalidity != place->imap->uidvalidity)
		return err_set(err, ERR_AGAIN,
			"%.100s: the server numbers its messages anew", folder);
	*uidvalidity = place->imap->uidvalidity;
	*uidnext_r = place->imap->etpan->imap_selection_info->sel_uidnext;
	return 0;
}

static int refused(struct imap *imap, const char *what, struct err *err)
{
	const char *code = imap_code(imap);

	return err_set(err, ERR_AGAIN, "%s: the server refuses: %s%.40s%s%.250s", what,
		code[0] ? "[" : "", code, code[0] ? "] " : "", imap_words(imap));
}

struct look {
	uint32_t uid;
	struct imap_place_facts *facts;
	bool found;
};

static void take_facts(struct mailimap_msg_att *message, void *arg)
{
	struct look *look = arg;

	if (imap_facts_read(message, look->uid, look->facts))
		look->found = true;
}

int imap_place_look(struct imap_place *place, const char *uid,
	struct imap_place_facts *facts_r, struct err *err)
{
	struct imap_place_facts facts = { 0 };
	struct look look = { .uid = imap_facts_uid(uid), .facts = &facts };
	const struct imap_handler handler = { .message = take_facts, .arg = &look };
	int result;

	imap_handle(place->imap, &handler);
	result = imap_printf(place->imap, err,
		"UID FETCH %" PRIu32 " (UID FLAGS INTERNALDATE)", look.uid);
	imap_handle(place->imap, NULL);
	if (result < 0)
		return -1;
	/* Gone while it was asked for (RFC 5530). */
	if (result == 0 && strcasecmp(imap_code(place->imap), "EXPUNGEISSUED") != 0)
		return refused(place->imap, "cannot look at a message", err);
	if (!look.found)
		return 0;
	*facts_r = facts;
	return 1;
}

/* Until the server goes on, or not: 1 or 0. News of the folder may come first. */
static int await_plus(struct imap *imap, struct err *err)
{
	for (unsigned i = 0; i < LINES_MAX; i++) {
		const char *line = imap_line(imap, err);
		const size_t len = line ? strlen(line) : 0;

		if (!line)
			return -1;
		if (line[0] == '+')
			return 1;
		if (line[0] != '*')
			return imap_answer(imap, err) == 0 ? 0 : -1;
		if (len > 0 && strchr(line, '{'))
			break; /* a literal in it: whatever that is, it is not for us */
	}
	imap->broken = true;
	return err_set(err, ERR_SESSION, "the server does not go on with a message");
}

static int append_command(const char *folder, const struct imap_place_facts *facts,
	size_t size, struct buf *command, struct err *err)
{
	const bool dated = facts->date[0] != '\0';

	if (buf_add_str(command, "APPEND ", err) < 0 ||
		imap_text_folder(folder, command, err) < 0)
		return -1;
	return buf_printf(command, err, " (%s)%s%s%s {%zu}", facts->flags,
		dated ? " \"" : "", facts->date, dated ? "\"" : "", size);
}

static int send_piece(void *arg, struct span piece, struct err *err)
{
	return imap_send_literal(arg, piece, err);
}

enum imap_place_result imap_place_put(struct imap_place *place, const char *folder,
	const struct imap_place_facts *facts, const struct body *message, struct err *err)
{
	struct imap *imap = place->imap;
	auto_buf struct buf command;
	int result;

	buf_init(&command, IMAP_COMMAND_MAX);
	if (append_command(folder, facts, message->size, &command, err) < 0 ||
		imap_begin(imap, err) < 0 || imap_send(imap, buf_span(&command), err) < 0)
		return IMAP_PLACE_LOST;
	result = await_plus(imap, err);
	if (result < 0)
		return imap->bad ? IMAP_PLACE_REFUSED : IMAP_PLACE_LOST;
	if (result > 0) {
		if (body_each(message, send_piece, imap, err) < 0) {
			/* To the server, what came next would be the rest of it. */
			imap->broken = true;
			return IMAP_PLACE_DOUBT;
		}
		if (imap_send(imap, span_str(""), err) < 0 || !imap_line(imap, err))
			return IMAP_PLACE_DOUBT;
		result = imap_answer(imap, err);
	}
	if (result < 0)
		return imap->bad ? IMAP_PLACE_REFUSED : IMAP_PLACE_DOUBT;
	if (result > 0)
		return IMAP_PLACE_TAKEN;
	(void)refused(imap, "cannot put a message there", err);
	return IMAP_PLACE_REFUSED;
}

/* The header of one message after the other. */
struct search {
	uint32_t from_uid;
	struct placed found;
	const char *token;
	struct buf head;
};

static bool take_head(int type, struct mailimap_msg_att_body_section *section,
	const char *bytes, size_t len, void *arg)
{
	struct search *search = arg;
	size_t room = search->head.max - search->head.len;

	(void)type;
	(void)section;
	return buf_add(&search->head, bytes, len < room ? len : room, NULL) == 0;
}

static void take_message(struct mailimap_msg_att *message, void *arg)
{
	struct search *search = arg;
	const uint32_t uid = imap_facts_message_uid(message);

	if (uid >= search->from_uid &&
		(search->found.uid == 0 || uid < search->found.uid) &&
		span_find(buf_span(&search->head), span_str(search->token)) >= 0) {
		search->found.uid = uid;
		search->found.size = imap_facts_message_size(message);
	}
	buf_clear(&search->head);
}

/* What tells it again. */
static int read_head(struct imap_place *place, struct placed *placed, struct err *err)
{
	struct source_item item = { .size = placed->size };

	(void)snprintf(item.uid, sizeof(item.uid), "%" PRIu32, placed->uid);
	return imap_heads(&place->imap->source, &item, 1, &placed->head, err);
}

int imap_place_find(struct imap_place *place, uint32_t from_uid, const char *token,
	struct placed *placed_r, struct err *err)
{
	struct search search = { .from_uid = from_uid ? from_uid : 1, .token = token };
	const struct imap_handler handler = { take_message, take_head, &search };
	int result;

	buf_init(&search.head, IMAP_PLACE_HEAD_MAX);
	imap_handle(place->imap, &handler);
	result = imap_printf(place->imap, err,
		"UID FETCH %" PRIu32
		":* (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-QUARANTINE-ID MESSAGE-ID)]<0.%d>)",
		search.from_uid, IMAP_PLACE_HEAD_MAX);
	imap_handle(place->imap, NULL);
	buf_done(&search.head);
	if (result == 0)
		return refused(place->imap, "cannot look through a folder", err);
	if (result < 0)
		return -1;
	if (search.found.uid == 0)
		return 0;
	if (read_head(place, &search.found, err) < 0)
		return -1;
	*placed_r = search.found;
	return 1;
}

int imap_place_find_bytes(struct imap_place *place, uint32_t from_uid,
	const struct body *bytes, struct placed *placed_r, struct err *err)
{
	struct placed found = { .size = bytes->size };
	struct hash hash;
	int there;

	if (body_hash(bytes, &hash, err) < 0)
		return -1;
	there = imap_find_bytes(place->imap, from_uid > 0 ? from_uid - 1 : 0, bytes->size,
		&hash, &found.uid, err);
	if (there <= 0)
		return there;
	if (read_head(place, &found, err) < 0)
		return -1;
	*placed_r = found;
	return 1;
}

int imap_place_mark(
	struct imap_place *place, const char *uid, const char *keyword, struct err *err)
{
	struct imap_place_facts facts = { 0 };
	int result;

	if (imap_write(place->imap, err) < 0)
		return -1;
	result = imap_printf(place->imap, err, "UID STORE %" PRIu32 " +FLAGS.SILENT (%s)",
		imap_facts_uid(uid), keyword);
	if (result < 0 && !place->imap->bad)
		return -1;
	if (result <= 0) {
		if (result == 0)
			(void)refused(place->imap, "cannot set a keyword", err);
		return 0;
	}
	/* A server that keeps no keywords may take one and drop it (RFC 3501, 7.1). */
	result = imap_place_look(place, uid, &facts, err);
	if (result > 0 && !imap_facts_have(&facts, keyword)) {
		(void)err_set(err, ERR_AGAIN, "the server keeps no keywords there");
		return 0;
	}
	return result < 0 ? -1 : 1;
}
