/* SPDX-License-Identifier: ISC */
#include "common/mime_text.h"

#include <gmime/gmime.h>

#include "common/mime_inside.h"

enum {
	SIZE = MIME_TEXT_MAX * 2 /* UTF-8 may be longer than what it was */
};

/* Who is told. */
struct teller {
	mime_text_reading *each;
	void *arg;
};

static void tell(const struct teller *teller, const char *text, bool odd)
{
	teller->each(teller->arg, text, odd);
}

/* Those of GMime, leniently or as the RFCs have it. */
static GMimeParserOptions *options_of(bool strict)
{
	const GMimeRfcComplianceMode mode =
		strict ? GMIME_RFC_COMPLIANCE_STRICT : GMIME_RFC_COMPLIANCE_LOOSE;
	GMimeParserOptions *options = g_mime_parser_options_new();

	g_mime_parser_options_set_rfc2047_compliance_mode(options, mode);
	g_mime_parser_options_set_address_compliance_mode(options, mode);
	g_mime_parser_options_set_parameter_compliance_mode(options, mode);
	return options;
}

static void options_done(GMimeParserOptions **options)
{
	g_mime_parser_options_free(*options);
}

static void object_done(void *object)
{
	if (*(GObject **)object)
		g_object_unref(*(GObject **)object);
}

static void text_done(char **text)
{
	g_free(*text);
}

/* The value as GMime wants it: unfolded (a line end is nothing, the blank behind it stays), and a NUL
 * hides nothing behind it. */
static char *unfold(struct span value)
{
	char *text = mime_to_text(value);
	size_t used = 0;

	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] != '\r' && value.data[i] != '\n')
			text[used++] = text[i];
	text[used] = '\0';
	return text;
}

/* Too long to be read as a whole? Then nobody can say what it is. */
static bool is_cut(const struct teller *teller, struct span *value)
{
	if (value->len <= MIME_TEXT_MAX)
		return false;
	*value = span_part(*value, 0, MIME_TEXT_MAX);
	tell(teller, "", false);
	return true;
}

static void tell_decoded(const struct teller *teller, const char *text, bool odd)
{
	char shown[SIZE], before[SIZE] = "";

	for (int strict = 0; strict < 2; strict++) {
		DEFER(options_done) GMimeParserOptions *options = options_of(strict);
		DEFER(text_done)
		char *decoded = g_mime_utils_header_decode_text(options, text);

		mime_copy_utf8(shown, sizeof(shown), decoded);
		if (!strict || strcmp(shown, before) != 0)
			tell(teller, shown, odd);
		memcpy(before, shown, sizeof(before));
	}
	mime_copy_utf8(shown, sizeof(shown), text);
	if (strcmp(shown, before) != 0)
		tell(teller, shown, true);
}

void mime_text_value(struct span value, mime_text_reading *each, void *arg)
{
	const struct teller teller = { each, arg };

	(void)is_cut(&teller, &value);
	{
		DEFER(text_done) char *text = unfold(value);

		tell_decoded(&teller, text, false);
	}
}

static void tell_list(const struct teller *teller, InternetAddressList *list)
{
	const int count = list ? internet_address_list_length(list) : 0;

	for (int i = 0; i < count; i++) {
		InternetAddress *one = internet_address_list_get_address(list, i);
		const char *address;
		char shown[SIZE];

		/* A group has no address of its own; those in it stand between brackets too. */
		if (!INTERNET_ADDRESS_IS_MAILBOX(one))
			continue;
		address =
			internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one));
		mime_copy_utf8(shown, sizeof(shown), address ? address : "");
		tell(teller, shown, false);
	}
}

/* Whatever stands between brackets, also in quotes and comments: some programs look no closer. */
static void tell_bracketed(const struct teller *teller, const char *text)
{
	char shown[SIZE];

	for (const char *open = strchr(text, '<'); open; open = strchr(open + 1, '<')) {
		const size_t len = strcspn(open + 1, "<>");
		DEFER(text_done) char *inside = NULL;

		if (open[1 + len] != '>')
			continue;
		inside = g_strndup(open + 1, len);
		mime_copy_utf8(shown, sizeof(shown), g_strstrip(inside));
		tell(teller, shown, false);
	}
}

static size_t count_of(const char *text, char c)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == c;
	return count;
}

void mime_text_addresses(struct span value, mime_text_reading *each, void *arg)
{
	const struct teller teller = { each, arg };
	const bool cut = is_cut(&teller, &value);
	DEFER(text_done) char *text = unfold(value);

	tell_bracketed(&teller, text);
	/* GMime is slow where there are many. */
	if (cut || count_of(text, ':') > MIME_COLONS_MAX) {
		tell(&teller, "", false);
		return;
	}
	for (int strict = 0; strict < 2; strict++) {
		DEFER(options_done) GMimeParserOptions *options = options_of(strict);
		DEFER(object_done)
		InternetAddressList *list = internet_address_list_parse(options, text);

		tell_list(&teller, list);
	}
}

/* A file name, and what a system makes of it. */
static void tell_name(const struct teller *teller, const char *name, bool odd)
{
	char shown[SIZE];
	size_t len;

	tell(teller, name, odd);
	mime_copy_utf8(shown, sizeof(shown), name);
	len = strlen(shown);
	while (len > 0 && (shown[len - 1] == '.' || shown[len - 1] == ' '))
		shown[--len] = '\0';
	if (strcmp(shown, name) != 0)
		tell(teller, shown, true);
}

static void tell_decoded_name(void *arg, const char *text, bool odd)
{
	tell_name(arg, text, odd);
}

/* The value of one parameter as it stands there, quotes taken away; returns its end. */
static const char *parameter_value(const char *at, GString *value)
{
	while (*at == ' ' || *at == '\t')
		at++;
	if (*at != '"') {
		const size_t len = strcspn(at, "; \t");

		g_string_append_len(value, at, (gssize)len);
		return at + len;
	}
	for (at++; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		g_string_append_c(value, *at);
	}
	return at;
}

/* RFC 2231: charset'language'%41bc; a later piece has no charset. Its bytes are taken for UTF-8. */
static void unescape(GString *value)
{
	const char *from = strchr(value->str, '\'');
	const char *second = from ? strchr(from + 1, '\'') : NULL;
	GString *plain = g_string_new(NULL);

	for (const char *at = second ? second + 1 : value->str; *at; at++) {
		const int high = at[0] == '%' ? g_ascii_xdigit_value(at[1]) : -1;
		const int low = high >= 0 ? g_ascii_xdigit_value(at[2]) : -1;

		if (low >= 0 && high * 16 + low > 0)
			g_string_append_c(plain, (char)(high * 16 + low));
		else
			g_string_append_c(plain, *at);
		at += low >= 0 ? 2 : 0;
	}
	(void)g_string_assign(value, plain->str);
	(void)g_string_free(plain, TRUE);
}

static void tell_odd_name(const struct teller *teller, const char *name)
{
	struct teller told = *teller;
	const struct teller named = { tell_decoded_name, &told };

	if (*name)
		tell_decoded(&named, name, true);
}

/* All that looks like a parameter called name or filename, in any form and wherever it stands;
 * pieces (name*0, name*1) in the order in which they come. */
static void tell_parameters(const struct teller *teller, const char *text)
{
	GString *pieces = g_string_new(NULL);
	size_t left = MIME_PARAMETERS_MAX;
	const char *at = text;

	while (left-- > 0 && (at = strcasestr(at, "name"))) {
		const char *equals;
		GString *value;

		at += strlen("name");
		equals = at + strspn(at, "*0123456789 \t");
		if (*equals != '=')
			continue;
		value = g_string_new(NULL);
		(void)parameter_value(equals + 1, value);
		if (memchr(at, '*', (size_t)(equals - at)))
			unescape(value);
		if (strcspn(at, "0123456789") < (size_t)(equals - at))
			(void)g_string_append(pieces, value->str);
		else
			tell_odd_name(teller, value->str);
		(void)g_string_free(value, TRUE);
	}
	tell_odd_name(teller, pieces->str);
	(void)g_string_free(pieces, TRUE);
}

static void tell_field_names(const struct teller *teller, struct span value, bool is_type)
{
	DEFER(object_done) GMimeContentType *type = NULL;
	DEFER(object_done) GMimeContentDisposition *disposition = NULL;
	DEFER(options_done) GMimeParserOptions *options = options_of(false);
	DEFER(text_done) char *text = NULL;
	const char *name = NULL;
	char shown[SIZE];

	if (is_cut(teller, &value))
		tell(teller, "", false);
	text = unfold(value);
	tell_parameters(teller, text);
	if (count_of(text, ';') > MIME_PARAMETERS_MAX)
		return;
	if (is_type) {
		type = g_mime_content_type_parse(options, text);
		name = g_mime_content_type_get_parameter(type, "name");
	} else {
		disposition = g_mime_content_disposition_parse(options, text);
		name = g_mime_content_disposition_get_parameter(disposition, "filename");
	}
	if (!name)
		return;
	mime_copy_utf8(shown, sizeof(shown), name);
	tell_name(teller, shown, false);
}

void mime_text_file_names(struct span message, const struct mime_part *part,
	mime_text_reading *each, void *arg)
{
	const struct teller teller = { each, arg };
	size_t pos = part->header_start, left = MIME_PARAMETERS_MAX;
	struct field field;

	while (left > 0 && pos < part->body_start &&
		field_next(message, &pos, &field) != FIELD_LAST) {
		const bool is_type =
			field.kind == FIELD_NAMED && span_is(field.name, "content-type");

		if (!is_type && (field.kind != FIELD_NAMED ||
					!span_is(field.name, "content-disposition")))
			continue;
		tell_field_names(&teller, field.value, is_type);
		left--;
	}
}
