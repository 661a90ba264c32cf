/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "mailfilter/imap.h"
#include "mailfilter/imap_text.h"

enum {
	LOGIN_TEXT_MAX = 8 * 1024, /* of name and password, encoded */
	LOGIN_COMMAND_MAX = LOGIN_TEXT_MAX + 100
};

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/* The server said NO. Whether a later try can help decides between back-off and a person. */
static int refused(struct imap *imap, struct err *err)
{
	if (imap_temporary(imap))
		return err_set(err, ERR_SESSION, "no login now: [%.40s] %.300s",
			imap_code(imap), imap_words(imap));
	return err_set(err, ERR_AUTH,
		"%.100s refuses the login of %.100s: %.200s (check user and password)",
		imap->account->host, imap->account->user, imap_words(imap));
}

/* AUTHENTICATE PLAIN: the answer goes along (SASL-IR, RFC 4959) or after a "+". */
static int authenticate(struct imap *imap, struct span answer, struct err *err)
{
	static const char name[] = "AUTHENTICATE PLAIN";
	const char *line;

	if (imap_offers(imap, "SASL-IR")) {
		auto_buf struct buf command;
		int result;

		buf_init(&command, LOGIN_COMMAND_MAX);
		if (buf_printf(&command, err, "%s %.*s", name, (int)answer.len,
			    (const char *)answer.data) < 0)
			return -1;
		result = imap_command(imap, buf_span(&command), err);
		explicit_bzero(command.data, command.size);
		return result;
	}
	if (imap_begin(imap, err) < 0 || imap_send(imap, span_str(name), err) < 0)
		return -1;
	line = imap_line(imap, err);
	if (!line)
		return -1;
	if (line[0] == '+' && (imap_send(imap, answer, err) < 0 || !imap_line(imap, err)))
		return -1;
	return imap_answer(imap, err);
}

static int plain(struct imap *imap, const char *password, struct err *err)
{
	auto_buf struct buf answer;
	uint8_t *room;
	int result;

	buf_init(&answer, LOGIN_TEXT_MAX);
	/* Room at once: growing would leave the password in freed memory. */
	if (buf_reserve(&answer, LOGIN_TEXT_MAX, &room, err) < 0)
		return -1;
	if (imap_text_plain(imap->account->user, password, &answer, err) < 0)
		return err_set(err, ERR_ACCOUNT, "user or password is too long");
	result = authenticate(imap, buf_span(&answer), err);
	explicit_bzero(answer.data, answer.size);
	return result;
}

static int login(struct imap *imap, const char *password, struct err *err)
{
	auto_buf struct buf command;
	uint8_t *room;
	int result = 0;

	buf_init(&command, LOGIN_TEXT_MAX);
	if (buf_reserve(&command, LOGIN_TEXT_MAX, &room, err) < 0)
		return -1;
	if (buf_add_str(&command, "LOGIN ", err) < 0 ||
		imap_text_quoted(imap->account->user, &command, err) < 0 ||
		buf_add_str(&command, " ", err) < 0 ||
		imap_text_quoted(password, &command, err) < 0)
		result = err_set(err, ERR_ACCOUNT,
			"user or password is too long or has a line break");
	if (result == 0)
		result = imap_command(imap, buf_span(&command), err);
	explicit_bzero(command.data, command.size);
	return result;
}

int imap_login(struct imap *imap, const char *password, struct err *err)
{
	bool ascii = is_ascii(password) && is_ascii(imap->account->user);
	bool may_login = !imap_offers(imap, "LOGINDISABLED");
	bool wants_login = imap->account->auth == AUTH_LOGIN;
	int result;

	/* A quoted string is ASCII (RFC 3501), so a password that is not needs PLAIN. */
	if (imap_offers(imap, "AUTH=PLAIN") && !(wants_login && ascii && may_login))
		result = plain(imap, password, err);
	else if (may_login && ascii)
		result = login(imap, password, err);
	else
		return err_set(err, ERR_ACCOUNT, "%.100s offers no way to log in%s",
			imap->account->host,
			may_login ? " with a password that is not ASCII"
				  : " on this connection (LOGINDISABLED)");
	if (result < 0)
		return -1;
	if (result == 0)
		return refused(imap, err);
	imap->etpan->imap_state = MAILIMAP_STATE_AUTHENTICATED;
	return 0;
}
