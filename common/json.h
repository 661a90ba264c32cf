/* SPDX-License-Identifier: ISC
 *
 * JSON (RFC 8259) to write, an object a line. Text from outside becomes valid JSON whatever it
 * holds: control characters are escaped, invalid UTF-8 becomes U+FFFD. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include "common/buf.h"

/* One output line under way; the first error is kept and later calls do nothing. */
struct json {
	struct buf out;
	bool comma;
	struct err err;
};

void json_init(struct json *json);
void json_done(struct json *json);
#define auto_json DEFER(json_done)

/* key NULL inside an array. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_text(struct json *json, const char *key, struct span value);
void json_number(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);

/* Print the line to stdout and start a new one. -1: an earlier call or the output failed. */
int json_print(struct json *json, struct err *err);

#endif
