/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mailfilter/imap.h"
#include "mailfilter/imap_text.h"
#include "mailfilter/sasl.h"

enum {
	LOGIN_COMMAND_MAX = SASL_ANSWER_MAX + 100,
	OFFERED_MAX = 200
};

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/* The server said NO, and for a token perhaps why. Whether a later try can help decides between
 * back-off and a person. */
static int refused(struct imap *imap, const char *why, struct err *err)
{
	const struct account_settings *account = imap->account;
	const char *hint = "check user and password";

	if (imap_temporary(imap))
		return err_set(err, ERR_SESSION, "no login now: [%.40s] %.300s",
			imap_code(imap), imap_words(imap));
	if (sasl_is_token((enum auth_kind)account->auth))
		hint = why[0] ? why : "check user and access token";
	return err_set(err, ERR_AUTH, "%.80s refuses the login of %.80s: %.150s (%s)",
		account->host, account->user, imap_words(imap), hint);
}

/* A server that asks on behind the last answer: with a token that is how it says what is wrong,
 * and it says no once that is acknowledged. More than that is no mechanism of ours. */
static int hear_why(
	struct imap *imap, const char *challenge, char why[SASL_WHY_MAX], struct err *err)
{
	enum auth_kind auth = (enum auth_kind)imap->account->auth;
	const char *line;

	if (!sasl_is_token(auth)) {
		imap->broken = true;
		return err_set(err, ERR_SESSION,
			"%.100s asks on behind the answer of AUTHENTICATE PLAIN",
			imap->account->host);
	}
	(void)sasl_explain(challenge, why);
	stream_begin(imap->stream);
	if (imap_send(imap, span_str(sasl_concede(auth)), err) < 0)
		return -1;
	line = imap_line(imap, err);
	if (!line)
		return -1;
	if (line[0] != '+')
		return 0;
	imap->broken = true;
	return err_set(err, ERR_SESSION, "%.100s asks on and on in AUTHENTICATE %s",
		imap->account->host, sasl_name(auth));
}

/* The answer goes along (SASL-IR, RFC 4959) or after a "+". Leaves the line behind it. */
static const char *send_answer(
	struct imap *imap, const char *name, struct span answer, struct err *err)
{
	const bool along = imap_offers(imap, "SASL-IR");
	DEFER(buf_wipe) struct buf command;
	const char *line;
	uint8_t *room;

	buf_init(&command, LOGIN_COMMAND_MAX);
	imap_forget_capabilities(imap);
	if (buf_reserve(&command, LOGIN_COMMAND_MAX, &room, err) < 0 ||
		buf_printf(&command, err, "AUTHENTICATE %s", name) < 0 ||
		imap_begin(imap, err) < 0)
		return NULL;
	if (along)
		return buf_add_str(&command, " ", err) < 0 ||
				       buf_add(&command, answer.data, answer.len, err) <
					       0 ||
				       imap_send(imap, buf_span(&command), err) < 0
			       ? NULL
			       : imap_line(imap, err);
	if (imap_send(imap, buf_span(&command), err) < 0)
		return NULL;
	line = imap_line(imap, err);
	if (!line || line[0] != '+')
		return line;
	stream_begin(imap->stream);
	return imap_send(imap, answer, err) < 0 ? NULL : imap_line(imap, err);
}

static int authenticate(struct imap *imap, enum auth_kind auth, const char *secret,
	char why[SASL_WHY_MAX], struct err *err)
{
	const struct sasl_login login = sasl_login_of(imap->account, auth, secret);
	DEFER(buf_wipe) struct buf answer;
	const char *line;
	int result;

	buf_init(&answer, SASL_ANSWER_MAX);
	if (sasl_answer(&login, &answer, err) < 0)
		return -1;
	line = send_answer(imap, sasl_name(auth), buf_span(&answer), err);
	if (!line)
		return -1;
	if (line[0] != '+')
		return imap_answer(imap, err);
	if (hear_why(imap, strlen(line) > 2 ? line + 2 : "", why, err) < 0)
		return -1;
	result = imap_answer(imap, err);
	/* Some call what was acknowledged a bad command. */
	return result < 0 && imap->bad ? 0 : result;
}

static int login(struct imap *imap, const char *password, struct err *err)
{
	DEFER(buf_wipe) struct buf command;
	uint8_t *room;

	buf_init(&command, LOGIN_COMMAND_MAX);
	if (buf_reserve(&command, LOGIN_COMMAND_MAX, &room, err) < 0)
		return -1;
	if (buf_add_str(&command, "LOGIN ", err) < 0 ||
		imap_text_quoted(imap->account->user, &command, err) < 0 ||
		buf_add_str(&command, " ", err) < 0 ||
		imap_text_quoted(password, &command, err) < 0)
		return err_set(err, ERR_ACCOUNT,
			"user or password is too long or has a line break");
	imap_forget_capabilities(imap);
	return imap_command(imap, buf_span(&command), err);
}

/* The mechanisms that the server announces, " PLAIN XOAUTH2". */
static void list_offered(const struct imap *imap, char text[OFFERED_MAX])
{
	const struct mailimap_connection_info *info = imap->etpan->imap_connection_info;
	size_t used = 0;

	text[0] = '\0';
	if (!info || !info->imap_capability)
		return;
	for (clistiter *at = clist_begin(info->imap_capability->cap_list);
		at && used < OFFERED_MAX; at = clist_next(at)) {
		const struct mailimap_capability *item = clist_content(at);

		if (item->cap_type == MAILIMAP_CAPABILITY_AUTH_TYPE)
			(void)snprintf(text + used, OFFERED_MAX - used, " %.30s",
				item->cap_data.cap_auth_type);
		used = strlen(text);
	}
}

static int login_by_token(
	struct imap *imap, const char *token, char why[SASL_WHY_MAX], struct err *err)
{
	enum auth_kind auth = (enum auth_kind)imap->account->auth;
	char capability[32], offered[OFFERED_MAX];

	(void)snprintf(capability, sizeof(capability), "AUTH=%s", sasl_name(auth));
	if (imap_offers(imap, capability))
		return authenticate(imap, auth, token, why, err);
	list_offered(imap, offered);
	return err_set(err, ERR_ACCOUNT,
		"%.100s does not offer %s%s%s: expected another auth for this account",
		imap->account->host, sasl_name(auth), offered[0] ? ", but" : "", offered);
}

/* Without SASL, where that is wanted or all there is. */
static int login_by_password(
	struct imap *imap, const char *password, char why[SASL_WHY_MAX], struct err *err)
{
	bool ascii = is_ascii(password) && is_ascii(imap->account->user);
	bool may_login = !imap_offers(imap, "LOGINDISABLED");
	bool wants_login = imap->account->auth == AUTH_LOGIN;
	char offered[OFFERED_MAX];

	/* A quoted string is ASCII (RFC 3501), so a password that is not needs PLAIN. */
	if (imap_offers(imap, "AUTH=PLAIN") && !(wants_login && ascii && may_login))
		return authenticate(imap, AUTH_PLAIN, password, why, err);
	if (may_login && ascii)
		return login(imap, password, err);
	list_offered(imap, offered);
	return err_set(err, ERR_ACCOUNT, "%.100s offers no way to log in%s%s%s",
		imap->account->host,
		may_login ? " with a password that is not ASCII"
			  : " with a password on this connection (LOGINDISABLED)",
		offered[0] ? ", but" : "", offered);
}

/* What was offered to a stranger is forgotten as soon as it has been looked at: to who is logged in
 * it may be more. */
int imap_login(struct imap *imap, const char *secret, struct err *err)
{
	const struct sasl_login login =
		sasl_login_of(imap->account, (enum auth_kind)imap->account->auth, secret);
	char why[SASL_WHY_MAX] = "";
	int result;

	if (sasl_is_token((enum auth_kind)imap->account->auth))
		result = login_by_token(imap, secret, why, err);
	else
		result = login_by_password(imap, secret, why, err);
	if (result == 0)
		result = refused(imap, why, err);
	if (result < 0)
		return sasl_censor(&login, err);
	imap->etpan->imap_state = MAILIMAP_STATE_AUTHENTICATED;
	return 0;
}
