/* SPDX-License-Identifier: ISC
 *
 * An account's source, as a visit would find it. */
#include <inttypes.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailfilter/check_machine.h"
#include "mailfilter/connect.h"
#include "mailfilter/connect_folders.h"
#include "mailfilter/dial.h"
#include "mailfilter/provider.h"
#include "mailfilter/source.h"

enum {
	DIAL_MS = 5000,
	WHERE_MAX = 400
};

struct probe {
	/* As it would be served, but for what changes anything. */
	struct account_settings account;
	const struct account_settings *real;
	struct source *source;
	struct remarks *found;
	char subject[REMARK_SUBJECT_MAX];
	char where[WHERE_MAX]; /* "imap.example.org port 993" */
};

static void password_done(char **password)
{
	if (*password)
		explicit_bzero(*password, strlen(*password));
	free(*password);
}

static void found(const struct probe *probe, enum remark_kind kind, const char *about,
	const struct err *err, const char *remedy)
{
	remarks_add(probe->found, kind, probe->subject, about, "%s%s%s", err->text,
		remedy[0] ? "; " : "", remedy);
}

/* What stands in the way of a connection, found by going the way again. */
static const char *stage_remedy(const struct account_settings *account)
{
	struct addrinfo *list = NULL;
	auto_close int fd = -1;

	if (getaddrinfo(account->host, NULL, NULL, &list) != 0)
		return "correct the host in `source`, or see whether this machine's name "
		       "service knows it (getent hosts HOST)";
	freeaddrinfo(list);
	if (dial(account->host, account->port, DIAL_MS, &stream_wait_plain, &fd, NULL) <
		0)
		return "see that host and port in `source` are right, that the server runs, and "
		       "that no firewall is in between";
	return "see that this is the port for the scheme in `source` (imaps 993, imap 143, "
	       "pop3s 995, pop3 110), or try again later";
}

static void say_unreached(const struct probe *probe, const struct err *err)
{
	const char *hint = provider_hint(probe->account.host);

	switch (err->kind) {
	case ERR_AUTH:
		found(probe, REMARK_LOGIN, "login", err, hint ? hint : "");
		break;
	case ERR_SESSION:
		found(probe, REMARK_UNREACHED, "source", err,
			stage_remedy(&probe->account));
		break;
	case ERR_SETTINGS:
		found(probe, REMARK_SETTINGS, "source", err, "");
		break;
	case ERR_ACCOUNT:
		found(probe, REMARK_UNREACHED, "source", err,
			strstr(err->text, "certificate of") && !strchr(err->text, '(')
				? "who runs the server must mend that; see that the clock here is "
				  "right"
				: "");
		break;
	case ERR_NONE:
	case ERR_AGAIN:
	case ERR_AWAY:
	case ERR_MESSAGE:
	case ERR_FATAL:
		found(probe, REMARK_UNREACHED, "source", err, "try again");
		break;
	}
}

static int log_in(struct probe *probe)
{
	DEFER(password_done) char *password = NULL;
	struct err err = { 0 };

	if (probe->account.kind != SOURCE_MAILDIR) {
		remarks_add(probe->found, REMARK_STEP, probe->subject, "password",
			"asking for its password");
		if (settings_password(
			    &probe->account, &stream_wait_plain, &password, &err) < 0) {
			found(probe,
				err.kind == ERR_ACCOUNT || err.kind == ERR_SETTINGS
					? REMARK_SETTINGS
					: REMARK_UNREACHED,
				"password", &err, "");
			return -1;
		}
	}
	remarks_add(probe->found, REMARK_STEP, probe->subject, "source",
		"connecting to %s and logging in", probe->where);
	if (source_open(&probe->account, password, &stream_wait_plain, &probe->source,
		    &err) == 0)
		return 0;
	say_unreached(probe, &err);
	return -1;
}

/* What the server lacks for what the account is to do with it. */
static void say_abilities(const struct probe *probe, const struct source_facts *facts)
{
	const struct account_settings *account = probe->real;
	const bool moves =
		account->after_kind == AFTER_MOVE || account->after_kind == AFTER_TRASH;

	if (facts->uidplus || account->after_kind == AFTER_KEEP ||
		account->after_kind == AFTER_FLAG || (moves && facts->move))
		return;
	if (account->deliver_kind == DELIVER_INPLACE)
		remarks_add(probe->found, REMARK_NOTE, probe->subject, "abilities",
			"the server has no UIDPLUS%s: in place, the original of what is replaced "
			"stays in its folder, marked \\Deleted; expunge the folder with a mail "
			"program now and then, or deliver elsewhere",
			facts->move ? "" : " and no MOVE");
	else
		remarks_add(probe->found, REMARK_NOTE, probe->subject, "abilities",
			"the server has no UIDPLUS%s: with after = %.100s, mail stays in its "
			"folder, marked \\Deleted; expunge the folder with a mail program now "
			"and then, or say after = keep",
			facts->move ? "" : " and no MOVE",
			account->after ? account->after : "");
}

static void say_quota(const struct probe *probe, const struct source_facts *facts)
{
	const uint64_t percent =
		facts->quota_max > 0 ? facts->quota_used / (facts->quota_max / 100 + 1)
				     : 100;

	if (!facts->quota)
		return;
	remarks_add(probe->found,
		percent >= CONNECT_QUOTA_SHARE ? REMARK_NOTE : REMARK_OK, probe->subject,
		"quota", "%" PRIu64 " of %" PRIu64 " MB of the mailbox are used%s",
		facts->quota_used >> 20, facts->quota_max >> 20,
		percent >= CONNECT_QUOTA_SHARE
			? ": what is put there, in place or by move, may be refused; delete "
			  "some mail"
			: "");
}

/* A mailbox without folders: what it holds. */
static int count_messages(const struct probe *probe, struct err *err)
{
	auto_free struct source_item *items = NULL;
	uint32_t uidvalidity;
	size_t count = 0;

	if (probe->source->ops->select(probe->source, "", &uidvalidity, err) < 0 ||
		probe->source->ops->list(probe->source, 0, &items, &count, err) < 0)
		return -1;
	remarks_add(probe->found, REMARK_OK, probe->subject, "messages",
		"%zu message%s there", count, count == 1 ? "" : "s");
	return 0;
}

static int look_inside(struct probe *probe, struct err *err)
{
	const struct source_ops *ops = probe->source->ops;
	struct source_facts facts = { 0 };
	struct connect_folders folders = { .account = &probe->account,
		.real = probe->real,
		.source = probe->source,
		.subject = probe->subject,
		.found = probe->found };

	remarks_add(probe->found, REMARK_STEP, probe->subject, "folders",
		"looking at its folders");
	if (!ops->folders)
		return count_messages(probe, err);
	if (connect_folders(&folders, err) < 0)
		return -1;
	if (!ops->facts)
		return 0;
	if (ops->facts(probe->source, &facts, err) < 0)
		return -1;
	say_abilities(probe, &facts);
	say_quota(probe, &facts);
	return 0;
}

void connect_source(const struct account_settings *account, struct remarks *remarks)
{
	struct probe probe = { .account = *account, .real = account, .found = remarks };
	struct err err = { 0 };

	/* Nothing to do there afterwards: folders are opened for reading alone. */
	probe.account.after_kind = AFTER_KEEP;
	check_subject(account, probe.subject);
	if (account->kind == SOURCE_MAILDIR)
		(void)snprintf(
			probe.where, sizeof(probe.where), "%s", account->source_path);
	else
		(void)snprintf(probe.where, sizeof(probe.where), "%s port %u",
			account->host, account->port);
	if (log_in(&probe) < 0)
		return;
	remarks_add(remarks, REMARK_OK, probe.subject, "login", "%s %s%s%s",
		account->kind == SOURCE_MAILDIR ? "opened" : "logged in at", probe.where,
		account->user[0] ? " as " : "", account->user);
	if (look_inside(&probe, &err) < 0)
		say_unreached(&probe, &err);
	else
		(void)probe.source->ops->finish(probe.source, &err);
	probe.source->ops->close(probe.source);
}
