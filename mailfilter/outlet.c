/* SPDX-License-Identifier: ISC */
#include "mailfilter/outlet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

struct place {
	uint64_t room; /* the largest message it takes */
	enum outlet_answer answer;
	uint32_t tries; /* in vain, of one that cannot be asked */
	bool askable;
	char folder[MESSAGE_TARGET_MAX];
	char why[MESSAGE_REASON_MAX];
};

void outlet_init(struct outlet *outlet, struct record *record, struct deliver *deliver)
{
	*outlet = (struct outlet){ .record = record, .deliver = deliver };
	buf_init(&outlet->places, OUTLET_PLACES_MAX * sizeof(struct place));
}

void outlet_done(struct outlet *outlet)
{
	buf_done(&outlet->places);
}

int64_t outlet_due_s(uint32_t tries, int64_t time_s)
{
	int64_t pause_s = OUTLET_PAUSE_S;

	if (tries <= OUTLET_FREE_TRIES)
		return time_s;
	while (--tries > OUTLET_FREE_TRIES && pause_s < OUTLET_PAUSE_MAX_S)
		pause_s *= 2;
	return time_s + (pause_s < OUTLET_PAUSE_MAX_S ? pause_s : OUTLET_PAUSE_MAX_S);
}

static struct place *find(const struct outlet *outlet, const char *folder)
{
	struct place *places = (struct place *)(void *)outlet->places.data;

	for (size_t i = 0; i < outlet->places.len / sizeof(*places); i++)
		if (strcmp(places[i].folder, folder) == 0)
			return &places[i];
	return NULL;
}

/* What earlier visits found of one that only a try tells about. */
static int remember(const struct outlet *outlet, struct place *place, struct err *err)
{
	struct record_outlet last;
	char when[CLOCK_TEXT_MAX];
	int64_t now_s = clock_wall_s(), due_s;
	int found = record_find_outlet(outlet->record, place->folder, &last, err);

	if (found <= 0)
		return found;
	place->tries = last.tries;
	place->answer = OUTLET_TRIAL;
	due_s = outlet_due_s(last.tries, last.time_s);
	/* A clock that went back says nothing. */
	if (now_s >= due_s || now_s < last.time_s)
		return 0;
	place->answer = OUTLET_SHUT;
	(void)snprintf(place->why, sizeof(place->why),
		"%.180s (%" PRIu32 " times, tried again after %s)", last.reason,
		last.tries, clock_iso(due_s, when));
	return 0;
}

static int ask_place(const struct outlet *outlet, struct place *place, struct err *err)
{
	struct err why = { 0 };
	int asked = outlet->deliver->ops->ask(
		outlet->deliver, place->folder, &place->room, &why);

	place->askable = asked != 0;
	if (asked > 0)
		return 0;
	if (asked == 0) {
		place->room = UINT64_MAX;
		return remember(outlet, place, err);
	}
	if (why.kind != ERR_AGAIN && why.kind != ERR_AWAY) {
		*err = why;
		return -1;
	}
	place->answer = OUTLET_SHUT;
	(void)snprintf(
		place->why, sizeof(place->why), "%.*s", MESSAGE_REASON_MAX - 1, why.text);
	return 0;
}

static struct place *look_up(struct outlet *outlet, const char *folder, struct err *err)
{
	struct place *known = find(outlet, folder);
	struct place place = { .answer = OUTLET_OPEN };

	if (known)
		return known;
	(void)snprintf(place.folder, sizeof(place.folder), "%s", folder);
	if (ask_place(outlet, &place, err) < 0 ||
		buf_add(&outlet->places, &place, sizeof(place), err) < 0)
		return NULL;
	return find(outlet, folder);
}

int outlet_ask(struct outlet *outlet, const char *folder, uint64_t size,
	enum outlet_answer *answer_r, char why[static MESSAGE_REASON_MAX],
	struct err *err)
{
	const struct place *place;

	*answer_r = OUTLET_OPEN;
	if (!outlet->deliver || !outlet->deliver->ops->ask)
		return 0;
	place = look_up(outlet, folder, err);
	if (!place)
		return -1;
	*answer_r = place->answer;
	if (place->answer == OUTLET_SHUT) {
		(void)snprintf(why, MESSAGE_REASON_MAX, "%s", place->why);
	} else if (size > place->room) {
		*answer_r = OUTLET_SHUT;
		(void)snprintf(why, MESSAGE_REASON_MAX,
			"%" PRIu64 " bytes, and there is room for %" PRIu64
			" where it goes to: make more, or raise the limit there",
			size, place->room);
	}
	return 0;
}

void outlet_took(struct outlet *outlet, const char *folder)
{
	struct place *place = find(outlet, folder);

	if (!place || (place->answer == OUTLET_OPEN && place->tries == 0))
		return;
	place->answer = OUTLET_OPEN;
	if (place->tries > 0)
		(void)record_drop_outlet(outlet->record, folder, NULL);
	place->tries = 0;
}

void outlet_refused(struct outlet *outlet, const char *folder, const char *why)
{
	struct place *place = find(outlet, folder);
	struct record_outlet now = { .time_s = clock_wall_s() };

	/* Each visit counts once. */
	if (!place || place->answer == OUTLET_SHUT)
		return;
	place->answer = OUTLET_SHUT;
	(void)snprintf(place->why, sizeof(place->why), "%s", why);
	if (place->askable)
		return;
	now.tries = ++place->tries;
	memcpy(now.folder, place->folder, sizeof(now.folder));
	memcpy(now.reason, place->why, sizeof(now.reason));
	(void)record_put_outlet(outlet->record, &now, NULL);
}
