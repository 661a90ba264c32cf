/* SPDX-License-Identifier: ISC */
#include "common/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/utf8.h"

static struct {
	char name[32];
	enum log_level level;
	bool journal;
} state = { .name = "", .level = LOG_LEVEL_INFO };

/* Where stdin, stdout or stderr is closed the next file opened would take its number, and lines
 * meant for people would end up in a database. */
static void keep_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

void log_start(const char *name, enum log_level level)
{
	keep_standard_fds();
	(void)snprintf(state.name, sizeof(state.name), "%s", name);
	state.level = level;
	state.journal = getenv("JOURNAL_STREAM") != NULL;
}

enum log_level log_level(void)
{
	return state.level;
}

/* Copies from in to out what may be shown, the rest as \xNN; stops before out is full. */
static size_t escape(struct span in, const char *also, char *out, size_t size)
{
	size_t used = 0;

	while (in.len > 0 && used + 5 < size) {
		size_t len = utf8_printable(in);

		if (len > 0 && !(len == 1 && strchr(also, in.data[0])) &&
			used + len < size) {
			memcpy(out + used, in.data, len);
			used += len;
		} else {
			len = 1;
			used += (size_t)snprintf(
				out + used, size - used, "\\x%02x", in.data[0]);
		}
		in = span_part(in, len, in.len);
	}
	out[used] = '\0';
	return used;
}

const char *log_value(struct span value, char text[static LOG_TEXT_MAX])
{
	bool plain = value.len > 0 && value.len <= LOG_VALUE_MAX;
	size_t used;

	for (size_t i = 0; plain && i < value.len; i++)
		plain = value.data[i] > ' ' && value.data[i] < 0x7f &&
			!strchr("\"\\=", value.data[i]);
	if (plain) {
		memcpy(text, value.data, value.len);
		text[value.len] = '\0';
		return text;
	}
	text[0] = '"';
	used = 1 + escape(span_part(value, 0, LOG_VALUE_MAX), "\"\\", text + 1,
			   LOG_TEXT_MAX - 6);
	(void)snprintf(text + used, LOG_TEXT_MAX - used, "%s\"",
		value.len > LOG_VALUE_MAX ? "..." : "");
	return text;
}

const char *log_sentence(const char *sentence, char text[static LOG_LINE_MAX])
{
	(void)escape(span_str(sentence), "", text, LOG_LINE_MAX);
	return text;
}

__attribute__((format(printf, 2, 0))) static void line(
	enum log_level level, const char *format, va_list args)
{
	static const int priority[] = { 3, 4, 6, 7 };
	char raw[LOG_LINE_MAX], out[LOG_LINE_MAX + 64];
	size_t used = 0;

	if (level > state.level)
		return;
	(void)vsnprintf(raw, sizeof(raw), format, args);
	if (state.journal)
		used = (size_t)snprintf(out, sizeof(out), "<%d>", priority[level]);
	else if (state.name[0])
		used = (size_t)snprintf(out, sizeof(out), "%s: ", state.name);
	used += escape(span_str(raw), "", out + used, sizeof(out) - used - 1);
	out[used++] = '\n';
	/* One write a line keeps lines of several processes whole; a failure has no one to tell. */
	if (write(STDERR_FILENO, out, used) < 0)
		return;
}

#define LOG_AT(level)                                                                    \
	va_list args;                                                                    \
	va_start(args, format);                                                          \
	line(level, format, args);                                                       \
	va_end(args)

void log_error(const char *format, ...)
{
	LOG_AT(LOG_LEVEL_ERROR);
}

void log_warning(const char *format, ...)
{
	LOG_AT(LOG_LEVEL_WARNING);
}

void log_info(const char *format, ...)
{
	LOG_AT(LOG_LEVEL_INFO);
}

void log_debug(const char *format, ...)
{
	LOG_AT(LOG_LEVEL_DEBUG);
}
