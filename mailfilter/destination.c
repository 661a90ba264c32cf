/* SPDX-License-Identifier: ISC */
#include "mailfilter/destination.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "common/home.h"
#include "common/utf8.h"

#include "mailfilter/source_url.h"

enum {
	LMTP_PORT = 24,
	SMTP_PORT = 25,
	SMTPS_PORT = 465,
	USER_MAX = 255
};

#define EXPECTED                                                                         \
	"expected maildir:PATH, mbox:PATH, lmtp:PATH, lmtp://HOST, smtp://HOST, "        \
	"smtps://HOST, pipe or inplace"

static const char inplace[] = "inplace";

/* In the order in which they are tried: "lmtp://" before "lmtp:". */
static const struct form {
	const char *prefix;
	enum deliver_kind kind;
	unsigned port; /* 0: a path stands behind it */
} forms[] = {
	{ "maildir:", DELIVER_MAILDIR, 0 },
	{ "mbox:", DELIVER_MBOX, 0 },
	{ "lmtp://", DELIVER_LMTP, LMTP_PORT },
	{ "lmtp:", DELIVER_LMTP, 0 },
	{ "smtp://", DELIVER_SMTP, SMTP_PORT },
	{ "smtps://", DELIVER_SMTP, SMTPS_PORT },
};

static const struct form *find_form(const char *value)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strncmp(value, forms[i].prefix, strlen(forms[i].prefix)) == 0)
			return &forms[i];
	return NULL;
}

int destination_check(const char *value, struct err *err)
{
	const struct form *form = find_form(value);
	char host[SOURCE_URL_HOST_MAX + 1];
	unsigned port;

	if (strcmp(value, "pipe") == 0 || strcmp(value, inplace) == 0)
		return 0;
	if (strncmp(value, "pipe:", 5) == 0)
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected deliver = pipe, and the command as "
			"deliver-command = { \"PROGRAM\", \"ARGUMENT\" }",
			value);
	if (!form)
		return err_set(err, ERR_SETTINGS, "\"%.80s\": " EXPECTED, value);
	value += strlen(form->prefix);
	if (form->port > 0)
		return source_url_host(value, form->port, host, &port, err);
	return home_check_path(value, err);
}

bool destination_is_address(const char *text)
{
	const size_t len = strlen(text);

	if (len == 0 || len > DESTINATION_ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || text[i] == '<' ||
			text[i] == '>')
			return false;
	return utf8_valid(span_str(text));
}

static int check_address(const char *value, const char *also, struct err *err)
{
	if (destination_is_address(value))
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected an address of at most %d bytes without blanks and "
		"brackets%s",
		value, DESTINATION_ADDRESS_MAX, also);
}

int destination_check_recipient(const char *value, struct err *err)
{
	return check_address(value, "", err);
}

int destination_check_sender(const char *value, struct err *err)
{
	if (strcmp(value, "<>") == 0)
		return 0;
	return check_address(value, ", or \"<>\" for none", err);
}

int destination_check_user(const char *value, struct err *err)
{
	if (value[0] != '\0' && strlen(value) <= USER_MAX)
		return 0;
	return err_set(err, ERR_SETTINGS, "expected 1 to %d bytes", USER_MAX);
}

#define REFUSE(option_line, ...)                                                         \
	schema_error(err, settings->path,                                                \
		(option_line) > 0 ? (option_line) : account->line, __VA_ARGS__)

/* The user at the source is a recipient only where it is an address. */
static int finish_recipient(const struct settings *settings,
	struct account_settings *account, struct err *err)
{
	const char *at = strchr(account->user, '@');

	if (account->recipient || account->deliver_kind == DELIVER_MAILDIR ||
		account->deliver_kind == DELIVER_MBOX ||
		account->deliver_kind == DELIVER_INPLACE)
		return 0;
	if (at && at != account->user && at[1] && destination_is_address(account->user)) {
		account->recipient = strdup(account->user);
		return account->recipient ? 0 : err_memory(err);
	}
	if (account->deliver_kind == DELIVER_PIPE)
		return 0;
	return REFUSE(account->lines.deliver,
		"deliver: for whom? Expected recipient = \"ADDRESS\" as well");
}

static int finish_path(const struct settings *settings, struct account_settings *account,
	const char *path, struct err *err)
{
	if (home_expand(path, &account->deliver_path, err) < 0)
		return -1;
	if (account->deliver_kind != DELIVER_LMTP ||
		strlen(account->deliver_path) <
			sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return 0;
	return REFUSE(account->lines.deliver,
		"deliver: the socket's path is too long: expected at most %zu bytes",
		sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
}

static int finish_host(
	struct account_settings *account, const struct form *form, struct err *err)
{
	char host[SOURCE_URL_HOST_MAX + 1];

	if (source_url_host(account->deliver + strlen(form->prefix), form->port, host,
		    &account->deliver_port, err) < 0)
		return -1;
	account->deliver_host = strdup(host);
	return account->deliver_host ? 0 : err_memory(err);
}

/* On this machine plain text is seen by nobody else. */
static bool is_loopback(const char *host)
{
	struct in_addr address;

	return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       (inet_pton(AF_INET, host, &address) == 1 &&
		       ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET);
}

static int check_tls(const struct settings *settings,
	const struct account_settings *account, struct err *err)
{
	if (!account->deliver_host && account->lines.deliver_tls > 0)
		return REFUSE(account->lines.deliver_tls,
			"deliver-tls: only lmtp://HOST, smtp://HOST and smtps://HOST have it");
	if (!account->deliver_host && account->deliver_tls_ca)
		return REFUSE(account->lines.deliver_tls_ca,
			"deliver-tls-ca: only lmtp://HOST, smtp://HOST and smtps://HOST have it");
	if (account->deliver_tls == TLS_NONE && account->deliver_smtps)
		return REFUSE(account->lines.deliver_tls,
			"deliver-tls: none does not go with smtps://: expected smtp:// for a "
			"connection in plain text");
	if (account->deliver_tls == TLS_NONE && account->deliver_tls_ca)
		return REFUSE(account->lines.deliver_tls_ca,
			"deliver-tls-ca: nothing is verified with deliver-tls = none: "
			"expected only one of the two");
	return 0;
}

/* Either all that a login needs is there, or nothing of it. */
static int check_login(const struct settings *settings,
	const struct account_settings *account, struct err *err)
{
	const int command = account->lines.deliver_password_command;
	const int file = account->lines.deliver_password_file;
	const int given = command > file ? command : file;

	if (!account->deliver_user && given > 0)
		return REFUSE(given,
			"a password for the destination, and for whom? Expected deliver-user "
			"as well");
	if (!account->deliver_user)
		return 0;
	if (account->deliver_kind != DELIVER_SMTP)
		return REFUSE(account->lines.deliver_user,
			"deliver-user: only smtp://HOST and smtps://HOST have a login");
	if (given == 0)
		return REFUSE(account->lines.deliver_user,
			"deliver-user: expected deliver-password-command or "
			"deliver-password-file as well");
	if (command > 0 && file > 0)
		return REFUSE(given,
			"a second source of the password: expected one of "
			"deliver-password-command and deliver-password-file");
	if (account->deliver_tls == TLS_NONE && !is_loopback(account->deliver_host))
		return REFUSE(account->lines.deliver_tls,
			"deliver-tls: with none the password of deliver-user would travel in "
			"plain text: expected verify, or no such option");
	return 0;
}

/* An option that would change nothing says that its writer meant something else. */
static int check_company(const struct settings *settings,
	const struct account_settings *account, struct err *err)
{
	const enum deliver_kind kind = account->deliver_kind;
	const bool envelope =
		kind == DELIVER_LMTP || kind == DELIVER_SMTP || kind == DELIVER_PIPE;

	if (kind == DELIVER_PIPE && account->deliver_command.count == 0)
		return REFUSE(account->lines.deliver,
			"deliver: which command? Expected deliver-command = { \"PROGRAM\", "
			"\"ARGUMENT\" } as well");
	if (kind != DELIVER_PIPE && account->deliver_command.count > 0)
		return REFUSE(account->lines.deliver_command,
			"deliver-command: only deliver = pipe runs one");
	if (!envelope && account->lines.recipient > 0)
		return REFUSE(account->lines.recipient,
			"recipient: only lmtp, smtp and pipe have one");
	if (kind != DELIVER_MBOX && !envelope && account->lines.sender > 0)
		return REFUSE(account->lines.sender,
			"sender: only mbox, lmtp, smtp and pipe have one");
	if (kind != DELIVER_INPLACE && account->inplace_quarantine)
		return REFUSE(account->lines.inplace_quarantine,
			"inplace-quarantine: only deliver = inplace has one");
	return check_login(settings, account, err) < 0
		       ? -1
		       : check_tls(settings, account, err);
}

/* What stays where it is needs nothing done to it afterwards; what was replaced is to go. */
static int finish_inplace(const struct settings *settings,
	struct account_settings *account, struct err *err)
{
	if (account->deliver_kind != DELIVER_INPLACE)
		return 0;
	if (account->kind != SOURCE_IMAP && account->kind != SOURCE_IMAPS)
		return REFUSE(account->lines.deliver,
			"deliver: mail can stay in place only on an IMAP server: expected an "
			"imaps:// source");
	if (account->after_kind != AFTER_KEEP)
		return REFUSE(account->lines.after,
			"after: deliver = inplace leaves mail where it is: expected keep, or "
			"no such option");
	account->after_kind = AFTER_DELETE;
	if (!account->inplace_quarantine)
		return 0;
	account->after_kind = AFTER_MOVE;
	account->after_folder = strdup(account->inplace_quarantine);
	if (!account->after_folder)
		return err_memory(err);
	if (strcasecmp(account->after_folder, "INBOX") == 0)
		memcpy(account->after_folder, "INBOX", 5);
	for (size_t i = 0; i < account->folders.count; i++)
		if (strcmp(account->folders.items[i], account->after_folder) == 0)
			return REFUSE(account->lines.inplace_quarantine,
				"inplace-quarantine: \"%.80s\" is fetched itself: expected a "
				"folder that is not",
				account->after_folder);
	return 0;
}

static int expand_ca(struct account_settings *account, struct err *err)
{
	char *path;

	if (!account->deliver_tls_ca)
		return 0;
	if (home_expand(account->deliver_tls_ca, &path, err) < 0)
		return -1;
	free(account->deliver_tls_ca);
	account->deliver_tls_ca = path;
	return 0;
}

/* Where it is not said: a password goes nowhere without it. */
static bool needs_tls(const struct account_settings *account)
{
	if (!account->deliver_host)
		return false;
	return account->deliver_smtps || account->deliver_user ||
	       account->deliver_tls_ca || !is_loopback(account->deliver_host);
}

int destination_finish(const struct settings *settings, struct account_settings *account,
	struct err *err)
{
	const struct form *form;
	int result;

	if (!account->deliver)
		return REFUSE(0,
			"account %s has no deliver: expected one such as "
			"deliver = \"maildir:~/Maildir\"",
			account->name);
	form = find_form(account->deliver);
	if (form)
		account->deliver_kind = form->kind;
	account->deliver_smtps = form && form->port == SMTPS_PORT;
	if (!form)
		account->deliver_kind = strcmp(account->deliver, inplace) == 0
						? DELIVER_INPLACE
						: DELIVER_PIPE;
	if (!form)
		result = 0;
	else if (form->port > 0)
		result = finish_host(account, form, err);
	else
		result = finish_path(
			settings, account, account->deliver + strlen(form->prefix), err);
	if (result < 0 || check_company(settings, account, err) < 0 ||
		finish_inplace(settings, account, err) < 0 ||
		finish_recipient(settings, account, err) < 0 ||
		expand_ca(account, err) < 0)
		return -1;
	if (account->deliver_tls < 0)
		account->deliver_tls = needs_tls(account) ? TLS_VERIFY : TLS_NONE;
	return 0;
}

void destination_done(struct account_settings *account)
{
	free(account->deliver_path);
	free(account->deliver_host);
}
