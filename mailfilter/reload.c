/* SPDX-License-Identifier: ISC */
#include "mailfilter/reload.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/defer.h"

static bool wanted(const struct reload *reload, const char *name)
{
	for (size_t i = 0; i < reload->only_count; i++)
		if (strcmp(reload->only[i], name) == 0)
			return true;
	return reload->only_count == 0;
}

static struct child *find(const struct children *children, const char *name)
{
	for (size_t i = 0; i < children->count; i++)
		if (strcmp(children->items[i].name, name) == 0)
			return &children->items[i];
	return NULL;
}

static void add(struct children *children, const struct account_settings *account)
{
	struct child *child = &children->items[children->count++];

	*child = (struct child){ .account = account, .fd = -1 };
	(void)snprintf(child->name, sizeof(child->name), "%s", account->name);
}

int reload_first(const struct reload *reload, const struct settings *settings,
	struct children *children_r, struct err *err)
{
	children_r->items =
		calloc(settings->accounts.count + 1, sizeof(*children_r->items));
	if (!children_r->items)
		return err_memory(err);
	for (size_t i = 0; i < settings->accounts.count; i++)
		if (wanted(reload, settings_account(settings, i)->name))
			add(children_r, settings_account(settings, i));
	return 0;
}

/* Its messages that are not delivered yet are left on the server; its end is awaited. */
static void tell_to_end(struct child *child, int64_t stop_ms)
{
	if (child->pid == 0)
		return;
	if (child->kill_ms == 0)
		child->kill_ms = clock_ms() + stop_ms;
	(void)kill(child->pid, SIGTERM);
}

/* What an account has of its old child. Whoever mended settings need not wait for a back-off. */
static void take_over(
	struct child *child, const struct child *old, bool same, int64_t stop_ms)
{
	const struct account_settings *account = child->account;

	if (same || old->pid > 0)
		*child = *old;
	child->account = account;
	if (!same) {
		child->failures = child->losses = 0;
		child->polls = false;
		child->again = child->pid > 0;
		tell_to_end(child, stop_ms);
	}
	if (child->pid == 0 && (!same || child->failures > 0 || child->unreached > 0))
		child->due_ms = clock_ms();
}

static int check(
	const struct settings *old, const struct settings *settings, struct err *err)
{
	if (settings_check_accounts(settings, err) < 0 ||
		settings_check_scanners(settings, err) < 0)
		return -1;
	if (strcmp(old->state_dir, settings->state_dir) == 0)
		return 0;
	return schema_error(err, settings->path, 0,
		"state-dir: expected \"%.200s\" as before; to have another, restart "
		"mailfilter",
		old->state_dir);
}

/* Those whose accounts are gone stay until their processes are. */
static void keep_leaving(
	struct children *next, const struct children *children, int64_t stop_ms)
{
	for (size_t i = 0; i < children->count; i++) {
		const struct child *old = &children->items[i];
		struct child *child;

		if (old->pid == 0 || find(next, old->name))
			continue;
		child = &next->items[next->count++];
		*child = *old;
		child->account = NULL;
		child->due_ms = -1;
		tell_to_end(child, stop_ms);
	}
}

int reload_again(const struct reload *reload, struct settings *settings,
	struct children *children, int64_t stop_ms, struct err *err)
{
	DEFER(settings_free) struct settings fresh = { 0 };
	struct children next = { 0 };
	struct child *items;

	if (settings_load(settings->path, &fresh, err) < 0 ||
		check(settings, &fresh, err) < 0 ||
		reload_first(reload, &fresh, &next, err) < 0)
		return -1;
	items = realloc(
		next.items, (next.count + children->count + 1) * sizeof(*next.items));
	if (!items) {
		free(next.items);
		return err_memory(err);
	}
	next.items = items;
	for (size_t i = 0; i < next.count; i++) {
		const struct child *old = find(children, next.items[i].name);

		if (old)
			take_over(&next.items[i], old,
				old->account && old->kill_ms == 0 &&
					settings_same_account(settings, old->account,
						&fresh, next.items[i].account),
				stop_ms);
	}
	keep_leaving(&next, children, stop_ms);
	free(children->items);
	*children = next;
	settings_free(settings);
	*settings = fresh;
	fresh = (struct settings){ 0 };
	return 0;
}
