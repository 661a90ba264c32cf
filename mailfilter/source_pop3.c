/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <strings.h>

#include "mailfilter/pop3.h"

static int pop3_select(struct source *source, const char *folder, uint32_t *uidvalidity_r,
	struct err *err)
{
	(void)source;
	(void)folder;
	(void)err;
	*uidvalidity_r = 0;
	return 0;
}

static int delete_some(
	struct pop3 *pop3, const struct source_item *items, size_t count, struct err *err)
{
	stream_begin(pop3->stream);
	pop3->deleting = true;
	for (size_t i = 0; i < count; i++) {
		if (pop3_send(pop3, err, "DELE %" PRIu32, items[i].number) < 0)
			return -1;
	}
	if (pop3_flush(pop3, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		int result = pop3_answer(pop3, err);

		if (result < 0)
			return -1;
		/* The answers to the rest are still to come: the session ends here. */
		if (result == 0) {
			pop3->broken = true;
			return err_set(err,
				pop3_temporary(pop3) ? ERR_SESSION : ERR_ACCOUNT,
				"message %" PRIu32 " cannot be deleted: %.300s",
				items[i].number, pop3_words(pop3));
		}
	}
	return 0;
}

/* DELE marks; only QUIT deletes. */
static int pop3_settle(struct source *source, const struct source_item *items,
	size_t count, struct err *err)
{
	struct pop3 *pop3 = (struct pop3 *)source;
	size_t at_once = pop3->pipelining ? POP3_WINDOW_COUNT : 1;

	if (pop3->account->after_kind == AFTER_KEEP)
		return 0;
	if (pop3->account->after_kind != AFTER_DELETE)
		return err_set(err, ERR_ACCOUNT,
			"after = %s: POP3 has no flags and no folders (keep or delete)",
			pop3->account->after ? pop3->account->after : "flag or move");
	for (size_t at = 0; at < count; at += at_once) {
		size_t part = count - at < at_once ? count - at : at_once;

		if (delete_some(pop3, items + at, part, err) < 0)
			return -1;
	}
	return 0;
}

static int quit(struct pop3 *pop3, struct err *err)
{
	stream_begin(pop3->stream);
	if (!pop3->deleting)
		stream_hurry(pop3->stream, POP3_QUIT_MS);
	if (pop3_send(pop3, err, "QUIT") < 0 || pop3_flush(pop3, err) < 0 ||
		pop3_line(pop3, err) < 0)
		return err_wrap(err, "QUIT was not confirmed, so nothing is deleted");
	if (strncasecmp(pop3->line, "+OK", 3) != 0)
		return err_set(err, ERR_SESSION,
			"QUIT: the server could not delete all: %.300s", pop3->line);
	return 0;
}

static int pop3_finish(struct source *source, struct err *err)
{
	struct pop3 *pop3 = (struct pop3 *)source;
	struct err ignored;
	int result = quit(pop3, pop3->deleting ? err : &ignored);

	pop3->broken = true;
	return pop3->deleting ? result : 0;
}

static void pop3_close_source(struct source *source)
{
	pop3_close((struct pop3 *)source);
}

static const struct source_ops pop3_ops = {
	.select = pop3_select,
	.list = pop3_list,
	.fetch = pop3_fetch,
	.settle = pop3_settle,
	.finish = pop3_finish,
	.close = pop3_close_source,
};

static int greet(struct pop3 *pop3, struct err *err)
{
	int result = pop3_answer(pop3, err);

	if (result == 0)
		return err_set(err, ERR_SESSION, "the server does not serve now: %.300s",
			pop3_words(pop3));
	return result < 0 ? -1 : 0;
}

static int start_tls(struct pop3 *pop3, struct err *err)
{
	int result;

	if (!pop3->stls)
		return err_set(err, ERR_ACCOUNT,
			"%.100s offers no STLS: use pop3s:// (or tls = none, where "
			"nobody can listen)",
			pop3->account->host);
	result = pop3_command(pop3, err, "STLS");
	if (result == 0)
		return err_set(err, ERR_ACCOUNT, "STLS: the server refuses: %.300s",
			pop3_words(pop3));
	if (result < 0)
		return -1;
	if (pop3->left > 0)
		return err_set(err, ERR_SESSION,
			"%.100s sent plain text where TLS must begin: somebody may be in "
			"between",
			pop3->account->host);
	if (stream_start_tls(pop3->stream, err) < 0)
		return -1;
	/* What was offered before TLS could be anybody's word. */
	return pop3_ask_capabilities(pop3, err);
}

static int start(struct pop3 *pop3, const char *password, struct err *err)
{
	bool need_tls =
		pop3->account->kind == SOURCE_POP3 && pop3->account->tls != TLS_NONE;

	if (greet(pop3, err) < 0 || pop3_ask_capabilities(pop3, err) < 0)
		return -1;
	if (need_tls && start_tls(pop3, err) < 0)
		return -1;
	if (pop3_login(pop3, password, err) < 0)
		return -1;
	/* Some offer PIPELINING only now. */
	return pop3_ask_capabilities(pop3, err);
}

static void pop3_defer(struct pop3 **pop3)
{
	pop3_close(*pop3);
}

int source_pop3_open(const struct account_settings *account, const char *password,
	const struct stream_wait *wait, struct source **source_r, struct err *err)
{
	DEFER(pop3_defer) struct pop3 *pop3 = calloc(1, sizeof(*pop3));

	if (!pop3)
		return err_memory(err);
	pop3->source.ops = &pop3_ops;
	pop3->source.settle_at_finish = true;
	pop3->account = account;
	if (stream_connect(account, wait, &pop3->stream, err) < 0 ||
		start(pop3, password, err) < 0)
		return -1;
	/* Who must wait before the next login has to do all in one session. */
	if (!pop3->login_delay && account->after_kind == AFTER_DELETE)
		pop3->source.settle_max = POP3_DELETIONS;
	*source_r = &((struct pop3 *)take_ptr(&pop3))->source;
	return 0;
}
