/* SPDX-License-Identifier: ISC */
#include "common/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

enum {
	JSON_LINE_MAX = 16 * 1024 * 1024
};

void json_init(struct json *json)
{
	*json = (struct json){ 0 };
	buf_init(&json->out, JSON_LINE_MAX);
}

void json_done(struct json *json)
{
	buf_done(&json->out);
}

static void put(struct json *json, const void *data, size_t len)
{
	if (json->err.kind == ERR_NONE)
		(void)buf_add(&json->out, data, len, &json->err);
}

static void put_str(struct json *json, const char *text)
{
	put(json, text, strlen(text));
}

static void put_quoted(struct json *json, struct span value)
{
	put_str(json, "\"");
	while (value.len > 0) {
		size_t len = utf8_printable(value);
		uint8_t c = value.data[0];
		char escape[8];

		if (len == 1 && (c == '"' || c == '\\')) {
			put_str(json, "\\");
			put(json, value.data, 1);
		} else if (len > 0) {
			put(json, value.data, len);
		} else if (c < 0x80) {
			(void)snprintf(escape, sizeof(escape), "\\u%04x", c);
			put_str(json, escape);
			len = 1;
		} else {
			put_str(json, "\\ufffd");
			len = 1;
		}
		value = span_part(value, len, value.len);
	}
	put_str(json, "\"");
}

static void begin(struct json *json, const char *key)
{
	if (json->comma)
		put_str(json, ",");
	if (key) {
		put_quoted(json, span_str(key));
		put_str(json, ":");
	}
	json->comma = true;
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	put(json, &bracket, 1);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	put(json, &bracket, 1);
	json->comma = true;
}

void json_text(struct json *json, const char *key, struct span value)
{
	begin(json, key);
	put_quoted(json, value);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	char text[24];

	begin(json, key);
	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	put_str(json, text);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	put_str(json, value ? "true" : "false");
}

int json_print(struct json *json, struct err *err)
{
	bool written;

	put_str(json, "\n");
	if (json->err.kind != ERR_NONE) {
		*err = json->err;
		return -1;
	}
	written = fwrite(json->out.data, 1, json->out.len, stdout) == json->out.len &&
		  fflush(stdout) == 0;
	buf_clear(&json->out);
	json->comma = false;
	return written ? 0 : err_errno(err, ERR_FATAL, "cannot write to standard output");
}
