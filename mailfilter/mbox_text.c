/* SPDX-License-Identifier: ISC */
#include "mailfilter/mbox_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	FROM_LINE_MAX = 512
};

static int write_from_line(const char *sender, int64_t wall_s,
	int (*sink)(void *arg, struct span bytes, struct err *err), void *arg,
	struct err *err)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char line[FROM_LINE_MAX];
	time_t seconds = wall_s;
	struct tm tm = { 0 };

	/* As asctime(3) writes it, in UTC, whatever the locale. */
	(void)gmtime_r(&seconds, &tm);
	(void)snprintf(line, sizeof(line), "From %s %.3s %.3s %2d %02d:%02d:%02d %d\n",
		sender[0] ? sender : "MAILER-DAEMON", days + (size_t)tm.tm_wday * 3,
		months + (size_t)tm.tm_mon * 3, tm.tm_mday, tm.tm_hour, tm.tm_min,
		tm.tm_sec, tm.tm_year + 1900);
	return sink(arg, span_str(line), err);
}

static const char from[] = "From ";
enum {
	FROM_LEN = sizeof(from) - 1
};

/* A message on its way, which comes in pieces that are cut anywhere. */
struct quoting {
	int (*sink)(void *arg, struct span bytes, struct err *err);
	void *arg;
	bool at_start;  /* of a line, or behind nothing but '>'s of it */
	size_t matched; /* bytes of "From " there that came and were not given on yet */
	uint8_t last;   /* that came */
};

static int give(const struct quoting *quoting, struct span bytes, struct err *err)
{
	return bytes.len > 0 ? quoting->sink(quoting->arg, bytes, err) : 0;
}

/* One '>' more. Where among the others it stands is all the same. */
static int give_quote(struct quoting *quoting, struct err *err)
{
	quoting->at_start = false;
	return give(quoting, span_str(">"), err);
}

static size_t match(struct span bytes, size_t matched)
{
	size_t len = 0;

	while (len < bytes.len && matched + len < FROM_LEN &&
		bytes.data[len] == (uint8_t)from[matched + len])
		len++;
	return len;
}

static int give_matched(struct quoting *quoting, struct err *err)
{
	const size_t len = quoting->matched;

	quoting->matched = 0;
	quoting->at_start = false;
	return give(quoting, span_part(span_str(from), 0, len), err);
}

/* What a piece began with that the one before it left open; 0 or -1. */
static int go_on(struct quoting *quoting, struct span *piece, struct err *err)
{
	const size_t len = match(*piece, quoting->matched);

	quoting->matched += len;
	*piece = span_part(*piece, len, piece->len);
	if (quoting->matched < FROM_LEN && piece->len == 0)
		return 0;
	if (quoting->matched == FROM_LEN && give_quote(quoting, err) < 0)
		return -1;
	return give_matched(quoting, err);
}

/* What need not be quoted goes out in one go, however many lines it has. */
static int quote(struct quoting *quoting, struct span piece, struct err *err)
{
	size_t at = 0, done = 0;

	while (at < piece.len) {
		const struct span rest = span_part(piece, at, piece.len);
		const uint8_t *const end =
			quoting->at_start ? NULL : memchr(rest.data, '\n', rest.len);
		size_t len;

		if (!quoting->at_start) {
			at = end ? (size_t)(end - piece.data) + 1 : piece.len;
			quoting->at_start = end != NULL;
			continue;
		}
		if (rest.data[0] == '>') {
			at++;
			continue;
		}
		len = match(rest, 0);
		if (len == rest.len || len == FROM_LEN) {
			if (give(quoting, span_part(piece, done, at - done), err) < 0)
				return -1;
			done = at;
		}
		if (len == FROM_LEN && give_quote(quoting, err) < 0)
			return -1;
		if (len < FROM_LEN && len == rest.len) {
			quoting->matched = len;
			return 0;
		}
		quoting->at_start = false;
	}
	return give(quoting, span_part(piece, done, piece.len), err);
}

static int quote_piece(void *arg, struct span piece, struct err *err)
{
	struct quoting *quoting = arg;

	if (piece.len == 0)
		return 0;
	quoting->last = piece.data[piece.len - 1];
	if (quoting->matched > 0 && go_on(quoting, &piece, err) < 0)
		return -1;
	return quote(quoting, piece, err);
}

int mbox_text_write(const struct body *message, const char *sender, int64_t wall_s,
	int (*sink)(void *arg, struct span bytes, struct err *err), void *arg,
	struct err *err)
{
	struct quoting quoting = { .sink = sink, .arg = arg, .at_start = true };

	if (write_from_line(sender, wall_s, sink, arg, err) < 0 ||
		body_each(message, quote_piece, &quoting, err) < 0 ||
		give_matched(&quoting, err) < 0)
		return -1;
	return sink(arg, span_str(quoting.last == '\n' ? "\n" : "\n\n"), err);
}
