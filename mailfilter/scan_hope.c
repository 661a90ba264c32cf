/* SPDX-License-Identifier: ISC
 *
 * Is there hope of a scanner, and if not, what is a person to do? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

#include "mailfilter/scan_inside.h"

void scan_look(struct scan *scan)
{
	int64_t now = clock_ms();
	bool there = false, ready = false;

	for (int i = 0; i < scan->place_count; i++) {
		there = there || scan->places[i].scanner.there;
		ready = ready || scanner_ready(&scan->places[i].scanner);
	}
	if (there)
		scan->absent_ms = 0;
	else if (scan->absent_ms == 0)
		scan->absent_ms = now;
	if (ready)
		scan->unready_ms = 0;
	else if (scan->unready_ms == 0)
		scan->unready_ms = now;
}

static bool past(int64_t since_ms, int64_t wait_ms)
{
	return since_ms != 0 && clock_ms() >= since_ms + wait_ms;
}

int64_t scan_hope_due(const struct scan *scan)
{
	int64_t absent = scan->absent_ms + scan->settings->scanner_wait_ms;
	int64_t unready = scan->unready_ms + scan->settings->scanner_start_ms;
	int64_t due = -1;

	if (scan->absent_ms != 0 && absent > clock_ms())
		due = absent;
	if (scan->unready_ms != 0 && unready > clock_ms() && (due < 0 || unready < due))
		due = unready;
	return due;
}

/* What is wrong with the connection and what to do, as far as ZeroMQ knows it; else NULL. */
static const char *say_trouble(const struct scanner *scanner)
{
	bool keys = scanner->keys.secret != NULL;

	switch (scanner->trouble) {
	case LINK_FINE:
		break;
	case LINK_REFUSED:
		return "does not allow the key of this mailfilter: put its public key "
		       "(FILE.pub of curve-key) into `clients` of scanner.conf";
	case LINK_CUT:
		if (keys)
			return "ends the connection while it is made: it may have another key "
			       "than the one in `scanners`";
		if (strncmp(scanner->endpoint, "tcp://", 6) == 0)
			return "ends the connection while it is made: it may take encrypted "
			       "ones only, then put its key behind it in `scanners`";
		break;
	case LINK_MISMATCH:
		return keys ? "does not encrypt: set curve-key and `clients` in its "
			      "scanner.conf, or take its key out of `scanners`"
			    : "takes encrypted connections only: put its key behind it in "
			      "`scanners`";
	}
	return NULL;
}

bool scan_trouble(const struct scan *scan, size_t i, char *text, size_t size)
{
	const struct place *place;
	const char *trouble;

	text[0] = '\0';
	if (i >= (size_t)scan->place_count || scan->places[i].scanner.there)
		return false;
	place = &scan->places[i];
	trouble = say_trouble(&place->scanner);
	if (trouble)
		(void)snprintf(
			text, size, "scanner %s %s", place->scanner.endpoint, trouble);
	else if (place->refusal[0])
		(void)snprintf(text, size,
			"scanner %s and this mailfilter do not understand each other (%s): "
			"they are of different releases: bring both to one version, and "
			"restart them",
			place->scanner.endpoint, place->refusal);
	return text[0] != '\0';
}

static void say_absent(const struct scan *scan, char *text, size_t size)
{
	auto_buf struct buf names = { .max = ERR_TEXT_MAX };
	const char *list = "";

	for (int i = 0; i < scan->place_count; i++) {
		if (scan_trouble(scan, (size_t)i, text, size))
			return;
		(void)buf_printf(&names, NULL, "%s%s", i ? ", " : "",
			scan->places[i].scanner.endpoint);
	}
	if (buf_text(&names, &list, NULL) < 0)
		list = "";
	(void)snprintf(text, size,
		"no scanner answers at %s: start it, or correct `scanners`", list);
}

static const char *why_not_ready(const struct wire_state *state)
{
	if (state->trouble[0])
		return state->trouble;
	switch (state->state) {
	case WIRE_LOADING:
		return "it is still loading its signatures; see its log";
	case WIRE_STOPPING:
		return "it is stopping; start it again";
	case WIRE_READY:
		break;
	}
	return "it takes no requests; see its log";
}

static void say_unready(const struct scan *scan, char *text, size_t size)
{
	for (int i = 0; i < scan->place_count; i++) {
		const struct scanner *scanner = &scan->places[i].scanner;

		if (!scanner->there)
			continue;
		(void)snprintf(text, size, "scanner %s is not ready: %s",
			scanner->endpoint, why_not_ready(&scanner->state));
		return;
	}
}

bool scan_hopeless(const struct scan *scan, char *text, size_t size)
{
	text[0] = '\0';
	if (past(scan->absent_ms, scan->settings->scanner_wait_ms))
		say_absent(scan, text, size);
	else if (past(scan->unready_ms, scan->settings->scanner_start_ms))
		say_unready(scan, text, size);
	return text[0] != '\0';
}
