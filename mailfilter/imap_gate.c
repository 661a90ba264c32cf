/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_gate.h"

#include <string.h>

#include "mailfilter/imap_gate_line.h"

/* Where in "{n}" CR LF. */
enum {
	BRACE_NONE,
	BRACE_NUMBER,
	BRACE_CLOSED,
	BRACE_CR
};

static const char body_mark[] = "BODY[] ";

void imap_gate_init(struct imap_gate *gate, uint64_t body_max)
{
	*gate = (struct imap_gate){ .line = LINE_HEAD };
	/* libetpan counts literals in 32 bits. */
	gate->body_max = body_max < UINT32_MAX ? body_max : UINT32_MAX;
}

void imap_gate_take_lists(struct imap_gate *gate, const char *response, struct buf *lists)
{
	gate->listed = response;
	gate->lists = lists;
}

void imap_gate_set_idle(struct imap_gate *gate, bool idle)
{
	gate->idle = idle;
	gate->idles = false;
}

void imap_gate_begin(struct imap_gate *gate)
{
	gate->answer_bytes = gate->plain_bytes = 0;
}

static void start_line(struct imap_gate *gate)
{
	if (gate->tagged)
		gate->since_tagged = 0;
	gate->tagged = false;
	gate->line = LINE_HEAD;
	gate->brace = BRACE_NONE;
	gate->head_len = gate->line_bytes = 0;
	gate->quoted = gate->escaped = gate->code = gate->in_word = false;
	gate->words = 0;
	gate->depth = 0;
	gate->body_match = 0;
}

static int refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_SESSION, "the server's answer is refused: %s", why);
}

/* "{n}" CR LF is complete: what follows is a literal. */
static int start_literal(struct imap_gate *gate, struct err *err)
{
	gate->brace = BRACE_NONE;
	gate->literal_left = gate->number;
	if (gate->body_literal && gate->line == LINE_FETCH) {
		if (gate->number > gate->body_max)
			return err_set(err, ERR_SESSION,
				"the server announces a message of %llu bytes, over the "
				"limit of %llu",
				(unsigned long long)gate->number,
				(unsigned long long)gate->body_max);
		return 0;
	}
	if (gate->number > IMAP_GATE_LINE_MAX)
		return refuse(err, "a long literal where no message is");
	gate->body_literal = false;
	return 0;
}

/* Inside the braces. Returns 0, or -1: that is no literal. */
static int brace_byte(struct imap_gate *gate, uint8_t c, bool *complete_r)
{
	*complete_r = false;
	if (gate->brace == BRACE_NUMBER && c >= '0' && c <= '9') {
		/* Eighteen digits cannot overflow, and are over every limit. */
		if (++gate->digits > 18)
			return -1;
		gate->number = gate->number * 10 + (uint64_t)(c - '0');
		return 0;
	}
	if (gate->brace == BRACE_NUMBER && c == '}' && gate->digits > 0) {
		gate->brace = BRACE_CLOSED;
		return 0;
	}
	if (gate->brace == BRACE_CLOSED && c == '\r') {
		gate->brace = BRACE_CR;
		return 0;
	}
	if (gate->brace == BRACE_CR && c == '\n') {
		*complete_r = true;
		return 0;
	}
	return -1;
}

static void open_brace(struct imap_gate *gate)
{
	gate->brace = BRACE_NUMBER;
	gate->number = 0;
	gate->digits = 0;
	gate->body_literal = gate->body_match == sizeof(body_mark) - 1;
}

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

static void match_body(struct imap_gate *gate, uint8_t c)
{
	if (gate->body_match < sizeof(body_mark) - 1 &&
		upper(c) == (uint8_t)body_mark[gate->body_match])
		gate->body_match++;
	else
		gate->body_match = upper(c) == (uint8_t)body_mark[0];
}

/* Quotes and parentheses of a FETCH response. */
static int fetch_structure(struct imap_gate *gate, uint8_t c, struct err *err)
{
	if (gate->quoted) {
		if (c == '\r' || c == '\n')
			return refuse(err, "a line ends inside quotes");
		if (c == '"' && !gate->escaped)
			gate->quoted = false;
		gate->escaped = c == '\\' && !gate->escaped;
		return 0;
	}
	if (c == '"')
		gate->quoted = true;
	else if (c == '(' && ++gate->depth > IMAP_GATE_DEPTH_MAX)
		return refuse(err, "parentheses nested too deep");
	else if (c == ')' && gate->depth > 0)
		gate->depth--;
	else if (c == '{')
		open_brace(gate);
	match_body(gate, c);
	return 0;
}

/* A line with literals: one byte of it. */
static int data_byte(struct imap_gate *gate, uint8_t c, struct err *err)
{
	bool strict = gate->line == LINE_FETCH, complete;

	if (gate->brace != BRACE_NONE) {
		if (brace_byte(gate, c, &complete) == 0)
			return complete ? start_literal(gate, err) : 0;
		/* libetpan takes more for a literal than the standard does; where it reads
		 * along, the two must not differ. */
		if (strict)
			return refuse(err, "a malformed literal");
		gate->brace = BRACE_NONE;
	}
	if (strict) {
		if (fetch_structure(gate, c, err) < 0)
			return -1;
	} else if (c == '{') {
		open_brace(gate);
	}
	if (c == '\n')
		start_line(gate);
	return 0;
}

/* A status code stands where the text begins, with the third word of a line at the latest. On
 * codes with lists, whole ones in the greeting (BADCHARSET) and broken ones anywhere
 * (PERMANENTFLAGS), libetpan follows a null pointer; nothing here needs one. */
static int code_byte(struct imap_gate *gate, uint8_t c, struct err *err)
{
	if (c == '[' && gate->words <= 3)
		gate->code = true;
	else if (c == ']')
		gate->code = false;
	else if (gate->code && (c == '(' || c == '"' || c == '{'))
		return refuse(err, "a list in a status code");
	return 0;
}

static int plain_byte(struct imap_gate *gate, uint8_t c, struct err *err)
{
	bool blank = c == ' ' || c == '\t';

	if (++gate->plain_bytes > IMAP_GATE_PLAIN_MAX)
		return refuse(err, "an endless answer");
	if (!blank && !gate->in_word)
		gate->words++;
	gate->in_word = !blank;
	if (c == '\n') {
		start_line(gate);
		return 0;
	}
	return code_byte(gate, c, err);
}

static void bye_byte(struct imap_gate *gate, uint8_t c)
{
	if (c == '\n')
		gate->ended = true;
	else if (c != '\r' && c != '\0' && gate->bye_len < IMAP_GATE_BYE_MAX)
		gate->bye[gate->bye_len++] = (char)c;
}

/* For who asked for a list of folders. */
static int keep_list(struct imap_gate *gate, struct span bytes, struct err *err)
{
	if (buf_add(gate->lists, bytes.data, bytes.len, err) == 0)
		return 0;
	return err && err->kind == ERR_FATAL ? -1
					     : refuse(err, "an endless list of folders");
}

static int line_byte(struct imap_gate *gate, uint8_t c, struct err *err)
{
	if (c == '\0')
		return refuse(err, "a NUL outside a message");
	if (++gate->line_bytes > IMAP_GATE_LINE_MAX)
		return refuse(err, "an endless line");
	if (++gate->answer_bytes > IMAP_GATE_ANSWER_MAX)
		return refuse(err, "an endless answer");
	switch (gate->line) {
	case LINE_LIST:
		if (keep_list(gate, (struct span){ &c, 1 }, err) < 0)
			return -1;
		return data_byte(gate, c, err);
	case LINE_FETCH:
	case LINE_DATA:
		return data_byte(gate, c, err);
	case LINE_PLAIN:
		return plain_byte(gate, c, err);
	case LINE_BYE:
		bye_byte(gate, c);
		return 0;
	default:
		if (c == '\n')
			start_line(gate);
		return 0;
	}
}

/* The held start of a line is long enough: judge it, then let it through or not. */
static int release_head(
	struct imap_gate *gate, uint8_t *out, size_t *len, struct err *err)
{
	size_t head_len = gate->head_len;
	bool passes;

	gate->line = (int)imap_gate_classify(gate);
	passes = gate->line == LINE_PLAIN || gate->line == LINE_FETCH;
	for (size_t i = 0; i < head_len; i++) {
		if (line_byte(gate, (uint8_t)gate->head[i], err) < 0)
			return -1;
	}
	if (passes) {
		memcpy(out + *len, gate->head, head_len);
		*len += head_len;
	}
	return 0;
}

static int head_byte(
	struct imap_gate *gate, uint8_t c, uint8_t *out, size_t *len, struct err *err)
{
	gate->head[gate->head_len++] = (char)c;
	if (c != '\n' && gate->head_len < IMAP_GATE_HEAD_MAX)
		return 0;
	return release_head(gate, out, len, err);
}

static int literal_bytes(struct imap_gate *gate, struct span bytes, uint8_t *out,
	size_t *len, struct err *err)
{
	if (gate->line == LINE_FETCH) {
		memcpy(out + *len, bytes.data, bytes.len);
		*len += bytes.len;
	}
	gate->literal_left -= bytes.len;
	if (!gate->body_literal) {
		gate->line_bytes += bytes.len;
		gate->answer_bytes += bytes.len;
	}
	return gate->line == LINE_LIST ? keep_list(gate, bytes, err) : 0;
}

int imap_gate_pass(struct imap_gate *gate, struct span bytes, uint8_t *out, size_t *len_r,
	struct err *err)
{
	size_t i = 0;

	*len_r = 0;
	while (i < bytes.len && !gate->ended) {
		int result;

		if (gate->literal_left > 0) {
			struct span part = span_part(bytes, i,
				gate->literal_left < bytes.len
					? (size_t)gate->literal_left
					: bytes.len);
			if (literal_bytes(gate, part, out, len_r, err) < 0)
				return -1;
			i += part.len;
			continue;
		}
		gate->since_tagged++;
		if (gate->line == LINE_HEAD) {
			result = head_byte(gate, bytes.data[i], out, len_r, err);
		} else {
			bool passes =
				gate->line == LINE_PLAIN || gate->line == LINE_FETCH;

			result = line_byte(gate, bytes.data[i], err);
			if (passes && result == 0)
				out[(*len_r)++] = bytes.data[i];
		}
		if (result < 0)
			return -1;
		i++;
	}
	return 0;
}

bool imap_gate_is_quiet(const struct imap_gate *gate)
{
	return gate->since_tagged == 0;
}

uint64_t imap_gate_open(const struct imap_gate *gate)
{
	return gate->line == LINE_FETCH && gate->body_literal ? gate->literal_left : 0;
}

void imap_gate_moved(struct imap_gate *gate, size_t len)
{
	gate->literal_left -= len;
}
