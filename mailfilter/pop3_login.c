/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "mailfilter/imap_text.h"
#include "mailfilter/pop3.h"

enum {
	ANSWER_TEXT_MAX = 6 * 1024 /* of name and password, encoded */
};

/* The server said -ERR. Whether a later try can help decides between back-off and a person. */
static int refused(struct pop3 *pop3, struct err *err)
{
	if (pop3_temporary(pop3))
		return err_set(
			err, ERR_SESSION, "no login now: %.300s", pop3_words(pop3));
	if (strcasestr(pop3_words(pop3), "[SYS/PERM]"))
		return err_set(err, ERR_ACCOUNT, "no login: %.300s", pop3_words(pop3));
	return err_set(err, ERR_AUTH,
		"%.100s refuses the login of %.100s: %.200s (check user and password)",
		pop3->account->host, pop3->account->user, pop3_words(pop3));
}

/* After "AUTH PLAIN": the server's "+", then the answer. 1: in, 0: refused. */
static int give_answer(struct pop3 *pop3, const char *password, struct err *err)
{
	auto_buf struct buf answer;
	uint8_t *room;
	int result;

	buf_init(&answer, ANSWER_TEXT_MAX);
	/* Room at once: growing would leave the password in freed memory. */
	if (buf_reserve(&answer, ANSWER_TEXT_MAX, &room, err) < 0)
		return -1;
	if (imap_text_plain(pop3->account->user, password, &answer, err) < 0)
		return err_set(err, ERR_ACCOUNT, "user or password is too long");
	result = pop3_send(pop3, err, "%.*s", (int)answer.len, (const char *)answer.data);
	explicit_bzero(answer.data, answer.size);
	if (result < 0 || pop3_flush(pop3, err) < 0)
		return -1;
	return pop3_answer(pop3, err);
}

/* 1: in, 0: refused, 2: the server does not know it after all. */
static int sasl_plain(struct pop3 *pop3, const char *password, struct err *err)
{
	stream_begin(pop3->stream);
	if (pop3_send(pop3, err, "AUTH PLAIN") < 0 || pop3_flush(pop3, err) < 0 ||
		pop3_line(pop3, err) < 0)
		return -1;
	if (strcmp(pop3->line, "+") == 0 || strncmp(pop3->line, "+ ", 2) == 0)
		return give_answer(pop3, password, err);
	if (strncasecmp(pop3->line, "-ERR", 4) == 0)
		return 2;
	pop3->broken = true;
	return err_set(
		err, ERR_SESSION, "AUTH PLAIN: \"%.100s\" is no POP3 answer", pop3->line);
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

int pop3_login(struct pop3 *pop3, const char *password, struct err *err)
{
	mailstream *stream = stream_mailstream(pop3->stream);
	int result = 2;

	if (pop3->account->auth == AUTH_PLAIN && pop3->sasl_plain)
		result = sasl_plain(pop3, password, err);
	if (result == 2)
		result = user_pass(pop3, password, err);
	/* It has held the password. */
	explicit_bzero(stream->write_buffer, stream->buffer_max_size);
	if (result < 0)
		return -1;
	return result > 0 ? 0 : refused(pop3, err);
}
