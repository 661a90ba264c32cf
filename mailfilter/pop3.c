/* SPDX-License-Identifier: ISC */
#include "mailfilter/pop3.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int lost(struct pop3 *pop3, struct err *err)
{
	pop3->broken = true;
	return stream_why(pop3->stream, err);
}

int pop3_send(struct pop3 *pop3, struct err *err, const char *format, ...)
{
	char command[POP3_COMMAND_MAX];
	va_list args;
	ssize_t sent = -1;
	int len;

	if (pop3->broken)
		return lost(pop3, err);
	va_start(args, format);
	len = vsnprintf(command, sizeof(command) - 2, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(command) - 2)
		(void)err_set(err, ERR_ACCOUNT, "user or password is too long");
	else if (memchr(command, '\n', (size_t)len) || memchr(command, '\r', (size_t)len))
		(void)err_set(err, ERR_ACCOUNT,
			"a line break in user or password cannot be sent");
	else {
		command[len] = '\r';
		command[len + 1] = '\n';
		sent = mailstream_write(
			stream_mailstream(pop3->stream), command, (size_t)len + 2);
		if (sent < 0)
			(void)lost(pop3, err);
	}
	/* It may have held a password. */
	explicit_bzero(command, sizeof(command));
	return sent < 0 ? -1 : 0;
}

int pop3_flush(struct pop3 *pop3, struct err *err)
{
	mailstream *stream = stream_mailstream(pop3->stream);

	if (pop3->broken || mailstream_flush(stream) < 0)
		return lost(pop3, err);
	return 0;
}

int pop3_fill(struct pop3 *pop3, struct err *err)
{
	mailstream *stream = stream_mailstream(pop3->stream);
	ssize_t len;

	if (pop3->left > 0)
		return 0;
	len = pop3->broken ? -1 : mailstream_feed_read_buffer(stream);
	if (len <= 0)
		return lost(pop3, err);
	pop3->at = (const uint8_t *)stream->read_buffer;
	pop3->left = (size_t)len;
	/* Taken whole: to take lines out one by one moves the rest each time. */
	stream->read_buffer_len = 0;
	return 0;
}

int pop3_line(struct pop3 *pop3, struct err *err)
{
	size_t len = 0;

	for (;;) {
		char c;

		if (pop3_fill(pop3, err) < 0)
			return -1;
		c = (char)*pop3->at++;
		pop3->left--;
		if (c == '\n')
			break;
		if (c == '\0' || len == sizeof(pop3->line) - 1) {
			pop3->broken = true;
			return err_set(err, ERR_SESSION,
				"the server's answer is refused: %s",
				c ? "an endless line" : "a NUL outside a message");
		}
		pop3->line[len++] = c;
	}
	while (len > 0 && pop3->line[len - 1] == '\r')
		len--;
	pop3->line[len] = '\0';
	return 0;
}

int pop3_answer(struct pop3 *pop3, struct err *err)
{
	stream_begin(pop3->stream);
	if (pop3_line(pop3, err) < 0)
		return -1;
	if (strncasecmp(pop3->line, "+OK", 3) == 0)
		return 1;
	if (strncasecmp(pop3->line, "-ERR", 4) == 0)
		return 0;
	pop3->broken = true;
	return err_set(err, ERR_SESSION, "\"%.100s\" is no POP3 answer", pop3->line);
}

int pop3_command(struct pop3 *pop3, struct err *err, const char *command)
{
	stream_begin(pop3->stream);
	if (pop3_send(pop3, err, "%s", command) < 0 || pop3_flush(pop3, err) < 0)
		return -1;
	return pop3_answer(pop3, err);
}

int pop3_list_line(struct pop3 *pop3, struct err *err)
{
	if (pop3_line(pop3, err) < 0)
		return -1;
	if (pop3->line[0] != '.')
		return 1;
	if (pop3->line[1] == '\0')
		return 0;
	memmove(pop3->line, pop3->line + 1, strlen(pop3->line));
	return 1;
}

int pop3_body_next(
	struct pop3 *pop3, struct pop3_body *body, struct span *piece_r, struct err *err)
{
	const uint64_t max = pop3->account->message_max + STREAM_SLACK;
	size_t used;

	if (body->dots.state == POP3_DOTS_END)
		return 0;
	if (pop3_fill(pop3, err) < 0)
		return -1;
	used = pop3_dots_next(
		&body->dots, (struct span){ pop3->at, pop3->left }, piece_r);
	pop3->at += used;
	pop3->left -= used;
	body->size += piece_r->len;
	if (body->size <= max)
		return 1;
	pop3->broken = true;
	return err_set(err, ERR_SESSION,
		"the server sends a message over the limit of %" PRIu64 " bytes", max);
}

const char *pop3_words(const struct pop3 *pop3)
{
	const char *words = pop3->line + (pop3->line[0] == '+' ? 3 : 4);

	return *words == ' ' ? words + 1 : words;
}

bool pop3_temporary(const struct pop3 *pop3)
{
	/* Servers without codes say the second kind, in whatever words. */
	static const char *const signs[] = { "[IN-USE]", "[LOGIN-DELAY", "[SYS/TEMP]",
		"already locked", "is locked by", "lock busy", "temporar", "try again" };
	const char *words = pop3_words(pop3);

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (strcasestr(words, signs[i]))
			return true;
	}
	return false;
}

static void add_mechanism(struct pop3 *pop3, const char *name)
{
	size_t used = strlen(pop3->mechanisms);

	if (used + 1 + strlen(name) < POP3_MECHANISMS_MAX)
		(void)snprintf(
			pop3->mechanisms + used, POP3_MECHANISMS_MAX - used, " %s", name);
}

static void take_capability(struct pop3 *pop3)
{
	char *rest, *word = strtok_r(pop3->line, " ", &rest);

	if (!word)
		return;
	if (strcasecmp(word, "PIPELINING") == 0)
		pop3->pipelining = true;
	else if (strcasecmp(word, "STLS") == 0)
		pop3->stls = true;
	else if (strcasecmp(word, "LOGIN-DELAY") == 0)
		pop3->login_delay = true;
	else if (strcasecmp(word, "SASL") == 0) {
		while ((word = strtok_r(NULL, " ", &rest)))
			add_mechanism(pop3, word);
	}
}

int pop3_ask_capabilities(struct pop3 *pop3, struct err *err)
{
	int result = pop3_command(pop3, err, "CAPA");

	pop3->pipelining = pop3->stls = pop3->login_delay = false;
	pop3->mechanisms[0] = '\0';
	/* A server that does not know CAPA offers nothing. */
	for (size_t count = 0; result > 0; count++) {
		if (count > 1000) {
			pop3->broken = true;
			return err_set(err, ERR_SESSION, "CAPA: an endless answer");
		}
		result = pop3_list_line(pop3, err);
		if (result > 0)
			take_capability(pop3);
	}
	return result;
}

void pop3_close(struct pop3 *pop3)
{
	if (!pop3)
		return;
	stream_close(pop3->stream);
	free(pop3);
}
