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

int guard_open(struct guard *guard, const struct settings *settings, struct err *err)
{
	*guard = (struct guard){ .count = 0 };
	if (!settings->curve_key)
		return 0;
	if (key_read_secret(settings->curve_key, &guard->secret, err) < 0)
		return err_wrap(err, "curve-key");
	guard->clients = calloc(settings->clients.count + 1, sizeof(*guard->clients));
	if (!guard->clients)
		return err_memory(err);
	for (; guard->count < settings->clients.count; guard->count++)
		if (parse_client(settings->clients.items[guard->count],
			    &guard->clients[guard->count], err) < 0)
			return err_wrap(err, "clients");
	return 0;
}

void guard_done(struct guard *guard)
{
	key_done(&guard->secret);
	free(guard->clients);
	guard->clients = NULL;
}
