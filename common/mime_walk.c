/* SPDX-License-Identifier: ISC
 *
 * The structure of a message: one pass over its delimiter lines with a stack of the multiparts
 * and messages that are open. Nothing here calls itself, and no byte is looked at more than once
 * for each open multipart. */
#include <stdio.h>
#include <string.h>

#include "common/field.h"
#include "common/mime_inside.h"

struct frame {
	size_t part;
	char *boundary; /* owned; NULL for a message/rfc822 */
	size_t boundary_len;
	size_t outside; /* where the preamble or epilogue starts that is being read */
	uint32_t children;
	bool closed; /* its closing delimiter line is behind us */
	bool digest;
	enum mime_encoding encoding; /* as declared, if it is a leaf after all */
};

struct walk {
	struct span message;
	unsigned rules;
	struct mime *mime;
	size_t size;         /* room in mime->parts */
	size_t header_bytes; /* of all parts so far */
	struct frame frames[MIME_DEPTH_MAX + 1];
	size_t depth;   /* frames in use */
	ptrdiff_t leaf; /* the part whose body is being read, -1 if none */
};

/* A line that one of the open multiparts owns. */
struct delimiter {
	size_t line, end; /* from its first byte to behind its line end */
	size_t frame;
	bool closing;
};

static void walk_done(struct walk *walk)
{
	while (walk->depth > 0)
		free(walk->frames[--walk->depth].boundary);
}

static bool starts_like(struct span line, const struct frame *frame)
{
	return frame->boundary && line.len >= frame->boundary_len + 2 &&
	       memcmp(line.data + 2, frame->boundary, frame->boundary_len) == 0;
}

/* Does this line, which starts with "--", stand for the boundary? 2: as the closing one. */
static int match(struct span line, const struct frame *frame, unsigned rules)
{
	struct span rest;
	int kind = 1;

	if (!starts_like(line, frame))
		return 0;
	rest = span_part(line, frame->boundary_len + 2, line.len);
	if (rest.len >= 2 && rest.data[0] == '-' && rest.data[1] == '-') {
		rest = span_part(rest, 2, rest.len);
		kind = 2;
	}
	if (rules & (MIME_RULE_GOES_ON | MIME_RULE_ANY))
		kind = 1;
	if (rules & (MIME_RULE_PREFIX | MIME_RULE_ANY))
		return kind;
	/* RFC 2046 allows blanks behind it; another character makes it another boundary. */
	return span_trim(rest).len == 0 ? kind : 0;
}

/* The line at `line`, which starts with "--": whose is it? The innermost wins. */
static bool find_owner(struct walk *walk, size_t line, struct delimiter *found_r)
{
	size_t end = field_line_end(walk->message, line);
	struct span text = span_part(walk->message, line, end - line);
	bool begins_like_one = false;

	for (size_t i = walk->depth; i-- > 0;) {
		const struct frame *frame = &walk->frames[i];
		int kind = match(text, frame, walk->rules);

		if (kind > 0 && !frame->closed) {
			*found_r = (struct delimiter){ line, end, i, kind == 2 };
			return true;
		}
		if (kind > 0)
			walk->mime->doubts |= MIME_DOUBT_EPILOGUE;
		else if (starts_like(text, frame))
			begins_like_one = true;
	}
	/* Some readers compare only the start. */
	if (begins_like_one)
		walk->mime->doubts |= MIME_DOUBT_PARSER;
	return false;
}

static bool starts_delimiter(struct span message, size_t line)
{
	return message.len - line >= 2 && message.data[line] == '-' &&
	       message.data[line + 1] == '-';
}

/* The next delimiter line at or after pos, which is the start of a line. */
static bool next_delimiter(struct walk *walk, size_t pos, struct delimiter *found_r)
{
	const struct span message = walk->message;

	while (walk->depth > 0 && pos < message.len) {
		ptrdiff_t jump;

		if (starts_delimiter(message, pos) && find_owner(walk, pos, found_r))
			return true;
		jump = span_find(span_part(message, pos, message.len), span_str("\n--"));
		if (jump < 0)
			break;
		pos += (size_t)jump + 1;
	}
	return false;
}

static void name_path(
	const struct walk *walk, const struct frame *frame, struct mime_part *part)
{
	const struct mime_part *parent = &walk->mime->parts[frame->part];
	char number[16];
	const char *base = parent->path;
	size_t len;
	int used;

	(void)snprintf(number, sizeof(number), "%u", frame->children);
	/* A message as root has no number of its own; the multipart in a message shares its. */
	if (!frame->boundary && parent->parent < 0)
		base = "1";
	if (!frame->boundary && part->is_multipart)
		(void)snprintf(number, sizeof(number), "TEXT");
	len = strlen(base);
	if (frame->boundary && len >= 5 && strcmp(base + len - 5, ".TEXT") == 0)
		len -= 5;
	used = snprintf(part->path, sizeof(part->path), "%.*s%s%s", (int)len, base,
		len > 0 ? "." : "", number);
	if (used < 0 || (size_t)used >= sizeof(part->path))
		(void)snprintf(part->path, sizeof(part->path), "#%zu", walk->mime->count);
}

/* Can a line of the one be taken for a line of the other: equal, or one the other's closing? */
static bool confusable(const struct frame *frame, const struct mime_content *content)
{
	const char *longer = frame->boundary, *shorter = content->boundary;

	if (!longer || frame->closed)
		return false;
	if (frame->boundary_len < content->boundary_len) {
		longer = content->boundary;
		shorter = frame->boundary;
	}
	if (strncmp(longer, shorter, strlen(shorter)) != 0)
		return false;
	longer += strlen(shorter);
	return longer[0] == '\0' || strcmp(longer, "--") == 0;
}

/* Opens the last part as one that has parts of its own. */
static void push(struct walk *walk, struct mime_content *content)
{
	size_t index = walk->mime->count - 1;
	const struct mime_part *part = &walk->mime->parts[index];
	struct frame *frame = &walk->frames[walk->depth];

	*frame = (struct frame){
		.part = index, .outside = part->body_start, .encoding = content->encoding
	};
	if (part->is_multipart) {
		for (size_t i = 0; i < walk->depth; i++)
			if (confusable(&walk->frames[i], content))
				walk->mime->doubts |= MIME_DOUBT_PARSER;
		frame->boundary = take_ptr(&content->boundary);
		frame->boundary_len = content->boundary_len;
		frame->digest = strcmp(part->type, "multipart/digest") == 0;
	}
	walk->depth++;
}

/* Reads the header block of a part up to its blank line, or to a delimiter line that cuts it
 * short; sets body_start. */
static void read_head(struct walk *walk, struct mime_part *part, struct mime_raw *raw)
{
	const size_t start = part->header_start;
	unsigned *doubts = &part->doubts;
	struct delimiter cut;
	struct field field;
	size_t pos = start, count = 0;

	for (;;) {
		if (pos < walk->message.len && walk->depth > 0 &&
			starts_delimiter(walk->message, pos) &&
			find_owner(walk, pos, &cut)) {
			*doubts |= MIME_DOUBT_PARSER;
			break;
		}
		if (field_next(walk->message, &pos, &field) == FIELD_LAST)
			break;
		if (walk->rules & MIME_RULE_JUNK_ENDS &&
			mime_rules_end(walk->message, &field, &pos))
			break;
		if (++count > MIME_HEADER_FIELDS_MAX ||
			field.end - field.start > MIME_FIELD_BYTES_MAX ||
			field.end - start > MIME_HEADER_BYTES_MAX)
			raw->is_over_limit = true;
		if (raw->is_over_limit)
			continue;
		*doubts |= mime_head_field(walk->message, &field, raw);
	}
	part->body_start = pos;
	walk->header_bytes += pos - start;
	if (walk->header_bytes > MIME_HEADERS_BYTES_MAX)
		*doubts |= MIME_DOUBT_HEADER_LIMIT;
	raw->is_over_limit = raw->is_over_limit || mime_head_over_parameters(raw);
	if (raw->is_over_limit)
		*doubts |= MIME_DOUBT_HEADER_LIMIT;
}

/* Room for one more; NULL without memory. */
static struct mime_part *add_part(struct walk *walk)
{
	struct mime *mime = walk->mime;
	size_t size = walk->size ? walk->size * 2 : 4;
	struct mime_part *parts;

	if (mime->count == walk->size) {
		parts = reallocarray(mime->parts, size, sizeof(*parts));
		if (!parts)
			return NULL;
		mime->parts = parts;
		walk->size = size;
	}
	mime->parts[mime->count] = (struct mime_part){ .parent = -1 };
	return &mime->parts[mime->count];
}

/* One more part, whose header starts at *pos; *pos moves to its body. */
static int open_part(struct walk *walk, size_t *pos, struct err *err)
{
	DEFER(mime_content_done) struct mime_content content = { 0 };
	struct mime_raw raw = { .rules = walk->rules };
	struct frame *frame = walk->depth > 0 ? &walk->frames[walk->depth - 1] : NULL;
	struct mime_part *part = add_part(walk);

	if (!part)
		return err_memory(err);
	if (walk->rules & MIME_RULE_ANY)
		mime_rules_start(walk->message, pos);
	part->header_start = *pos;
	read_head(walk, part, &raw);
	part->end = *pos = part->body_start;
	if (frame) {
		part->parent = (ptrdiff_t)frame->part;
		part->depth = walk->mime->parts[frame->part].depth + 1;
		raw.is_in_digest = frame->digest;
		frame->children++;
	}
	if (mime_content_read(&raw, &content, err) < 0 ||
		mime_rules_content(&raw, !frame, &content, err) < 0)
		return -1;
	mime_classify(&content, walk->rules, part);
	walk->mime->doubts |= part->doubts;
	if (frame)
		name_path(walk, frame, part);
	walk->mime->count++;
	if (part->is_composite)
		push(walk, &content);
	else
		walk->leaf = (ptrdiff_t)walk->mime->count - 1;
	return 0;
}

/* Ends, before `end`, what is being read: the leaf, and the frames down to keep. */
static void end_parts(struct walk *walk, size_t end, size_t keep)
{
	struct mime *mime = walk->mime;
	const struct frame *top = &walk->frames[walk->depth - (walk->depth > 0)];

	/* An empty body starts behind the line end that would belong to the delimiter. */
	if (walk->leaf >= 0) {
		if (end < mime->parts[walk->leaf].body_start)
			end = mime->parts[walk->leaf].body_start;
		mime->parts[walk->leaf].end = end;
		walk->leaf = -1;
	} else if (walk->depth > 0) {
		if (end < mime->parts[top->part].body_start)
			end = mime->parts[top->part].body_start;
		if (end > top->outside)
			mime->doubts |= mime_doubts_outside(span_part(
				walk->message, top->outside, end - top->outside));
	}
	while (walk->depth > keep) {
		struct frame *frame = &walk->frames[--walk->depth];
		struct mime_part *part = &mime->parts[frame->part];

		part->end = end;
		if (part->epilogue_start > end || part->epilogue_start == 0)
			part->epilogue_start = end;
		/* Its boundary was never met: a leaf, so that its bytes are looked at. */
		if (frame->children == 0) {
			part->is_composite = part->is_multipart = false;
			part->encoding = frame->encoding;
		}
		if (frame->boundary && !frame->closed)
			mime->doubts |= MIME_DOUBT_PARSER;
		free(frame->boundary);
	}
}

/* Up to the line behind which the next part starts; false at the end of the message. */
static bool next_part(struct walk *walk, size_t *pos)
{
	struct delimiter found;

	while (next_delimiter(walk, *pos, &found)) {
		struct frame *frame = &walk->frames[found.frame];

		end_parts(walk, found.line - field_eol_before(walk->message, found.line),
			found.frame + 1);
		if (frame->children == 0)
			walk->mime->parts[frame->part].preamble_end = found.line;
		*pos = frame->outside = found.end;
		if (!found.closing)
			return true;
		frame->closed = true;
		walk->mime->parts[frame->part].epilogue_start = found.end;
		if (frame->children == 0)
			walk->mime->doubts |= MIME_DOUBT_PARSER;
	}
	return false;
}

/* What a message/rfc822 holds starts at once, without a delimiter line. */
static bool in_message(const struct walk *walk)
{
	return walk->leaf < 0 && !walk->frames[walk->depth - 1].boundary;
}

int mime_walk(struct span message, unsigned rules, struct mime *mime, struct err *err)
{
	DEFER(walk_done)
	struct walk walk = { message, rules, mime, .leaf = -1 };
	size_t pos = field_mbox_line(message);

	do {
		if (mime->count == MIME_PARTS_MAX) {
			mime->doubts |= MIME_DOUBT_PARTS;
			break;
		}
		if (open_part(&walk, &pos, err) < 0)
			return -1;
	} while (in_message(&walk) || next_part(&walk, &pos));
	end_parts(&walk, message.len, 0);
	return 0;
}
