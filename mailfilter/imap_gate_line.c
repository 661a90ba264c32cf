/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_gate_line.h"

#include <string.h>

/* Take word and a blank (or the line's end) off the front; ASCII case does not matter. */
static bool take_word(struct span *rest, const char *word)
{
	size_t len = strlen(word);

	if (rest->len <= len || !span_is(span_part(*rest, 0, len), word) ||
		(rest->data[len] != ' ' && rest->data[len] != '\r' &&
			rest->data[len] != '\n'))
		return false;
	*rest = span_part(*rest, len + 1, rest->len);
	return true;
}

static bool starts(struct span rest, const char *text)
{
	return span_is(span_part(rest, 0, strlen(text)), text);
}

/* An untagged status response: text for people, but for these. */
static enum imap_gate_line classify_status(struct imap_gate *gate, struct span rest)
{
	if (!gate->greeted || starts(rest, "[UIDVALIDITY ") ||
		starts(rest, "[UIDNEXT ") || starts(rest, "[CAPABILITY "))
		return LINE_PLAIN;
	return LINE_TEXT;
}

static enum imap_gate_line classify_untagged(struct imap_gate *gate, struct span rest)
{
	size_t digits = 0;

	if (take_word(&rest, "OK") || take_word(&rest, "NO") || take_word(&rest, "BAD") ||
		take_word(&rest, "PREAUTH"))
		return classify_status(gate, rest);
	if (take_word(&rest, "BYE"))
		return LINE_BYE;
	if (take_word(&rest, "CAPABILITY"))
		return LINE_PLAIN;
	if (gate->lists && take_word(&rest, gate->listed))
		return LINE_LIST;
	if (take_word(&rest, "VANISHED")) {
		gate->news++;
		return LINE_DATA;
	}
	while (digits < rest.len && rest.data[digits] >= '0' && rest.data[digits] <= '9')
		digits++;
	if (digits == 0 || digits == rest.len || rest.data[digits] != ' ')
		return LINE_DATA;
	rest = span_part(rest, digits + 1, rest.len);
	if (take_word(&rest, "FETCH"))
		return LINE_FETCH;
	if (take_word(&rest, "EXISTS")) {
		gate->news++;
		return LINE_PLAIN;
	}
	gate->news += take_word(&rest, "EXPUNGE");
	return LINE_DATA;
}

/* What is untagged while an IDLE is under way: read for what it is, and dropped. */
static enum imap_gate_line classify_idle(enum imap_gate_line line)
{
	switch (line) {
	case LINE_PLAIN:
		return LINE_TEXT;
	case LINE_FETCH:
		return LINE_DATA;
	case LINE_HEAD:
	case LINE_DATA:
	case LINE_LIST:
	case LINE_TEXT:
	case LINE_BYE:
		break;
	}
	return line;
}

enum imap_gate_line imap_gate_classify(struct imap_gate *gate)
{
	struct span head = { (const uint8_t *)gate->head, gate->head_len };
	enum imap_gate_line line;

	if (span_trim(head).len == 0)
		return LINE_TEXT;
	/* Tags are numbers here. What else the parser might take for a response, forgiving
	 * as it is of blanks, must not come by unseen. */
	gate->tagged = head.data[0] >= '0' && head.data[0] <= '9';
	if (head.data[0] == '+') {
		bool again = gate->idle && gate->idles;

		gate->idles = gate->idle;
		return again ? LINE_TEXT : LINE_PLAIN;
	}
	if (gate->tagged)
		return LINE_PLAIN;
	if (!take_word(&head, "*"))
		return LINE_DATA;
	line = classify_untagged(gate, head);
	gate->greeted = true;
	return gate->idle ? classify_idle(line) : line;
}
