/* SPDX-License-Identifier: ISC */
#include "scanner/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_client(const char *text, struct link_client *client_r, struct err *err)
{
	size_t key_len = strcspn(text, " \t");
	const char *name = text + key_len + strspn(text + key_len, " \t");
	char key[KEY_TEXT_LEN + 1];

	if (key_len != KEY_TEXT_LEN || *name == '\0' ||
		strlen(name) >= sizeof(client_r->name))
		return err_set(err, ERR_SETTINGS,
			"\"%.120s\": expected a key of %d bytes, a blank and a name of up to "
			"%d",
			text, KEY_TEXT_LEN, LINK_CLIENT_NAME_MAX - 1);
	memcpy(key, text, KEY_TEXT_LEN);
	key[KEY_TEXT_LEN] = '\0';
	if (key_parse(key, &client_r->key, err) < 0)
		return err_wrap(err, "\"%.120s\"", text);
	(void)snprintf(client_r->name, sizeof(client_r->name), "%s", name);
	return 0;
}

int guard_check_client(const char *text, struct err *err)
{
	struct link_client client;

	return parse_client(text, &client, err);
}

int guard_check(const struct settings *settings, struct err *err)
{
	DEFER(key_done) struct key secret = { "" };

	if (settings->curve_key &&
		key_read_secret(settings->curve_key, &secret, err) < 0) {
		(void)err_wrap(err, "curve-key");
		return settings_blame(settings, settings->curve_key_line, err);
	}
	return 0;
}

static int listen_with(const struct settings *settings, size_t frame_max,
	const struct link_keys *keys, struct link **link_r, struct err *err)
{
	return link_bind_keys((const char *const *)settings->listen.items,
		settings->listen.count, frame_max, keys, link_r, err);
}

/* The items of `clients`, as a link takes them. */
static int parse_clients(
	const struct settings *settings, struct link_client **clients_r, struct err *err)
{
	auto_free struct link_client *clients =
		calloc(settings->clients.count + 1, sizeof(*clients));

	if (!clients)
		return err_memory(err);
	for (size_t i = 0; i < settings->clients.count; i++)
		if (parse_client(settings->clients.items[i], &clients[i], err) < 0)
			return err_wrap(err, "clients");
	*clients_r = take_ptr(&clients);
	return 0;
}

int guard_listen(const struct settings *settings, size_t frame_max, struct link **link_r,
	struct err *err)
{
	DEFER(key_done) struct key secret = { "" };
	struct link_keys keys = { .secret = &secret,
		.client_count = settings->clients.count };
	auto_free struct link_client *clients = NULL;

	if (!settings->curve_key)
		return listen_with(settings, frame_max, NULL, link_r, err);
	if (guard_check(settings, err) < 0 ||
		key_read_secret(settings->curve_key, &secret, err) < 0)
		return -1;
	if (parse_clients(settings, &clients, err) < 0)
		return -1;
	keys.clients = clients;
	return listen_with(settings, frame_max, &keys, link_r, err);
}

int guard_reload(const struct settings *settings, struct link *link, struct err *err)
{
	DEFER(settings_free) struct settings again = { 0 };
	auto_free struct link_client *clients = NULL;

	if (!settings->path)
		return 0;
	if (settings_load(settings->path, &again, err) < 0)
		return -1;
	if (!settings->curve_key)
		return 0;
	if (parse_clients(&again, &clients, err) < 0)
		return -1;
	return link_allow(link, clients, again.clients.count, err);
}
