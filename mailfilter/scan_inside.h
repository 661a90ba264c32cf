/* SPDX-License-Identifier: ISC
 *
 * What the files of the scan module share: the scanners and the requests. Not for others. */
#ifndef MAILFILTER_SCAN_INSIDE_H
#define MAILFILTER_SCAN_INSIDE_H

#include "mailfilter/request.h"
#include "mailfilter/scanner.h"

enum {
	SCAN_JOBS_MAX = 64,   /* requests at one scanner, whatever it allows */
	SCAN_EVENTS_MAX = 64, /* of one scanner in one step, so that the owner goes on */
	SCAN_BUSY_MS = 250,   /* until a scanner whose queue was full is asked again */
	SCAN_PAUSES =
		8, /* no pause of a suspect is longer than such a part of scan-timeout */
	SCAN_YIELD_MS = 10 * 1000, /* so long what was lost twice lets others go first */
	SCAN_ABLE_MS = 1000,       /* one that gave a verdict so lately is able */
	SCAN_UNABLE_GAP_MS =
		3000, /* a scanner that says no verdict again later says it anew */
	SCAN_LOG_MS = 60 * 1000, /* between two lines of one kind about one scanner */
};

/* What is logged of a scanner, each kind at its own pace. */
enum scan_told {
	SCAN_TOLD_FOUND,
	SCAN_TOLD_LOST,
	SCAN_TOLD_HOSTILE,
	SCAN_TOLD_KINDS
};

struct place {
	struct scanner_address address;
	struct scanner scanner;
	size_t load;           /* requests there */
	bool suspect;          /* one of them is alone, and stays so */
	int64_t busy_until_ms; /* its queue was full */
	bool acquits;          /* it died, and not with one message alone */
	int64_t able_ms;       /* when it gave a verdict last */
	int64_t unable_ms; /* since when it answers without a verdict; 0: it does not */
	int64_t unable_last_ms; /* when it did last */
	int64_t told_ms[SCAN_TOLD_KINDS];
	char refusal[WIRE_TEXT_MAX]; /* "" or why it does not talk to us */
};

struct scan {
	const struct settings *settings;
	struct key secret; /* ours, "" if no scanner asks for it */
	struct place places[SCAN_SCANNERS_MAX];
	int place_count;
	struct requests requests;
	uint64_t last_id;
	int reserved; /* the scanner that is emptied for a suspect; or REQUEST_NOWHERE */
	int64_t absent_ms;  /* since when none is there; 0: one is */
	int64_t unready_ms; /* since when none takes requests; 0: one does */
	int answers;        /* given in this step */
};

/* Answer a request and forget it; the verdict is released. */
void scan_answer(struct scan *scan, struct request *request, struct verdict *verdict);

/* The same with a verdict of our own. */
void scan_give(struct scan *scan, struct request *request, enum verdict_kind kind,
	enum verdict_reason reason, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Its bytes cannot be read here: no scanner's fault, and none can help. */
void scan_unread(struct scan *scan, struct request *request, const struct err *err);

/* What a scanner said that could be decoded; released. */
void scan_take(struct scan *scan, int place, struct wire_message *message);

/* And what cannot be true, or could not be decoded. id: of the request, 0 where it names none. */
void scan_hostile(struct scan *scan, int place, uint64_t id, const struct err *err);

/* Tell a scanner to forget a request that is there. */
void scan_tell_cancel(struct scan *scan, const struct request *request);

/* May a line of this kind be logged about it now? Counts as told if so. */
bool scan_may_tell(struct place *place, enum scan_told kind);

/* Count what is where anew. */
void scan_count(struct scan *scan);

/* Send what waits to whoever may have it. */
void scan_place_waiting(struct scan *scan);

/* Give up what took too long, send what waits, send on what is credited. */
void scan_dispatch(struct scan *scan);

/* The next clock_ms() at which scan_dispatch has something to do though nothing came; -1: none. */
int64_t scan_dispatch_due(const struct scan *scan);

/* A scanner gave a verdict. */
void scan_is_able(struct place *place);

/* A scanner answered without a verdict. True: the request waits, to be sent again; else that is the
 * answer. */
bool scan_again(struct scan *scan, int place, struct request *request);

/* Is this scanner ready for one more request, of whatever size? */
bool scan_has_room(const struct scan *scan, int place);

/* Note who is there, at each step. */
void scan_look(struct scan *scan);

/* The next clock_ms() at which hope may end; -1: none. */
int64_t scan_hope_due(const struct scan *scan);

#endif
