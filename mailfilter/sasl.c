/* SPDX-License-Identifier: ISC */
#include "mailfilter/sasl.h"

#include <stdio.h>
#include <string.h>

enum {
	BYTES_MAX = SASL_ANSWER_MAX / 4 * 3 /* of an answer, before it is encoded */
};

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool sasl_is_token(enum auth_kind auth)
{
	return auth == AUTH_XOAUTH2 || auth == AUTH_OAUTHBEARER;
}

const char *sasl_name(enum auth_kind auth)
{
	switch (auth) {
	case AUTH_XOAUTH2:
		return "XOAUTH2";
	case AUTH_OAUTHBEARER:
		return "OAUTHBEARER";
	case AUTH_PLAIN:
	case AUTH_LOGIN:
		break;
	}
	return "PLAIN";
}

const char *sasl_concede(enum auth_kind auth)
{
	/* One ^A (RFC 7628, 3.2.3); an empty line. */
	return auth == AUTH_OAUTHBEARER ? "AQ==" : "";
}

int sasl_encode(struct span bytes, struct buf *buf, struct err *err)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t have = bytes.len - i;
		uint32_t group = (uint32_t)bytes.data[i] << 16;
		char text[4];

		if (have > 1)
			group |= (uint32_t)bytes.data[i + 1] << 8;
		if (have > 2)
			group |= bytes.data[i + 2];
		for (unsigned j = 0; j < 4; j++)
			text[j] = alphabet[group >> (18 - 6 * j) & 0x3fU];
		if (have < 3)
			text[3] = '=';
		if (have < 2)
			text[2] = '=';
		if (buf_add(buf, text, sizeof(text), err) < 0)
			return -1;
	}
	return 0;
}

/* A name in a GS2 header (RFC 5801, 4): its two special characters are written in hexadecimal. */
static int add_saslname(const char *name, struct buf *buf, struct err *err)
{
	for (; *name; name++) {
		int result = 0;

		if (*name == ',')
			result = buf_add_str(buf, "=2C", err);
		else if (*name == '=')
			result = buf_add_str(buf, "=3D", err);
		else
			result = buf_add(buf, name, 1, err);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int add_plain(const struct sasl_login *login, struct buf *buf, struct err *err)
{
	return buf_add(buf, "", 1, err) < 0 || buf_add_str(buf, login->user, err) < 0 ||
			       buf_add(buf, "", 1, err) < 0 ||
			       buf_add_str(buf, login->secret, err) < 0
		       ? -1
		       : 0;
}

static int add_bearer(const struct sasl_login *login, struct buf *buf, struct err *err)
{
	return buf_add_str(buf, "\001auth=Bearer ", err) < 0 ||
			       buf_add_str(buf, login->secret, err) < 0 ||
			       buf_add_str(buf, "\001\001", err) < 0
		       ? -1
		       : 0;
}

static int add_xoauth2(const struct sasl_login *login, struct buf *buf, struct err *err)
{
	return buf_add_str(buf, "user=", err) < 0 ||
			       buf_add_str(buf, login->user, err) < 0 ||
			       add_bearer(login, buf, err) < 0
		       ? -1
		       : 0;
}

static int add_oauthbearer(
	const struct sasl_login *login, struct buf *buf, struct err *err)
{
	return buf_add_str(buf, "n,a=", err) < 0 ||
			       add_saslname(login->user, buf, err) < 0 ||
			       buf_printf(buf, err, ",\001host=%s\001port=%u",
				       login->host, login->port) < 0 ||
			       add_bearer(login, buf, err) < 0
		       ? -1
		       : 0;
}

static int add_answer(const struct sasl_login *login, struct buf *buf, struct err *err)
{
	switch (login->auth) {
	case AUTH_XOAUTH2:
		return add_xoauth2(login, buf, err);
	case AUTH_OAUTHBEARER:
		return add_oauthbearer(login, buf, err);
	case AUTH_PLAIN:
	case AUTH_LOGIN:
		break;
	}
	return add_plain(login, buf, err);
}

struct sasl_login sasl_login_of(
	const struct account_settings *account, enum auth_kind auth, const char *secret)
{
	return (struct sasl_login){ .auth = auth,
		.port = account->port,
		.user = account->user,
		.secret = secret,
		.host = account->host };
}

int sasl_answer(const struct sasl_login *login, struct buf *buf, struct err *err)
{
	auto_buf struct buf answer;
	uint8_t *room;
	int result;

	buf_init(&answer, BYTES_MAX);
	for (const char *at = login->user; sasl_is_token(login->auth) && *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return err_set(err, ERR_ACCOUNT,
				"a control character in the user's name cannot be sent");
	/* Room at once: growing would leave the secret in freed memory. */
	if (buf_reserve(&answer, answer.max, &room, err) < 0 ||
		buf_reserve(buf, SASL_ANSWER_MAX, &room, err) < 0)
		return -1;
	result = add_answer(login, &answer, err);
	if (result == 0)
		result = sasl_encode(buf_span(&answer), buf, err);
	explicit_bzero(answer.data, answer.size);
	if (result < 0)
		return err_set(err, ERR_ACCOUNT, "user and %s are too long for a login",
			sasl_is_token(login->auth) ? "token" : "password");
	return 0;
}

static int digit_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* Up to size bytes; returns how many, 0 if that is no base64. */
static size_t decode(const char *text, char *bytes, size_t size)
{
	uint32_t group = 0;
	size_t len = 0;
	unsigned bits = 0;

	for (; digit_of(*text) >= 0; text++) {
		group = (group << 6 | (uint32_t)digit_of(*text)) & 0xffffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (len < size)
			bytes[len++] = (char)(group >> bits & 0xff);
	}
	text += strspn(text, "=\r\n");
	return *text == '\0' ? len : 0;
}

/* What is left of an object to read. */
struct json_in {
	const char *at, *end;
};

static void skip_blanks(struct json_in *in)
{
	while (in->at < in->end &&
		(*in->at == ' ' || *in->at == '\t' || *in->at == '\r' || *in->at == '\n'))
		in->at++;
}

/* A string, with what is not printable and what stands in hexadecimal as '?', cut to size. */
static bool take_string(struct json_in *in, char *text, size_t size)
{
	size_t len = 0;

	if (in->at == in->end || *in->at != '"')
		return false;
	for (in->at++; in->at < in->end && *in->at != '"'; in->at++) {
		bool escaped = *in->at == '\\';
		char c;

		if (escaped && ++in->at == in->end)
			return false;
		c = *in->at;
		if (escaped && c == 'u' && in->end - in->at > 4)
			in->at += 4;
		if (c < ' ' || c > '~' || (escaped && strchr("bfnrtu", c)))
			c = '?';
		if (len + 1 < size)
			text[len++] = c;
	}
	if (in->at == in->end)
		return false;
	in->at++;
	text[len] = '\0';
	return true;
}

/* A number, a word, or what is nested, to the comma or brace behind it. */
static void skip_value(struct json_in *in)
{
	size_t depth = 0;
	char ignored[2];

	while (in->at < in->end) {
		char c = *in->at;

		if (c == '"') {
			if (!take_string(in, ignored, sizeof(ignored)))
				return;
			continue;
		}
		if (depth == 0 && (c == ',' || c == '}'))
			return;
		if (c == '{' || c == '[')
			depth++;
		if ((c == '}' || c == ']') && depth > 0)
			depth--;
		in->at++;
	}
}

enum {
	JSON_KEY_MAX = 40,
	JSON_VALUE_MAX = 120
};

/* A string or a bare number or word; false for what is nested. */
static bool take_value(struct json_in *in, char *text, size_t size)
{
	const char *from = in->at;
	size_t len;

	if (in->at < in->end && *in->at == '"')
		return take_string(in, text, size);
	skip_value(in);
	len = span_trim((struct span){ (const uint8_t *)from, (size_t)(in->at - from) })
		      .len;
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789.-truefalsn", from[i]) || from[i] == '\0')
			return false;
	if (len == 0 || len >= size)
		return false;
	memcpy(text, from, len);
	text[len] = '\0';
	return true;
}

/* One member of the object; false at its end. */
static bool take_member(struct json_in *in, char *key, char *value)
{
	skip_blanks(in);
	if (!take_string(in, key, JSON_KEY_MAX))
		return false;
	skip_blanks(in);
	if (in->at == in->end || *in->at != ':')
		return false;
	in->at++;
	skip_blanks(in);
	if (!take_value(in, value, JSON_VALUE_MAX))
		value[0] = '\0';
	skip_blanks(in);
	if (in->at < in->end && *in->at == ',')
		in->at++;
	else
		in->at = in->end;
	return true;
}

static bool is_told(const char *key)
{
	/* The last two are what servers say beside the standard's. */
	static const char *const keys[] = { "status", "scope", "openid-configuration",
		"schemes", "error_description" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

const char *sasl_explain(const char *challenge, char text[static SASL_WHY_MAX])
{
	char json[SASL_WHY_MAX * 4], key[JSON_KEY_MAX], value[JSON_VALUE_MAX];
	struct json_in in;

	text[0] = '\0';
	if (strnlen(challenge, SASL_CHALLENGE_MAX) == SASL_CHALLENGE_MAX)
		return text;
	in.at = json;
	in.end = json + decode(challenge, json, sizeof(json));
	skip_blanks(&in);
	if (in.at == in.end || *in.at++ != '{')
		return text;
	while (take_member(&in, key, value)) {
		size_t used = strlen(text);

		if (is_told(key) && value[0])
			(void)snprintf(text + used, SASL_WHY_MAX - used, "%s%s=%s",
				used > 0 ? ", " : "", key, value);
	}
	return text;
}

bool sasl_repeats(const char *words, struct span secret)
{
	const size_t run =
		secret.len < SASL_REPEATED_MAX ? secret.len : (size_t)SASL_REPEATED_MAX;

	for (size_t at = 0; run >= SASL_REPEATED_LEAST && at + run <= secret.len; at++)
		if (span_find(span_str(words), span_part(secret, at, run)) >= 0)
			return true;
	return false;
}

int sasl_censor(const struct sasl_login *login, struct err *err)
{
	DEFER(buf_wipe) struct buf answer;
	bool told;

	buf_init(&answer, SASL_ANSWER_MAX);
	if (!err)
		return -1;
	told = sasl_repeats(err->text, span_str(login->secret));
	if (!told && sasl_answer(login, &answer, NULL) == 0)
		told = sasl_repeats(err->text, buf_span(&answer));
	if (!told)
		return -1;
	return err_set(err, err->kind,
		"%.80s takes no login of %.80s, with words that hold what it was told (check "
		"user and %s)",
		login->host, login->user,
		sasl_is_token(login->auth) ? "access token" : "password");
}
