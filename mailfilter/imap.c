/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void drop_message(struct mailimap_msg_att *message, void *arg)
{
	(void)message;
	(void)arg;
}

static bool drop_body(int type, struct mailimap_msg_att_body_section *section,
	const char *bytes, size_t len, void *arg)
{
	(void)type;
	(void)section;
	(void)bytes;
	(void)len;
	(void)arg;
	return true;
}

static void no_progress(size_t current, size_t maximum, void *arg)
{
	(void)current;
	(void)maximum;
	(void)arg;
}

void imap_handle(struct imap *imap, const struct imap_handler *handler)
{
	bool message = handler && handler->message, body = handler && handler->body;

	/* Without a progress function libetpan calls no message handler, but keeps lists. */
	mailimap_set_progress_callback(imap->etpan, no_progress, no_progress, NULL);
	mailimap_set_msg_att_handler(imap->etpan,
		message ? handler->message : drop_message, message ? handler->arg : NULL);
	mailimap_set_msg_body_handler(imap->etpan, body ? handler->body : drop_body,
		body ? handler->arg : NULL);
}

/* The stream knows why, unless it was the parser that gave up. */
static int lost(struct imap *imap, struct err *err)
{
	struct err parser;

	(void)err_set(&parser, ERR_SESSION, "the server's answer cannot be understood");
	stream_stop(imap->stream, &parser);
	imap->broken = true;
	return stream_why(imap->stream, err);
}

int imap_begin(struct imap *imap, struct err *err)
{
	if (imap->broken)
		return stream_why(imap->stream, err);
	if (imap_idle_end(imap, err) < 0)
		return -1;
	stream_begin(imap->stream);
	if (mailimap_send_current_tag(imap->etpan) != MAILIMAP_NO_ERROR)
		return lost(imap, err);
	return 0;
}

int imap_send(struct imap *imap, struct span text, struct err *err)
{
	mailstream *out = imap->etpan->imap_stream;
	bool sent = mailstream_write(out, text.data, text.len) >= 0 &&
		    mailstream_write(out, "\r\n", 2) >= 0 && mailstream_flush(out) == 0;

	/* It may have held a password. */
	explicit_bzero(out->write_buffer, out->buffer_max_size);
	return sent ? 0 : lost(imap, err);
}

int imap_send_literal(struct imap *imap, struct span bytes, struct err *err)
{
	mailstream *out = imap->etpan->imap_stream;

	for (size_t at = 0; at < bytes.len; at += IMAP_PIECE) {
		struct span piece = span_part(bytes, at, IMAP_PIECE);

		stream_begin(imap->stream);
		if (mailstream_write(out, piece.data, piece.len) < 0 ||
			mailstream_flush(out) != 0)
			return lost(imap, err);
	}
	stream_begin(imap->stream);
	return 0;
}

const char *imap_line(struct imap *imap, struct err *err)
{
	const char *line = mailimap_read_line(imap->etpan);

	if (!line)
		(void)lost(imap, err);
	return line;
}

int imap_answer(struct imap *imap, struct err *err)
{
	const struct mailimap_selection_info *folder;
	struct mailimap_response *response = NULL;
	int result = mailimap_parse_response(imap->etpan, &response);
	bool ok;

	imap->bad = result == MAILIMAP_ERROR_PROTOCOL;
	if (imap->bad) {
		imap->broken = true;
		return err_set(err, ERR_SESSION,
			"the server does not take a command: %.300s", imap_words(imap));
	}
	if (result != MAILIMAP_NO_ERROR)
		return lost(imap, err);
	ok = response->rsp_resp_done->rsp_data.rsp_tagged->rsp_cond_state->rsp_type ==
	     MAILIMAP_RESP_COND_STATE_OK;
	mailimap_response_free(response);
	folder = imap->etpan->imap_selection_info;
	if (imap->uidvalidity != 0 && folder &&
		folder->sel_uidvalidity != imap->uidvalidity) {
		imap->broken = true;
		return err_set(err, ERR_SESSION,
			"the folder's UIDVALIDITY changed under the session");
	}
	return ok;
}

int imap_command(struct imap *imap, struct span command, struct err *err)
{
	if (imap_begin(imap, err) < 0 || imap_send(imap, command, err) < 0 ||
		!imap_line(imap, err))
		return -1;
	return imap_answer(imap, err);
}

int imap_printf(struct imap *imap, struct err *err, const char *format, ...)
{
	char command[IMAP_COMMAND_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(command))
		return err_set(err, ERR_ACCOUNT, "a command longer than %d bytes",
			IMAP_COMMAND_MAX);
	return imap_command(
		imap, (struct span){ (const uint8_t *)command, (size_t)len }, err);
}

const char *imap_words(const struct imap *imap)
{
	return imap->etpan->imap_response ? imap->etpan->imap_response : "";
}

const char *imap_code(const struct imap *imap)
{
	const struct mailimap_response_info *info = imap->etpan->imap_response_info;

	if (info && info->rsp_trycreate)
		return "TRYCREATE";
	return info && info->rsp_atom ? info->rsp_atom : "";
}

bool imap_temporary(const struct imap *imap)
{
	static const char codes[][12] = { "UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG" };
	const char *code = imap_code(imap);

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcasecmp(code, codes[i]) == 0)
			return true;
	}
	return false;
}

static bool is_capability(const struct mailimap_capability *item, const char *name)
{
	if (item->cap_type == MAILIMAP_CAPABILITY_NAME)
		return strcasecmp(item->cap_data.cap_name, name) == 0;
	return strncasecmp(name, "AUTH=", 5) == 0 &&
	       strcasecmp(item->cap_data.cap_auth_type, name + 5) == 0;
}

bool imap_offers(const struct imap *imap, const char *capability)
{
	const struct mailimap_connection_info *info = imap->etpan->imap_connection_info;

	if (!info || !info->imap_capability)
		return false;
	for (clistiter *at = clist_begin(info->imap_capability->cap_list); at;
		at = clist_next(at)) {
		if (is_capability(clist_content(at), capability))
			return true;
	}
	return false;
}

void imap_forget_capabilities(struct imap *imap)
{
	struct mailimap_connection_info *info = imap->etpan->imap_connection_info;

	if (!info || !info->imap_capability)
		return;
	mailimap_capability_data_free(info->imap_capability);
	info->imap_capability = NULL;
}

int imap_need_capabilities(struct imap *imap, struct err *err)
{
	const struct mailimap_connection_info *info = imap->etpan->imap_connection_info;
	int result;

	if (info && info->imap_capability)
		return 0;
	result = imap_printf(imap, err, "CAPABILITY");
	if (result == 0)
		return err_set(err, ERR_SESSION, "the server refuses CAPABILITY: %.300s",
			imap_words(imap));
	return result < 0 ? -1 : 0;
}

void imap_close(struct imap *imap)
{
	if (!imap)
		return;
	if (imap->etpan) {
		/* Else mailimap_free says LOGOUT and waits for an answer. */
		imap->etpan->imap_stream = NULL;
		mailimap_free(imap->etpan);
	}
	stream_close(imap->stream);
	free(imap);
}
