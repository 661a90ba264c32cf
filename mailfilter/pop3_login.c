/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "mailfilter/pop3.h"
#include "mailfilter/sasl.h"

enum {
	INITIAL_LINE_MAX =
		255 /* RFC 5034, 4: of an AUTH with its answer, line end included */
};

/* How far a login came, beside -1. */
enum step {
	REFUSED,
	LOGGED_IN,
	UNKNOWN /* the server does not know the mechanism after all */
};

/* The server said -ERR, and for a token perhaps why. Whether a later try can help decides between
 * back-off and a person. */
static int refused(struct pop3 *pop3, const char *why, struct err *err)
{
	const struct account_settings *account = pop3->account;
	const char *hint = "check user and password";

	if (pop3_temporary(pop3))
		return err_set(
			err, ERR_SESSION, "no login now: %.300s", pop3_words(pop3));
	if (strcasestr(pop3_words(pop3), "[SYS/PERM]"))
		return err_set(err, ERR_ACCOUNT, "no login: %.300s", pop3_words(pop3));
	if (sasl_is_token((enum auth_kind)account->auth))
		hint = why[0] ? why : "check user and access token";
	return err_set(err, ERR_AUTH, "%.80s refuses the login of %.80s: %.150s (%s)",
		account->host, account->user, pop3_words(pop3), hint);
}

static bool is_challenge(const struct pop3 *pop3)
{
	return pop3->line[0] == '+' && (pop3->line[1] == '\0' || pop3->line[1] == ' ');
}

static int send_line(struct pop3 *pop3, const char *text, size_t len, struct err *err)
{
	stream_begin(pop3->stream);
	if (pop3_send(pop3, err, "%.*s", (int)len, text) < 0 || pop3_flush(pop3, err) < 0)
		return -1;
	stream_begin(pop3->stream);
	return pop3_line(pop3, err);
}

/* "AUTH NAME" and the answer, with it where that is allowed, else after the server's "+"; what comes
 * back to the answer is in pop3->line. 1: so it is, 0: the server refused before it. */
static int send_answer(
	struct pop3 *pop3, const char *name, struct span answer, struct err *err)
{
	const char *text = (const char *)answer.data;

	/* Without the answer a refusal tells that the mechanism is none here: then a password
	 * goes another way. */
	if (sasl_is_token((enum auth_kind)pop3->account->auth) &&
		strlen("AUTH  \r\n") + strlen(name) + answer.len <= INITIAL_LINE_MAX) {
		stream_begin(pop3->stream);
		if (pop3_send(pop3, err, "AUTH %s %.*s", name, (int)answer.len, text) <
				0 ||
			pop3_flush(pop3, err) < 0 || pop3_line(pop3, err) < 0)
			return -1;
		return 1;
	}
	stream_begin(pop3->stream);
	if (pop3_send(pop3, err, "AUTH %s", name) < 0 || pop3_flush(pop3, err) < 0 ||
		pop3_line(pop3, err) < 0)
		return -1;
	if (!is_challenge(pop3))
		return 0;
	return send_line(pop3, text, answer.len, err) < 0 ? -1 : 1;
}

/* What the last line means, where the server asks no more. */
static int judge_line(struct pop3 *pop3, const char *name, struct err *err)
{
	if (strncasecmp(pop3->line, "+OK", 3) == 0)
		return LOGGED_IN;
	if (strncasecmp(pop3->line, "-ERR", 4) == 0)
		return REFUSED;
	pop3->broken = true;
	if (is_challenge(pop3))
		return err_set(err, ERR_SESSION, "AUTH %s: %.100s asks on and on", name,
			pop3->account->host);
	return err_set(err, ERR_SESSION, "AUTH %s: \"%.100s\" is no POP3 answer", name,
		pop3->line);
}

static int sasl(struct pop3 *pop3, enum auth_kind auth, const char *secret,
	char why[SASL_WHY_MAX], struct err *err)
{
	const struct sasl_login login = sasl_login_of(pop3->account, auth, secret);
	const char *name = sasl_name(auth);
	DEFER(buf_wipe) struct buf answer;
	int result;

	buf_init(&answer, SASL_ANSWER_MAX);
	if (sasl_answer(&login, &answer, err) < 0)
		return -1;
	result = send_answer(pop3, name, buf_span(&answer), err);
	if (result < 0)
		return -1;
	if (result == 0 && !sasl_is_token(auth))
		return judge_line(pop3, name, err) < 0 ? -1 : UNKNOWN;
	/* One challenge more is how a token is refused; the server says no once that is
	 * acknowledged. */
	if (sasl_is_token(auth) && is_challenge(pop3)) {
		const char *concede = sasl_concede(auth);

		(void)sasl_explain(pop3->line[1] ? pop3->line + 2 : "", why);
		if (send_line(pop3, concede, strlen(concede), err) < 0)
			return -1;
	}
	return judge_line(pop3, name, err);
}

static int user_pass(struct pop3 *pop3, const char *password, struct err *err)
{
	int result;

	stream_begin(pop3->stream);
	if (pop3_send(pop3, err, "USER %s", pop3->account->user) < 0 ||
		pop3_flush(pop3, err) < 0)
		return -1;
	result = pop3_answer(pop3, err);
	if (result <= 0)
		return result;
	if (pop3_send(pop3, err, "PASS %s", password) < 0 || pop3_flush(pop3, err) < 0)
		return -1;
	return pop3_answer(pop3, err);
}

static bool offers(const struct pop3 *pop3, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = pop3->mechanisms; *at; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		if (strncasecmp(at, name, len) == 0 && (at[len] == ' ' || !at[len]))
			return true;
	}
	return false;
}

static int log_in(
	struct pop3 *pop3, const char *secret, char why[SASL_WHY_MAX], struct err *err)
{
	enum auth_kind auth = (enum auth_kind)pop3->account->auth;
	bool offered = auth != AUTH_LOGIN && offers(pop3, sasl_name(auth));
	int result = UNKNOWN;

	if (sasl_is_token(auth) && !offered)
		return err_set(err, ERR_ACCOUNT,
			"%.100s does not offer %s%s%s: expected another auth for this account",
			pop3->account->host, sasl_name(auth),
			pop3->mechanisms[0] ? ", but" : "", pop3->mechanisms);
	if (offered)
		result = sasl(pop3, auth, secret, why, err);
	return result == UNKNOWN ? user_pass(pop3, secret, err) : result;
}

int pop3_login(struct pop3 *pop3, const char *secret, struct err *err)
{
	const struct sasl_login login =
		sasl_login_of(pop3->account, (enum auth_kind)pop3->account->auth, secret);
	mailstream *stream = stream_mailstream(pop3->stream);
	char why[SASL_WHY_MAX] = "";
	int result = log_in(pop3, secret, why, err);

	/* It has held the secret. */
	explicit_bzero(stream->write_buffer, stream->buffer_max_size);
	if (result == LOGGED_IN)
		return 0;
	if (result >= 0)
		(void)refused(pop3, why, err);
	return sasl_censor(&login, err);
}
