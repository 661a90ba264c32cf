/* SPDX-License-Identifier: ISC
 *
 * AUTH (RFC 4954). Nothing of a secret gets into a text: not by us, and not where a server says again
 * what it heard. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/schema_text.h"

#include "mailfilter/password.h"
#include "mailfilter/sasl.h"
#include "mailfilter/smtp_inside.h"

enum {
	COMMAND_LINE = 512 /* RFC 5321 4.5.3.1.4: a longer answer goes alone */
};

static bool has_word(const char *words, const char *word)
{
	const size_t len = strlen(word);

	while (*words) {
		const size_t next = strcspn(words, " ");

		if (next == len && strncasecmp(words, word, len) == 0)
			return true;
		words += next;
		words += strspn(words, " ");
	}
	return false;
}

void smtp_login_offer(struct smtp *smtp, const char *text)
{
	/* "AUTH=" is how it was written before it was a standard; both may be there. */
	if (strncasecmp(text, "AUTH", 4) != 0 || (text[4] != ' ' && text[4] != '='))
		return;
	smtp->auth_plain |= has_word(text + 5, "PLAIN");
	smtp->auth_login |= has_word(text + 5, "LOGIN");
}

/* A line that ends up in no other memory, and its answer. */
static int say(
	struct smtp *smtp, const char *command, struct span secret, struct err *err)
{
	struct buf *out = &smtp->link.out;
	uint8_t *room;
	int result = -1;

	/* Room at once: growing would leave the secret in freed memory. */
	if (buf_reserve(out, strlen(command) + secret.len + 2, &room, err) < 0)
		return -1;
	if (smtp_link_add(&smtp->link, span_str(command), err) == 0 &&
		smtp_link_add(&smtp->link, secret, err) == 0 &&
		smtp_link_add(&smtp->link, span_str("\r\n"), err) == 0 &&
		smtp_link_flush(&smtp->link, err) == 0)
		result = smtp_read_reply(smtp, NULL, err);
	if (out->data)
		explicit_bzero(out->data, out->size);
	return result;
}

/* What the login has said or will: until it is over nothing of it may be repeated to anybody. */
struct secrets {
	const char *password;
	struct buf answer; /* of PLAIN */
	struct buf user, encoded;
};

static void secrets_init(struct secrets *secrets)
{
	*secrets = (struct secrets){ 0 };
	buf_init(&secrets->answer, SASL_ANSWER_MAX);
	buf_init(&secrets->user, SASL_ANSWER_MAX);
	buf_init(&secrets->encoded, SASL_ANSWER_MAX);
}

static void secrets_done(struct secrets *secrets)
{
	buf_wipe(&secrets->answer);
	buf_wipe(&secrets->user);
	buf_wipe(&secrets->encoded);
}

static int secrets_make(struct secrets *secrets, const struct account_settings *account,
	const char *password, struct err *err)
{
	const struct sasl_login login = {
		.auth = AUTH_PLAIN, .user = account->deliver_user, .secret = password
	};
	uint8_t *room;

	secrets->password = password;
	if (buf_reserve(&secrets->encoded, SASL_ANSWER_MAX, &room, err) < 0 ||
		sasl_answer(&login, &secrets->answer, err) < 0 ||
		sasl_encode(span_str(account->deliver_user), &secrets->user, err) < 0)
		return -1;
	return sasl_encode(span_str(password), &secrets->encoded, err);
}

static int refused(struct smtp *smtp, struct err *err)
{
	if (smtp->code < 500)
		return err_set(err, ERR_AGAIN, "%.100s takes no login for now: %d %.200s",
			smtp->link.name, smtp->code, smtp->text);
	return err_set(err, ERR_AUTH,
		"%.100s refuses the login of %.100s: %d %.150s (check deliver-user and its "
		"password)",
		smtp->link.name, smtp->account->deliver_user, smtp->code, smtp->text);
}

/* 1: the server waits for more; 0: it is done; -1: no. */
static int heard(struct smtp *smtp, struct err *err)
{
	if (smtp->code == SMTP_AUTH_GO_ON)
		return 1;
	return smtp->code == SMTP_AUTH_OK ? 0 : refused(smtp, err);
}

static int plain(struct smtp *smtp, const struct secrets *secrets, struct err *err)
{
	static const char command[] = "AUTH PLAIN ";
	const bool alone = sizeof(command) + secrets->answer.len + 2 > COMMAND_LINE;
	const struct span none = { 0 };
	int more;

	if (say(smtp, alone ? "AUTH PLAIN" : command,
		    alone ? none : buf_span(&secrets->answer), err) < 0)
		return -1;
	more = heard(smtp, err);
	if (more > 0 && alone) {
		if (say(smtp, "", buf_span(&secrets->answer), err) < 0)
			return -1;
		more = heard(smtp, err);
	}
	return more;
}

static int login(struct smtp *smtp, const struct secrets *secrets, struct err *err)
{
	const struct span said[] = { buf_span(&secrets->user),
		buf_span(&secrets->encoded) };
	int more = say(smtp, "AUTH LOGIN", (struct span){ 0 }, err);

	if (more == 0)
		more = heard(smtp, err);
	for (size_t i = 0; i < 2 && more > 0; i++) {
		more = say(smtp, "", said[i], err);
		if (more == 0)
			more = heard(smtp, err);
		/* With the name alone nobody is logged in. */
		if (i == 0 && more == 0)
			return err_set(err, ERR_AGAIN,
				"%s ends AUTH LOGIN before it has the password",
				smtp->link.name);
	}
	return more;
}

/* What went wrong is told in the server's words, if they are fit for it. */
static int censor(const struct secrets *secrets, struct smtp *smtp, struct err *err)
{
	if (err && (sasl_repeats(err->text, span_str(secrets->password)) ||
			   sasl_repeats(err->text, buf_span(&secrets->answer)) ||
			   sasl_repeats(err->text, buf_span(&secrets->encoded))))
		return err_set(err, err->kind,
			"%.100s takes no login, with words that hold what it was told (check "
			"deliver-user and its password)",
			smtp->link.name);
	return -1;
}

static int authenticate(struct smtp *smtp, const char *password, struct err *err)
{
	DEFER(secrets_done) struct secrets secrets;
	int more;

	secrets_init(&secrets);
	if (secrets_make(&secrets, smtp->account, password, err) < 0)
		return -1;
	more = smtp->auth_plain ? plain(smtp, &secrets, err) : login(smtp, &secrets, err);
	if (more > 0)
		more = err_set(
			err, ERR_AGAIN, "%s asks on and on in AUTH", smtp->link.name);
	return more < 0 ? censor(&secrets, smtp, err) : 0;
}

int smtp_login(struct smtp *smtp, struct err *err)
{
	const struct account_settings *account = smtp->account;
	const struct password_source source = { .account = account,
		.prefix = "deliver-",
		.command_name = account->deliver_password_command.count > 0
					? account->deliver_password_command.items[0]
					: NULL,
		.command = RUNNER_DELIVER_PASSWORD,
		.file = account->deliver_password_file };
	DEFER(schema_text_free) char *password = NULL;

	if (!smtp->auth_plain && !smtp->auth_login)
		return err_set(err, ERR_ACCOUNT,
			"%s offers no login by AUTH PLAIN or LOGIN%s: take deliver-user away, "
			"or correct `deliver`",
			smtp->link.name, smtp->link.tls ? "" : " (without TLS)");
	if (password_read(&source, &smtp->link.wait, &password, err) < 0)
		return -1;
	return authenticate(smtp, password, err);
}
