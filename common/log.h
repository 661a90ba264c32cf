/* SPDX-License-Identifier: ISC
 *
 * Lines to stderr: one event a line, with <n> priorities under systemd (sd-daemon(3)). Bytes
 * from outside are escaped here and nowhere else, and a line has a ceiling; a full or closed
 * stderr never stops the caller. The only part of common that logs. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdint.h>

#include "common/buf.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

enum {
	LOG_LINE_MAX = 2048,
	LOG_VALUE_MAX = 200
};

/* Name goes before each line unless journald adds it. Level: info unless told. Call it before
 * any file is opened: a standard stream that is closed becomes /dev/null. */
void log_start(const char *name, enum log_level level);
enum log_level log_level(void);

/* Control characters, quotes' worth and invalid UTF-8 in the finished line are escaped. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One value of a key=value line: as it is if plain, else in quotes with \xNN for control
 * characters, quotes, backslashes, bidirectional overrides and invalid UTF-8; cut after
 * LOG_VALUE_MAX bytes. Returns text. */
enum {
	LOG_TEXT_MAX = LOG_VALUE_MAX * 4 + 8
};
const char *log_value(struct span value, char text[static LOG_TEXT_MAX]);

/* A sentence from outside as a line of the log would show it, for people who read it elsewhere:
 * no quotes, the same escapes, cut. Returns text. */
const char *log_sentence(const char *sentence, char text[static LOG_LINE_MAX]);

#endif
