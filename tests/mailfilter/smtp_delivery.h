/* SPDX-License-Identifier: ISC
 *
 * A delivery by SMTP or LMTP to a server that speaks from a script. */
#ifndef TESTS_SMTP_DELIVERY_H
#define TESTS_SMTP_DELIVERY_H

#include "tests/mailfilter/delivery.h"

#include "mailfilter/deliver_handover.h"

#include "tests/mailfilter/fake_server.h"

static char host[] = "127.0.0.1", recipient[260];

static inline int setup(void **state)
{
	(void)state;
	if (make_top() < 0)
		return -1;
	(void)strcpy(recipient, "bob");
	account = (struct account_settings){ .deliver_kind = DELIVER_SMTP,
		.deliver_host = host,
		.deliver_tls = TLS_NONE,
		.recipient = recipient,
		.deliver_timeout_ms = 20000 };
	return 0;
}

static inline int deliver_text(
	struct deliver *deliver, const char *name, const char *text, struct err *err)
{
	struct message *message = a_message(name, text);
	int done;

	message->repeat = true;
	done = deliver->ops->write(deliver, message, err);
	if (done == 0 && deliver->ops->show(deliver, message, err) < 0)
		done = -1;
	/* In doubt it stays one that may be there. */
	if (done < 0 && strstr(err->text, "it may have been taken"))
		assert_true(message->repeat);
	message_free(message);
	return done;
}

/* Two messages to one server; what became of each. */
struct outcome {
	const char *first, *second; /* NULL: taken; else what err says */
};

static inline void check(int result, const struct err *err, const char *says)
{
	/* Where the server is to blame the next message would fare no better. */
	const bool away = strstr(err->text, "is not to be had") ||
			  strstr(err->text, "nothing more is tried");

	if (!says && result < 0)
		fail_msg("expected success, got %s", err->text);
	if (says && (result >= 0 || !strstr(err->text, says) ||
			    err->kind != (away ? ERR_AWAY : ERR_AGAIN)))
		fail_msg("expected %s, got %d, %s", says, result, err->text);
}

static inline void against(
	const char *const *script, const char *message, struct outcome expected)
{
	struct fake_server fake = fake_start(script);
	struct err err = { 0 };
	struct deliver *deliver;
	char journal[128];

	(void)snprintf(journal, sizeof(journal), "%s/sent.journal", top);
	(void)unlink(journal);
	account.deliver_port = fake.port;
	deliver = open_it();
	check(deliver_text(deliver, "1", message, &err), &err, expected.first);
	check(deliver_text(deliver, "2", message, &err), &err, expected.second);
	deliver->ops->close(deliver);
	if (!fake_end(&fake))
		fail_msg("the script did not come to its end");
}

/* One message to one server. */
static inline int one_against(
	const char *const *script, const char *message, struct err *err)
{
	struct fake_server fake = fake_start(script);
	struct deliver *deliver;
	int result;

	account.deliver_port = fake.port;
	deliver = open_it();
	result = deliver_text(deliver, "1", message, err);
	deliver->ops->close(deliver);
	assert_true(fake_end(&fake));
	return result;
}

#define MESSAGE "Return-Path: <a@b>\r\n\r\n.x\ny\r\n"
#define GREETS  "> 220 fake"
#define TAKES_MESSAGE                                                                    \
	"< Return-Path: <a@b>", "< \r\n", "< ..x\r\n", "< y\r\n", "< .\r\n", "> 250 taken"

#define UP_TO_DATA                                                                       \
	GREETS, "< EHLO", "> 250 fake", "< MAIL", "> 250 ok", "< RCPT", "> 250 ok",      \
		"< DATA"

#endif
