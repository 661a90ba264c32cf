/* SPDX-License-Identifier: ISC */
#include "mailfilter/setup_text.h"

#include <stdlib.h>
#include <string.h>

#include "mailfilter/command.h"

static int add_quoted(const char *value, struct buf *text, struct err *err)
{
	if (buf_add_str(text, "\"", err) < 0)
		return -1;
	for (const char *at = value; *at; at++) {
		if ((*at == '"' || *at == '\\') && buf_add_str(text, "\\", err) < 0)
			return -1;
		if (buf_add(text, at, 1, err) < 0)
			return -1;
	}
	return buf_add_str(text, "\"", err);
}

int setup_text_option(
	const char *name, const char *value, struct buf *text, struct err *err)
{
	if (buf_printf(text, err, "%-16s = ", name) < 0 ||
		add_quoted(value, text, err) < 0)
		return -1;
	return buf_add_str(text, "\n", err);
}

int setup_text_list(const char *name, const struct schema_list *list, struct buf *text,
	struct err *err)
{
	if (buf_printf(text, err, "%-16s = {", name) < 0)
		return -1;
	for (size_t i = 0; i < list->count; i++)
		if (buf_add_str(text, i ? ", " : " ", err) < 0 ||
			add_quoted(list->items[i], text, err) < 0)
			return -1;
	return buf_add_str(text, " }\n", err);
}

/* As source_url.h reads it. */
static int add_user(const char *user, struct buf *text, struct err *err)
{
	for (const unsigned char *at = (const unsigned char *)user; *at; at++) {
		const bool plain = *at > ' ' && *at != 0x7f && *at != '%' && *at != ':';

		if ((plain ? buf_add(text, at, 1, err)
			   : buf_printf(text, err, "%%%02X", *at)) < 0)
			return -1;
	}
	return 0;
}

int setup_text_source(const char *protocol, const char *user, const char *server,
	struct buf *text, struct err *err)
{
	if (buf_printf(text, err, "%s://", protocol) < 0 || add_user(user, text, err) < 0)
		return -1;
	return buf_printf(text, err, "@%s", server);
}

static int add_line(
	const char *name, const char *value, struct buf *text, struct err *err)
{
	if (!value || !value[0])
		return 0;
	if (buf_add_str(text, "    ", err) < 0)
		return -1;
	return setup_text_option(name, value, text, err);
}

static int add_list(const char *name, const struct schema_list *list, struct buf *text,
	struct err *err)
{
	if (!list || list->count == 0)
		return 0;
	if (buf_add_str(text, "    ", err) < 0)
		return -1;
	return setup_text_list(name, list, text, err);
}

int setup_text_account(
	const struct setup_answers *answers, struct buf *text, struct err *err)
{
	auto_buf struct buf source;
	const char *url;

	buf_init(&source, SCHEMA_VALUE_MAX);
	if (setup_text_source(answers->protocol, answers->user, answers->server, &source,
		    err) < 0 ||
		buf_text(&source, &url, err) < 0 ||
		buf_printf(text, err, "account %s {\n", answers->name) < 0 ||
		add_line("source", url, text, err) < 0 ||
		add_line("tls-ca", answers->tls_ca, text, err) < 0 ||
		add_list("password-command", answers->password_command, text, err) < 0 ||
		add_line("password-file", answers->password_file, text, err) < 0 ||
		add_line("deliver", answers->deliver, text, err) < 0 ||
		add_list("deliver-command", answers->deliver_command, text, err) < 0 ||
		add_line("recipient", answers->recipient, text, err) < 0 ||
		add_line("after", answers->after, text, err) < 0)
		return -1;
	return buf_add_str(text, "}\n", err);
}

void setup_text_words_done(struct schema_list *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
	*words = (struct schema_list){ 0 };
}

/* One word from *at on; *at moves behind it. -1: a quote is not closed. */
static int take_word(const char **at, char *word)
{
	char quote = '\0';
	size_t len = 0;

	for (; **at && (quote || (**at != ' ' && **at != '\t')); (*at)++) {
		if (quote && **at == quote) {
			quote = '\0';
		} else if (!quote && (**at == '"' || **at == '\'')) {
			quote = **at;
		} else {
			if (**at == '\\' && quote != '\'' && (*at)[1])
				(*at)++;
			word[len++] = **at;
		}
	}
	word[len] = '\0';
	return quote ? -1 : 0;
}

static int fill(const char *line, struct schema_list *words, struct err *err)
{
	auto_free char *word = malloc(strlen(line) + 1);

	words->items = calloc(COMMAND_WORDS_MAX, sizeof(*words->items));
	if (!word || !words->items)
		return err_memory(err);
	for (line += strspn(line, " \t"); *line; line += strspn(line, " \t")) {
		if (words->count == COMMAND_WORDS_MAX)
			return err_set(err, ERR_SETTINGS,
				"expected a command of at most %d words",
				COMMAND_WORDS_MAX);
		if (take_word(&line, word) < 0)
			return err_set(
				err, ERR_SETTINGS, "expected each quote to be closed");
		words->items[words->count] = strdup(word);
		if (!words->items[words->count++])
			return err_memory(err);
	}
	if (words->count == 0 || !words->items[0][0])
		return err_set(err, ERR_SETTINGS, "expected a program and its arguments");
	return 0;
}

int setup_text_words(const char *line, struct schema_list *words_r, struct err *err)
{
	struct schema_list words = { 0 };

	if (fill(line, &words, err) < 0) {
		setup_text_words_done(&words);
		return -1;
	}
	*words_r = words;
	return 0;
}
