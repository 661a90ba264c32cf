/* SPDX-License-Identifier: ISC
 *
 * IDLE (RFC 2177), by hand: libetpan waits for a "+" and loses what comes before it. */
#include <string.h>

#include "common/clock.h"

#include "mailfilter/imap.h"

enum {
	IDLE_START_MS = 30 * 1000, /* for the "+" */
	IDLE_DONE_MS =
		15 * 1000, /* for the answer to DONE: the session may be long dead */
};

/* The tagged answer, after what the parser may have read before. */
static int answer(struct imap *imap, struct err *err)
{
	const char *line;

	do
		line = imap_line(imap, err);
	while (line && line[0] == '*');
	return line ? imap_answer(imap, err) : -1;
}

int imap_idle_end(struct imap *imap, struct err *err)
{
	int result;

	if (!imap->idles)
		return 0;
	imap->idles = false;
	stream_begin(imap->stream);
	stream_hurry(imap->stream, IDLE_DONE_MS);
	if (imap_send(imap, span_str("DONE"), err) < 0)
		return -1;
	/* A NO says only that it cannot say why IDLE ended: it has. */
	result = answer(imap, err);
	stream_set_idle(imap->stream, false);
	return result < 0 ? -1 : 0;
}

/* 1: it idles, 0: the server refuses. */
static int begin(struct imap *imap, struct err *err)
{
	const char *line;
	int result;

	stream_set_idle(imap->stream, true);
	if (imap_begin(imap, err) < 0)
		return -1;
	stream_hurry(imap->stream, IDLE_START_MS);
	if (imap_send(imap, span_str("IDLE"), err) < 0)
		return -1;
	do
		line = imap_line(imap, err);
	while (line && line[0] == '*');
	if (!line)
		return -1;
	if (line[0] == '+') {
		imap->idles = true;
		return 1;
	}
	result = imap_answer(imap, err);
	stream_set_idle(imap->stream, false);
	if (result < 0 && !imap->bad)
		return -1;
	return result > 0 ? err_set(err, ERR_SESSION, "IDLE ends before it began") : 0;
}

/* Is there more than what the round has listed? 1 or 0. */
static int look(struct imap *imap, const struct source_idle *idle, struct err *err)
{
	struct source_item *items = NULL;
	uint32_t uidvalidity;
	size_t count = 0;

	if (imap_open_folder(imap, "EXAMINE", idle->folder, &uidvalidity, err) < 0)
		return -1;
	imap->news_seen = stream_news(imap->stream);
	if (uidvalidity != idle->uidvalidity)
		return 1;
	if (imap_names(&imap->source, idle->listed_to, &items, &count, err) < 0)
		return -1;
	free(items);
	return count > 0;
}

bool imap_can_idle(const struct source *source)
{
	return imap_offers((const struct imap *)source, "IDLE");
}

int imap_idle(struct source *source, struct source_idle *idle, struct err *err)
{
	struct imap *imap = (struct imap *)source;
	int result;

	if (!idle->looked) {
		idle->looked = true;
		result = look(imap, idle, err);
		if (result != 0)
			return result;
	}
	if (!imap->idles || clock_left(imap->idle_until_ms) == 0) {
		if (imap_idle_end(imap, err) < 0)
			return -1;
		result = begin(imap, err);
		if (result == 0)
			return err_set(err, ERR_ACCOUNT,
				"the server refuses IDLE: %.300s", imap_words(imap));
		if (result < 0)
			return -1;
		imap->idle_until_ms = clock_ms() + idle->refresh_ms;
	}
	result = stream_idle(
		imap->stream, imap->news_seen, imap->idle_until_ms, &idle->wait);
	imap->news_seen = stream_news(imap->stream);
	return result < 0 ? stream_why(imap->stream, err) : result;
}
