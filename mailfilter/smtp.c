/* SPDX-License-Identifier: ISC */
#include "mailfilter/smtp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/parse.h"

#include "mailfilter/destination.h"
#include "mailfilter/hostname.h"
#include "mailfilter/smtp_inside.h"
#include "mailfilter/smtp_text.h"

enum {
	COMMAND_MAX = 600, /* RFC 5321 4.5.3.1.4, and what extensions add */
	CODE_OK = 250,
	CODE_DATA = 354,
	CODE_CLOSING = 421,
};

static bool is_lmtp(const struct smtp *smtp)
{
	return smtp->account->deliver_kind == DELIVER_LMTP;
}

int smtp_add_command(struct smtp *smtp, struct err *err, const char *format, ...)
{
	char command[COMMAND_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(command))
		return err_set(err, ERR_AGAIN, "a command of %d bytes is too long", len);
	return smtp_link_add(&smtp->link, span_str(command), err);
}

/* "250-TEXT": 1: more follows; 0: the last line; -1: no answer at all. */
static int read_line(struct smtp *smtp, int *code_r, struct err *err)
{
	const char *line = smtp->link.line;

	if (smtp_link_line(&smtp->link, err) < 0)
		return -1;
	if (line[0] >= '2' && line[0] <= '5' && line[1] >= '0' && line[1] <= '9' &&
		line[2] >= '0' && line[2] <= '9' &&
		(line[3] == ' ' || line[3] == '-' || line[3] == '\0')) {
		*code_r = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
		return line[3] == '-';
	}
	return err_set(err, ERR_AGAIN, "%s says \"%.80s\", which is no answer",
		smtp->link.name, line);
}

int smtp_read_reply(struct smtp *smtp, smtp_each each, struct err *err)
{
	int more = 1;

	smtp_link_begin(&smtp->link);
	for (size_t count = 0; more > 0; count++) {
		const char *text;
		int code = 0;

		if (count == SMTP_REPLY_LINES_MAX)
			return err_set(err, ERR_AGAIN, "%s gives an endless answer",
				smtp->link.name);
		more = read_line(smtp, &code, err);
		if (more < 0)
			return -1;
		if (count > 0 && code != smtp->code)
			return err_set(err, ERR_AGAIN,
				"%s gives two answers in one: %d and %d", smtp->link.name,
				smtp->code, code);
		text = smtp->link.line + (smtp->link.line[3] ? 4 : 3);
		if (count == 0)
			(void)snprintf(smtp->text, sizeof(smtp->text), "%.*s",
				SMTP_REPLY_TEXT_MAX - 1, text);
		smtp->code = code;
		if (each)
			each(smtp, text);
	}
	return 0;
}

int smtp_refused(struct smtp *smtp, const char *what, struct err *err)
{
	return err_set(err, ERR_AGAIN, "%s refuses %s%s: %d %s", smtp->link.name, what,
		smtp->code >= 500 ? " for good" : " for now", smtp->code, smtp->text);
}

static bool is_word(const char *text, const char *word)
{
	const size_t len = strlen(word);

	return strncasecmp(text, word, len) == 0 &&
	       (text[len] == '\0' || text[len] == ' ');
}

static void take_offer(struct smtp *smtp, const char *text)
{
	smtp->pipelining |= is_word(text, "PIPELINING");
	smtp->bit8 |= is_word(text, "8BITMIME");
	smtp->utf8 |= is_word(text, "SMTPUTF8");
	smtp->starttls |= is_word(text, "STARTTLS");
	smtp_login_offer(smtp, text);
	if (!is_word(text, "SIZE"))
		return;
	smtp->sized = true;
	if (text[4] == ' ' &&
		parse_number(text + 5, 0, UINT64_MAX, &smtp->size_max, NULL) < 0)
		smtp->size_max = 0;
}

/* EHLO or LHLO: what was offered before counts no more. 1: it is taken, 0: not. */
static int say_hello(struct smtp *smtp, struct err *err)
{
	char host[HOSTNAME_SIZE];

	smtp->pipelining = smtp->bit8 = smtp->utf8 = smtp->starttls = smtp->sized = false;
	smtp->auth_plain = smtp->auth_login = false;
	smtp->size_max = 0;
	hostname_get(host);
	if (smtp_add_command(
		    smtp, err, "%s %s\r\n", is_lmtp(smtp) ? "LHLO" : "EHLO", host) < 0 ||
		smtp_link_flush(&smtp->link, err) < 0 ||
		smtp_read_reply(smtp, take_offer, err) < 0)
		return -1;
	if (smtp->code == CODE_OK)
		return 1;
	if (is_lmtp(smtp) || smtp->code < 500)
		return smtp_refused(smtp, "us", err);
	/* Older than 1995: RFC 821. */
	if (smtp_add_command(smtp, err, "HELO %s\r\n", host) < 0 ||
		smtp_link_flush(&smtp->link, err) < 0 ||
		smtp_read_reply(smtp, NULL, err) < 0)
		return -1;
	return smtp->code == CODE_OK ? 1 : smtp_refused(smtp, "us", err);
}

static int go_private(struct smtp *smtp, struct err *err)
{
	if (!smtp->starttls)
		return err_set(err, ERR_AGAIN,
			"%s offers no TLS (STARTTLS): mail would travel in plain text; "
			"deliver-tls = none allows that",
			smtp->link.name);
	if (smtp_add_command(smtp, err, "STARTTLS\r\n") < 0 ||
		smtp_link_flush(&smtp->link, err) < 0 ||
		smtp_read_reply(smtp, NULL, err) < 0)
		return -1;
	if (smtp->code != 220)
		return smtp_refused(smtp, "TLS", err);
	if (smtp_link_start_tls(&smtp->link, smtp->account, err) < 0)
		return -1;
	return say_hello(smtp, err);
}

int smtp_open(struct smtp *smtp, const struct account_settings *account,
	const struct stream_wait *wait, struct err *err)
{
	*smtp = (struct smtp){ .account = account, .link.fd = -1 };
	if (smtp_link_open(&smtp->link, account, wait, err) < 0)
		return -1;
	if (account->deliver_smtps && smtp_link_start_tls(&smtp->link, account, err) < 0)
		return -1;
	if (smtp_read_reply(smtp, NULL, err) < 0)
		return -1;
	if (smtp->code != 220)
		return smtp_refused(smtp, "the connection", err);
	if (say_hello(smtp, err) < 0)
		return -1;
	if (account->deliver_tls == TLS_VERIFY && !account->deliver_smtps &&
		go_private(smtp, err) < 0)
		return -1;
	if (account->deliver_user && smtp_login(smtp, err) < 0)
		return -1;
	smtp->open = true;
	return 0;
}

bool smtp_is_open(const struct smtp *smtp)
{
	return smtp->open && smtp_link_is_quiet(&smtp->link);
}

static bool is_ascii(const char *text)
{
	return !smtp_text_is_8bit(span_str(text));
}

/* What the server would have to offer for this message. */
static int check_offer(const struct smtp *smtp, uint64_t size, bool bit8, struct err *err)
{
	if (!is_ascii(smtp->account->recipient) && !smtp->utf8)
		return err_set(err, ERR_AGAIN,
			"%s takes no address beyond ASCII (SMTPUTF8), and the recipient is "
			"one",
			smtp->link.name);
	if (bit8 && !smtp->bit8)
		return err_set(err, ERR_AGAIN,
			"%s takes ASCII only (it offers no 8BITMIME), and mail is not "
			"rewritten here",
			smtp->link.name);
	if (smtp->size_max > 0 && size > smtp->size_max)
		return err_set(err, ERR_AGAIN,
			"%" PRIu64 " bytes, and %s takes %" PRIu64 " at most (SIZE)",
			size, smtp->link.name, smtp->size_max);
	return 0;
}

static void make_mail(const struct smtp *smtp, const char *sender, uint64_t size,
	bool bit8, char mail[static COMMAND_MAX])
{
	const bool utf8 = !is_ascii(smtp->account->recipient) || !is_ascii(sender);
	char sized[40] = "";

	/* A server without it may still be told nothing, which every one must take. */
	if (!is_ascii(sender) && !smtp->utf8)
		sender = "";
	if (smtp->sized)
		(void)snprintf(sized, sizeof(sized), " SIZE=%" PRIu64, size);
	(void)snprintf(mail, COMMAND_MAX, "MAIL FROM:<%.*s>%s%s%s\r\n",
		DESTINATION_ADDRESS_MAX, sender, sized, bit8 ? " BODY=8BITMIME" : "",
		utf8 && smtp->utf8 ? " SMTPUTF8" : "");
}

static int give_bytes(void *arg, struct span bytes, struct err *err)
{
	struct smtp *smtp = arg;

	return smtp_link_add(&smtp->link, bytes, err);
}

static int add_piece(void *arg, struct span piece, struct err *err)
{
	return smtp_text_add(arg, piece, err);
}

static int look_at_piece(void *arg, struct span piece, struct err *err)
{
	(void)err;
	smtp_facts_add(arg, piece);
	return 0;
}

static enum smtp_outcome lost(struct smtp *smtp, enum smtp_outcome outcome)
{
	smtp_link_close(&smtp->link);
	smtp->open = false;
	return outcome;
}

enum step {
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEPS
};

/* The command of a step, or of all from it on where they may go out together. */
static int send_step(struct smtp *smtp, enum step step, const char *mail, struct err *err)
{
	const bool all = smtp->pipelining;

	if (step == STEP_MAIL && smtp_link_add(&smtp->link, span_str(mail), err) < 0)
		return -1;
	if ((step == STEP_RCPT || all) && smtp_add_command(smtp, err, "RCPT TO:<%s>\r\n",
						  smtp->account->recipient) < 0)
		return -1;
	if ((step == STEP_DATA || all) && smtp_add_command(smtp, err, "DATA\r\n") < 0)
		return -1;
	return smtp_link_flush(&smtp->link, err);
}

static bool is_good(const struct smtp *smtp, enum step step)
{
	if (step == STEP_DATA)
		return smtp->code == CODE_DATA;
	return smtp->code >= 200 && smtp->code < 300;
}

/* Up to the server's word that it waits for the message. 1: it does; 0: refused; -1: lost. */
static int begin_message(struct smtp *smtp, const char *mail, struct err *err)
{
	static const char *const whats[STEPS] = { "the sender", "the recipient",
		"the message" };
	bool good = true;

	for (enum step step = STEP_MAIL; step < STEPS; step++) {
		struct err *why = good ? err : NULL;

		if ((step == STEP_MAIL || !smtp->pipelining) &&
			send_step(smtp, step, mail, why) < 0)
			return -1;
		if (smtp_read_reply(smtp, NULL, why) < 0)
			return -1;
		if (good && !is_good(smtp, step)) {
			(void)smtp_refused(smtp, whats[step], err);
			good = false;
		}
		if (smtp->code == CODE_CLOSING)
			return -1;
		if (!good && !smtp->pipelining)
			return 0;
	}
	/* It waits for a message that is for nobody: to leave is the only clear word. */
	if (!good && smtp->code == CODE_DATA)
		return -1;
	return good;
}

/* Before its last line nothing can be taken; from then on nobody knows. */
static enum smtp_outcome send_message(
	struct smtp *smtp, const struct body *message, struct err *err)
{
	struct smtp_text text = { .sink = give_bytes, .arg = smtp };

	if (body_each(message, add_piece, &text, err) < 0 ||
		smtp_text_end(&text, err) < 0 || smtp_link_flush(&smtp->link, err) < 0)
		return lost(smtp, SMTP_LOST);
	if (smtp_link_add(&smtp->link, span_str(SMTP_TEXT_END), err) < 0 ||
		smtp_link_flush(&smtp->link, err) < 0 ||
		smtp_read_reply(smtp, NULL, err) < 0)
		return lost(smtp, SMTP_DOUBT);
	if (smtp->code >= 200 && smtp->code < 300)
		return SMTP_TAKEN;
	(void)smtp_refused(smtp, "the message", err);
	return smtp->code == CODE_CLOSING ? lost(smtp, SMTP_REFUSED) : SMTP_REFUSED;
}

/* Back to the start after a refusal. */
static void reset(struct smtp *smtp)
{
	if (!smtp->open)
		return;
	if (smtp_add_command(smtp, NULL, "RSET\r\n") < 0 ||
		smtp_link_flush(&smtp->link, NULL) < 0 ||
		smtp_read_reply(smtp, NULL, NULL) < 0 || smtp->code != CODE_OK)
		(void)lost(smtp, SMTP_REFUSED);
}

enum smtp_outcome smtp_send(struct smtp *smtp, const struct body *message,
	const char *sender, struct err *err)
{
	struct smtp_facts facts = { 0 };
	enum smtp_outcome outcome = SMTP_REFUSED;
	char mail[COMMAND_MAX];
	int begun;

	if (body_each(message, look_at_piece, &facts, err) < 0)
		return SMTP_REFUSED;
	smtp_facts_end(&facts);
	if (check_offer(smtp, facts.size, facts.bit8, err) < 0)
		return SMTP_REFUSED;
	make_mail(smtp, sender, facts.size, facts.bit8, mail);
	begun = begin_message(smtp, mail, err);
	if (begun < 0)
		return lost(smtp, SMTP_LOST);
	if (begun > 0)
		outcome = send_message(smtp, message, err);
	if (outcome == SMTP_REFUSED)
		reset(smtp);
	return outcome;
}

void smtp_close(struct smtp *smtp)
{
	if (smtp_is_open(smtp) && smtp_add_command(smtp, NULL, "QUIT\r\n") == 0)
		(void)smtp_link_flush(&smtp->link, NULL);
	(void)lost(smtp, SMTP_LOST);
}
