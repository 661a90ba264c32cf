/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "mailfilter/imap.h"
#include "mailfilter/imap_text.h"

int imap_open_folder(struct imap *imap, const char *verb, const char *folder,
	uint32_t *uidvalidity_r, struct err *err)
{
	auto_buf struct buf name;
	const char *text;
	int result;

	buf_init(&name, IMAP_COMMAND_MAX / 4);
	if (imap_text_folder(folder, &name, err) < 0 || buf_text(&name, &text, err) < 0)
		return -1;
	/* libetpan keeps what is said of a folder only where there is one of these. */
	if (imap->etpan->imap_selection_info)
		mailimap_selection_info_free(imap->etpan->imap_selection_info);
	imap->etpan->imap_selection_info = mailimap_selection_info_new();
	if (!imap->etpan->imap_selection_info)
		return err_memory(err);
	imap->uidvalidity = 0;
	result = imap_printf(imap, err, "%s %s", verb, text);
	if (result < 0)
		return -1;
	if (result == 0)
		return err_set(err, imap_temporary(imap) ? ERR_SESSION : ERR_ACCOUNT,
			"folder \"%.100s\": %.250s", folder, imap_words(imap));
	imap->etpan->imap_state = MAILIMAP_STATE_SELECTED;
	imap->uidvalidity = imap->etpan->imap_selection_info->sel_uidvalidity;
	imap->writable = strcmp(verb, "SELECT") == 0;
	(void)snprintf(imap->folder, sizeof(imap->folder), "%s", folder);
	if (imap->uidvalidity == 0)
		return err_set(err, ERR_ACCOUNT,
			"folder \"%.100s\": no UIDVALIDITY, so its messages have no "
			"lasting names",
			folder);
	*uidvalidity_r = imap->uidvalidity;
	return 0;
}

/* SELECT, or EXAMINE where nothing is to be changed, so that nothing can be: in place that is so
 * until something is. */
static int imap_select(struct source *source, const char *folder, uint32_t *uidvalidity_r,
	struct err *err)
{
	struct imap *imap = (struct imap *)source;
	const struct account_settings *account = imap->account;
	bool keep = account->after_kind == AFTER_KEEP ||
		    account->deliver_kind == DELIVER_INPLACE;

	return imap_open_folder(
		imap, keep ? "EXAMINE" : "SELECT", folder, uidvalidity_r, err);
}

/* The current folder once more. */
static int open_again(struct imap *imap, const char *verb, struct err *err)
{
	const uint32_t before = imap->uidvalidity;
	char folder[MESSAGE_FOLDER_MAX];
	uint32_t uidvalidity;

	memcpy(folder, imap->folder, sizeof(folder));
	if (imap_open_folder(imap, verb, folder, &uidvalidity, err) < 0)
		return -1;
	if (uidvalidity == before)
		return 0;
	imap->broken = true;
	return err_set(
		err, ERR_SESSION, "the folder's UIDVALIDITY changed under the session");
}

int imap_write(struct imap *imap, struct err *err)
{
	return imap->writable ? 0 : open_again(imap, "SELECT", err);
}

int imap_reopen(struct imap *imap, struct err *err)
{
	if (open_again(imap, imap->writable ? "SELECT" : "EXAMINE", err) == 0)
		return 0;
	imap->broken = true;
	if (err->kind == ERR_ACCOUNT)
		err->kind = ERR_SESSION;
	return -1;
}

/* Whatever settle did was confirmed by the server at once, so there is nothing to lose here, and its
 * farewell is not worth a round trip. */
static int imap_finish(struct source *source, struct err *err)
{
	struct imap *imap = (struct imap *)source;
	struct err ignored;

	(void)err;
	if (imap_begin(imap, &ignored) < 0)
		return 0;
	stream_hurry(imap->stream, IMAP_LOGOUT_MS);
	(void)imap_send(imap, span_str("LOGOUT"), &ignored);
	imap->broken = true;
	return 0;
}

static void imap_close_source(struct source *source)
{
	imap_close((struct imap *)source);
}

static const struct source_ops imap_ops = {
	.facts = imap_facts,
	.folders = imap_folders,
	.select = imap_select,
	.list = imap_list,
	.names = imap_names,
	.measure = imap_measure,
	.fetch = imap_fetch,
	.heads = imap_heads,
	.settle = imap_settle,
	.can_idle = imap_can_idle,
	.idle = imap_idle,
	.finish = imap_finish,
	.close = imap_close_source,
};

/* 1: the server greets us as logged in already, 0: as strangers. */
static int greet(struct imap *imap, struct err *err)
{
	mailstream *stream = stream_mailstream(imap->stream);

	switch (mailimap_connect(imap->etpan, stream)) {
	case MAILIMAP_NO_ERROR_NON_AUTHENTICATED:
		return 0;
	case MAILIMAP_NO_ERROR_AUTHENTICATED:
		return 1;
	case MAILIMAP_ERROR_PARSE:
		return err_set(err, ERR_SESSION,
			"%.100s greets like no IMAP server (is the port right?)",
			imap->account->host);
	default:
		return stream_why(imap->stream, err);
	}
}

static int start_tls(struct imap *imap, struct err *err)
{
	int result;

	if (imap_need_capabilities(imap, err) < 0)
		return -1;
	if (!imap_offers(imap, "STARTTLS"))
		return err_set(err, ERR_ACCOUNT,
			"%.100s offers no STARTTLS: use imaps:// (or tls = none, where "
			"nobody can listen)",
			imap->account->host);
	result = imap_printf(imap, err, "STARTTLS");
	if (result == 0)
		return err_set(err, ERR_ACCOUNT, "STARTTLS: the server refuses: %.300s",
			imap_words(imap));
	/* What was offered before TLS could be anybody's word. */
	imap_forget_capabilities(imap);
	return result < 0 ? -1 : stream_start_tls(imap->stream, err);
}

static int start(struct imap *imap, const char *password, struct err *err)
{
	bool need_tls =
		imap->account->kind == SOURCE_IMAP && imap->account->tls != TLS_NONE;
	int greeted = greet(imap, err);

	if (greeted < 0)
		return -1;
	if (greeted > 0 && need_tls)
		return err_set(err, ERR_ACCOUNT,
			"%.100s greets as if logged in before STARTTLS: somebody may be "
			"in between",
			imap->account->host);
	if (need_tls && start_tls(imap, err) < 0)
		return -1;
	if (greeted == 0 && (imap_need_capabilities(imap, err) < 0 ||
				    imap_login(imap, password, err) < 0))
		return -1;
	return imap_need_capabilities(imap, err);
}

static void imap_defer(struct imap **imap)
{
	imap_close(*imap);
}

int source_imap_open(const struct account_settings *account, const char *password,
	const struct stream_wait *wait, struct source **source_r, struct err *err)
{
	DEFER(imap_defer) struct imap *imap = calloc(1, sizeof(*imap));

	if (!imap)
		return err_memory(err);
	imap->source.ops = &imap_ops;
	imap->account = account;
	if (stream_connect(account, wait, &imap->stream, err) < 0)
		return -1;
	imap->etpan = mailimap_new(0, NULL);
	if (!imap->etpan)
		return err_memory(err);
	imap_handle(imap, NULL);
	if (start(imap, password, err) < 0)
		return -1;
	*source_r = &((struct imap *)take_ptr(&imap))->source;
	return 0;
}
