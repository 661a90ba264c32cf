/* SPDX-License-Identifier: ISC
 *
 * The scanners, as they say they are. */
#include <inttypes.h>

#include "common/clock.h"

#include "mailfilter/connect.h"
#include "mailfilter/scan.h"

enum {
	STEP_MS = 100
};

static void say_absent(
	const struct scan *scan, size_t i, const char *subject, struct remarks *found)
{
	char why[ERR_TEXT_MAX];

	if (scan_trouble(scan, i, why, sizeof(why)))
		remarks_add(found, REMARK_UNREACHED, subject, "scanner", "%s", why);
	else
		remarks_add(found, REMARK_UNREACHED, subject, "scanner",
			"it does not answer, and mail that must be scanned waits until it does; "
			"start it (systemctl start mailfilter-scanner, or mailfilter-scanner &), or "
			"correct `scanners`");
}

static void say_state(
	const struct wire_state *state, const char *subject, struct remarks *found)
{
	if (state->state != WIRE_READY)
		remarks_add(found, REMARK_UNREACHED, subject, "scanner",
			"it is there, but %s: %s",
			state->state == WIRE_LOADING ? "still loading its signatures"
						     : "stopping",
			state->trouble[0] ? state->trouble
			: state->state == WIRE_LOADING
				? "wait some minutes, then see its log"
				: "start it again");
	else
		remarks_add(found, REMARK_OK, subject, "scanner",
			"ready: %s, %" PRIu64 " signatures, %" PRIu32 " workers",
			state->engine, state->signatures, state->workers);
	if (state->state == WIRE_READY && state->trouble[0])
		remarks_add(found, REMARK_NOTE, subject, "scanner", "%s", state->trouble);
	if (state->unprotected[0])
		remarks_add(found, REMARK_NOTE, subject, "scanner", "not protected: %s",
			state->unprotected);
}

/* How many have said all that they can say now: one that loads may be done in a moment. */
static size_t heard(const struct scan *scan, size_t count)
{
	size_t ready = 0;

	for (size_t i = 0; i < count; i++) {
		struct wire_state state = { 0 };
		bool alive = false;

		(void)scan_scanner(scan, i, &alive, &state);
		ready += alive && state.state != WIRE_LOADING;
	}
	return ready;
}

void connect_scanners(const struct settings *settings, const struct remarks *known,
	struct remarks *found)
{
	const size_t count = settings->scanners.count;
	const int64_t deadline = clock_ms() + CONNECT_SCANNERS_MS;
	struct err err = { 0 };
	struct scan *scan;

	remarks_add(
		found, REMARK_STEP, "scanners", "scanner", "waiting for their answers");
	if (scan_open(settings, &scan, &err) < 0) {
		remarks_add(found,
			err.kind == ERR_SETTINGS ? REMARK_SETTINGS : REMARK_UNREACHED,
			"scanners", "scanner", "%s", err.text);
		return;
	}
	while (heard(scan, count) < count && clock_left(deadline) > 0)
		if (scan_wait(scan, NULL, 0, STEP_MS, &err) < 0)
			break;
	for (size_t i = 0; i < count; i++) {
		struct wire_state state = { 0 };
		bool alive = false;
		char subject[REMARK_SUBJECT_MAX];

		(void)snprintf(subject, sizeof(subject), "scanner %s",
			scan_scanner(scan, i, &alive, &state));
		if (alive)
			say_state(&state, subject, found);
		else if (!remarks_wrong(known, subject, NULL))
			say_absent(scan, i, subject, found);
	}
	scan_close(scan);
}
