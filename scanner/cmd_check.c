/* SPDX-License-Identifier: ISC */
#include "scanner/cmd_check.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/link.h"
#include "common/wire.h"

enum {
	ANSWER_MS = 10 * 1000,
	HEAD_MAX = 64 * 1024, /* of an answer */
	TEXT_MAX = 64 * 1024,
};

static int say_hello(struct link *link, struct err *err)
{
	struct wire_message hello = { .type = WIRE_HELLO, .name = "scanner --check" };
	auto_buf struct buf head;

	buf_init(&head, HEAD_MAX);
	if (wire_encode(&hello, &head, err) < 0)
		return -1;
	return link_send(link, NULL, buf_span(&head), false, (struct span){ 0 }, err);
}

/* 1: the scanner said what it is. */
static int hear(struct link *link, struct wire_state *state_r, struct err *err)
{
	struct link_message received;
	struct wire_message message;
	int got;

	while ((got = link_receive(link, &received, err)) > 0) {
		bool is_state;

		if (wire_decode(received.frames, received.frame_count, &message, err) < 0)
			return err_wrap(
				err, "the scanner is of another version: restart it");
		is_state = message.type == WIRE_STATE;
		if (is_state)
			*state_r = message.state;
		wire_message_done(&message);
		if (is_state)
			return 1;
	}
	return got;
}

static int ask(struct link *link, const char *endpoint, struct wire_state *state_r,
	struct err *err)
{
	int64_t deadline = clock_ms() + ANSWER_MS;
	uint64_t greeted = 0;
	int got = 0;

	while (got == 0 && clock_ms() < deadline) {
		if (link_alive(link) && greeted != link_connections(link)) {
			greeted = link_connections(link);
			if (say_hello(link, err) < 0)
				return -1;
		}
		if (link_wait(&link, 1, NULL, NULL, 0, clock_left(deadline), err) < 0)
			return -1;
		got = hear(link, state_r, err);
	}
	if (got == 0)
		return err_set(err, ERR_AGAIN,
			"no scanner answers at %.100s: start it (systemctl start "
			"mailfilter-scanner)",
			endpoint);
	return got < 0 ? -1 : 0;
}

/* Where it listens on this machine: over tcp with keys it would not know us. */
static const char *own_endpoint(const struct settings *settings)
{
	for (size_t i = 0; i < settings->listen.count; i++)
		if (link_check_endpoint(settings->listen.items[i], NULL) == 0 &&
			(!settings->curve_key || settings->listen.items[i][0] == 'i'))
			return settings->listen.items[i];
	return NULL;
}

static int find(
	const struct settings *settings, struct wire_state *state_r, struct err *err)
{
	const char *endpoint = own_endpoint(settings);
	struct link *link = NULL;
	int result;

	if (!endpoint)
		return err_set(err, ERR_SETTINGS,
			"the scanner listens over tcp with keys alone: expected an ipc:// "
			"endpoint in listen as well");
	if (link_connect(endpoint, HEAD_MAX, &link, err) < 0)
		return -1;
	result = ask(link, endpoint, state_r, err);
	link_close(link);
	return result;
}

static int show(const struct wire_state *state, bool as_json, struct err *err)
{
	const struct checks *checks = &state->checks;
	auto_buf struct buf out;
	const char *text;

	if (as_json) {
		auto_json struct json json;

		json_init(&json);
		json_open(&json, NULL, '{');
		json_text(
			&json, "level", span_str(check_level_name(checks_worst(checks))));
		checks_show_json(checks, &json);
		swept_show_json(&state->swept, &json);
		json_close(&json, '}');
		return json_print(&json, err);
	}
	buf_init(&out, TEXT_MAX);
	if (checks_show_text(checks, CHECK_OK, "", &out, err) < 0 ||
		swept_show_text(&state->swept, &out, err) < 0 ||
		buf_text(&out, &text, err) < 0)
		return -1;
	return fputs(text, stdout) < 0 || fflush(stdout) < 0
		       ? err_errno(err, ERR_FATAL, "standard output")
		       : 0;
}

int cmd_check(const struct settings *settings, bool as_json)
{
	struct wire_state state = { 0 };
	struct checks_entry *first = &state.checks.list[0];
	struct err err = { 0 };

	if (find(settings, &state, &err) < 0) {
		state = (struct wire_state){ .checks.count = 1 };
		(void)snprintf(first->name, CHECK_NAME_MAX, "scanner");
		first->since_s = clock_wall_s();
		first->result.level = CHECK_CRITICAL;
		(void)snprintf(first->result.text, CHECK_TEXT_MAX, "%.199s", err.text);
	}
	if (show(&state, as_json, &err) < 0) {
		(void)fprintf(stderr, "scanner: %s\n", err.text);
		return CHECK_CRITICAL;
	}
	return (int)checks_worst(&state.checks);
}
