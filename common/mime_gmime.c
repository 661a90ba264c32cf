/* SPDX-License-Identifier: ISC
 *
 * What GMime does for us, but for mime_text, the only other file that includes it: values of
 * fields, charsets, and a second reading of the whole message. It never sees what is over a limit: the time of its
 * parameter and address parsers is quadratic, and GLib ends the process where memory is short. */
#include <gmime/gmime.h>

#include "common/mime_inside.h"
#include "common/utf8.h"

void mime_start(void)
{
	g_mime_init();
}

/* What GMime warns of, as our doubts. Odd addresses and encoded words change no part. */
static void warned(
	gint64 offset, GMimeParserWarning code, const gchar *item, gpointer data)
{
	unsigned *doubts = data;

	(void)offset;
	switch (code) {
	case GMIME_WARN_INVALID_RFC2047_HEADER_VALUE:
	case GMIME_WARN_INVALID_ADDRESS_LIST:
		break;
	case GMIME_WARN_UNENCODED_8BIT_HEADER:
		*doubts |= MIME_DOUBT_BINARY;
		break;
	case GMIME_WARN_DUPLICATED_HEADER:
	case GMIME_CRIT_CONFLICTING_HEADER:
		/* A second Subject or To hides no part. */
		if (!item || g_ascii_strncasecmp(item, "content-", 8) == 0)
			*doubts |= MIME_DOUBT_DUPLICATE;
		break;
	case GMIME_WARN_DUPLICATED_PARAMETER:
	case GMIME_CRIT_CONFLICTING_PARAMETER:
		*doubts |= MIME_DOUBT_DUPLICATE;
		break;
	case GMIME_WARN_INVALID_CONTENT_TYPE:
	case GMIME_WARN_MALFORMED_MULTIPART:
	case GMIME_WARN_TRUNCATED_MESSAGE:
	case GMIME_WARN_MALFORMED_MESSAGE:
	case GMIME_CRIT_INVALID_HEADER_NAME:
	case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY:
	case GMIME_WARN_INVALID_PARAMETER:
	case GMIME_CRIT_NESTING_OVERFLOW:
	case GMIME_WARN_PART_WITHOUT_CONTENT:
	case GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT:
		*doubts |= MIME_DOUBT_PARSER;
		break;
	}
}

static void options_free(GMimeParserOptions **options)
{
	g_mime_parser_options_free(*options);
}

static void object_free(void *object)
{
	if (*(GObject **)object)
		g_object_unref(*(GObject **)object);
}

static void text_free(char **text)
{
	g_free(*text);
}

static GMimeParserOptions *options_new(unsigned *doubts)
{
	GMimeParserOptions *options = g_mime_parser_options_new();

	g_mime_parser_options_set_warning_callback(options, warned, doubts);
	return options;
}

char *mime_to_text(struct span value)
{
	char *text = g_malloc(value.len + 1);

	for (size_t i = 0; i < value.len; i++) {
		char c = (char)value.data[i];
		if (c == '\r' || c == '\n')
			c = ' ';
		text[i] = (char)(c == '\0' ? '?' : c);
	}
	text[value.len] = '\0';
	return text;
}

void mime_copy_utf8(char *to, size_t size, const char *from)
{
	DEFER(text_free) char *valid = g_utf8_make_valid(from, -1);
	size_t len = 0;

	for (char *p = valid; *p; p = g_utf8_next_char(p)) {
		size_t next = (size_t)(g_utf8_next_char(p) - p);

		if (len + next >= size)
			break;
		memcpy(to + len, p, next);
		if (next == 1 && (unsigned char)*p < ' ')
			to[len] = ' ';
		len += next;
	}
	to[len] = '\0';
}

/* A file name: the end of a long one says what it is. */
static void copy_name(char to[static MIME_NAME_MAX], const char *from)
{
	DEFER(text_free) char *valid = g_utf8_make_valid(from, -1);

	(void)utf8_shorten(span_str(valid), to, MIME_NAME_MAX);
	for (; *to; to++)
		if ((unsigned char)*to < ' ')
			*to = ' ';
}

static void copy_lower(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; from[i] && i + 1 < size; i++)
		to[i] = (char)(from[i] > ' ' && from[i] < 0x7f ? g_ascii_tolower(from[i])
							       : '?');
	to[i] = '\0';
}

static int read_type(GMimeParserOptions *options, const char *text,
	struct mime_content *content, struct err *err)
{
	DEFER(object_free)
	GMimeContentType *type = g_mime_content_type_parse(options, text);
	DEFER(text_free) char *whole = g_mime_content_type_get_mime_type(type);
	const char *boundary = g_mime_content_type_get_parameter(type, "boundary");
	const char *name = g_mime_content_type_get_parameter(type, "name");
	const char *charset = g_mime_content_type_get_parameter(type, "charset");
	const char *smime = g_mime_content_type_get_parameter(type, "smime-type");

	copy_lower(content->type, sizeof(content->type), whole);
	if (charset)
		copy_lower(content->charset, sizeof(content->charset), charset);
	if (name) {
		content->has_name = true;
		copy_name(content->name, name);
	}
	if (strcmp(content->type, "application/pkcs7-mime") == 0 ||
		strcmp(content->type, "application/x-pkcs7-mime") == 0)
		content->is_encrypted =
			!smime || (g_ascii_strcasecmp(smime, "signed-data") != 0 &&
					  g_ascii_strcasecmp(smime, "certs-only") != 0);
	if (!boundary || !*boundary)
		return 0;
	content->boundary = strdup(boundary);
	if (!content->boundary)
		return err_memory(err);
	content->boundary_len = strlen(boundary);
	return 0;
}

/* Two names of one part that differ: which one counts is each mail program's own affair. */
static void read_disposition(
	GMimeParserOptions *options, const char *text, struct mime_content *content)
{
	DEFER(object_free)
	GMimeContentDisposition *disposition =
		g_mime_content_disposition_parse(options, text);
	const char *kind = g_mime_content_disposition_get_disposition(disposition);
	const char *name =
		g_mime_content_disposition_get_parameter(disposition, "filename");
	char copy[MIME_NAME_MAX];

	content->is_attachment = !kind || g_ascii_strcasecmp(kind, "inline") != 0;
	if (!name)
		return;
	copy_name(copy, name);
	if (content->has_name && strcmp(copy, content->name) != 0)
		content->doubts |= MIME_DOUBT_DUPLICATE;
	content->has_name = true;
	memcpy(content->name, copy, sizeof(copy));
}

int mime_content_read(
	const struct mime_raw *raw, struct mime_content *content_r, struct err *err)
{
	struct mime_content content = { .is_identity = true };
	DEFER(options_free) GMimeParserOptions *options = options_new(&content.doubts);
	DEFER(text_free) char *type = mime_to_text(raw->type);
	DEFER(text_free) char *disposition = mime_to_text(raw->disposition);

	if (raw->is_over_limit) {
		(void)g_strlcpy(content.type, "application/octet-stream", MIME_TYPE_MAX);
		*content_r = content;
		return 0;
	}
	(void)g_strlcpy(content.type, raw->is_in_digest ? "message/rfc822" : "text/plain",
		MIME_TYPE_MAX);
	if (raw->type.data && read_type(options, type, &content, err) < 0)
		return -1;
	if (raw->disposition.data)
		read_disposition(options, disposition, &content);
	mime_head_content(raw, &content);
	*content_r = content;
	return 0;
}

void mime_content_done(struct mime_content *content)
{
	free(content->boundary);
	content->boundary = NULL;
}

/* A stream over borrowed bytes: GMime only reads from it. */
static GMimeStream *stream_new(struct span message, GByteArray **array_r)
{
	GMimeStream *stream;
	guint8 *bytes;

	memcpy(&bytes, &message.data, sizeof(bytes)); /* drops the const */
	*array_r = g_byte_array_new_take(bytes, message.len);
	stream = g_mime_stream_mem_new_with_byte_array(*array_r);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	return stream;
}

/* The next leaf of ours that has bytes; count if there is none. */
static size_t next_leaf(const struct mime *mime, size_t i)
{
	while (i < mime->count &&
		(mime->parts[i].is_composite ||
			mime->parts[i].body_start == mime->parts[i].end))
		i++;
	return i;
}

/* Do two ends of a body differ by no more than a line end? GMime takes the length of the one
 * before a delimiter line from the delimiter line itself. */
static bool same_end(struct span message, gint64 theirs, size_t ours)
{
	size_t from = (size_t)MIN(theirs, (gint64)ours);
	size_t to = (size_t)MAX(theirs, (gint64)ours);

	return to - from <= 2 && span_trim(span_part(message, from, to - from)).len == 0;
}

/* Is this leaf of GMime's the next one of ours? */
static bool same_leaf(
	GMimeObject *object, struct span message, const struct mime *mime, size_t *next)
{
	GMimeDataWrapper *content;
	GMimeStream *stream;

	content = GMIME_IS_PART(object) ? g_mime_part_get_content(GMIME_PART(object))
					: NULL;
	stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
	if (!stream || stream->bound_start == stream->bound_end)
		return true;
	*next = next_leaf(mime, *next);
	if (*next == mime->count ||
		stream->bound_start != (gint64)mime->parts[*next].body_start ||
		!same_end(message, stream->bound_end, mime->parts[*next].end))
		return false;
	++*next;
	return true;
}

/* Both trees have the same leaves, in order? With a list of what is still to visit, so that the
 * depth of a mail is never that of our stack. */
static bool same_leaves(GMimeObject *root, struct span message, const struct mime *mime)
{
	GPtrArray *open = g_ptr_array_new();
	bool same = true;
	size_t next = 0;

	if (root)
		g_ptr_array_add(open, root);
	while (same && open->len > 0) {
		GMimeObject *object = g_ptr_array_index(open, open->len - 1);

		g_ptr_array_set_size(open, (gint)open->len - 1);
		if (GMIME_IS_MULTIPART(object)) {
			for (int i = g_mime_multipart_get_count(GMIME_MULTIPART(object));
				i-- > 0;)
				g_ptr_array_add(
					open, g_mime_multipart_get_part(
						      GMIME_MULTIPART(object), i));
		} else if (GMIME_IS_MESSAGE_PART(object)) {
			GMimeMessage *inner = g_mime_message_part_get_message(
				GMIME_MESSAGE_PART(object));
			if (inner && g_mime_message_get_mime_part(inner))
				g_ptr_array_add(
					open, g_mime_message_get_mime_part(inner));
		} else {
			same = same_leaf(object, message, mime, &next);
		}
	}
	g_ptr_array_free(open, TRUE);
	return same && next_leaf(mime, next) == mime->count;
}

void mime_second_reading(struct span message, struct mime *mime)
{
	DEFER(options_free) GMimeParserOptions *options = options_new(&mime->doubts);
	DEFER(object_free) GMimeStream *stream = NULL;
	DEFER(object_free) GMimeParser *parser = NULL;
	DEFER(object_free) GMimeObject *root = NULL;
	GByteArray *bytes;

	if (message.len == 0 || message.len > G_MAXUINT32) {
		mime->doubts |= MIME_DOUBT_PARSER;
		return;
	}
	stream = stream_new(message, &bytes);
	parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, TRUE);
	root = (GMimeObject *)g_mime_parser_construct_message(parser, options);
	if (!root || !same_leaves(g_mime_message_get_mime_part((GMimeMessage *)root),
			     message, mime))
		mime->doubts |= MIME_DOUBT_PARSER;
	/* The bytes are the caller's: the array is freed, not what it points at. */
	(void)g_byte_array_free(bytes, FALSE);
}

void mime_field_text(struct span message, const char *name, char *text, size_t size)
{
	struct span value = mime_field(message, 0, name);
	char *raw = mime_to_text(span_part(value, 0, MIME_VALUE_MAX));
	char *decoded = g_mime_utils_header_decode_text(NULL, raw);

	mime_copy_utf8(text, size, decoded);
	g_free(decoded);
	g_free(raw);
}
