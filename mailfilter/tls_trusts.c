/* SPDX-License-Identifier: ISC */
#include "mailfilter/tls_trusts.h"

#include <stdlib.h>
#include <string.h>

#include "mailfilter/tls.h"

/* Where Debian's GnuTLS finds what the system trusts. */
static const char system_file[] = "/etc/ssl/certs/ca-certificates.crt";

static bool same_file(const struct stat *left, const struct stat *right)
{
	return left->st_ino == right->st_ino && left->st_dev == right->st_dev &&
	       left->st_size == right->st_size &&
	       left->st_mtim.tv_sec == right->st_mtim.tv_sec &&
	       left->st_mtim.tv_nsec == right->st_mtim.tv_nsec;
}

static void load(struct tls_trusted *item)
{
	struct stat st = { 0 };
	struct err ignored;

	if (stat(item->ca_file ? item->ca_file : system_file, &st) < 0)
		st = (struct stat){ 0 };
	if (item->trust && same_file(&st, &item->st))
		return;
	tls_trust_free(item->trust);
	item->trust = NULL;
	item->st = st;
	(void)tls_trust_load(item->ca_file, &item->trust, &ignored);
}

static struct tls_trusted *find(struct tls_trusts *trusts, const char *ca_file)
{
	for (size_t i = 0; i < trusts->count; i++) {
		const char *known = trusts->items[i].ca_file;

		if (known && ca_file ? strcmp(known, ca_file) == 0 : known == ca_file)
			return &trusts->items[i];
	}
	return NULL;
}

static struct tls_trusted *add(struct tls_trusts *trusts, const char *ca_file)
{
	struct tls_trusted *item = &trusts->items[trusts->count];

	if (trusts->count == TLS_TRUSTS_MAX)
		return NULL;
	*item = (struct tls_trusted){ .ca_file = ca_file ? strdup(ca_file) : NULL };
	if (ca_file && !item->ca_file)
		return NULL;
	trusts->count++;
	load(item);
	return item;
}

void tls_trusts_update(struct tls_trusts *trusts, struct settings *settings)
{
	struct account_settings *accounts = settings->accounts.items;

	for (size_t i = 0; i < trusts->count; i++)
		load(&trusts->items[i]);
	for (size_t i = 0; i < settings->accounts.count; i++) {
		struct account_settings *account = &accounts[i];
		const struct tls_trusted *item;

		account->trust = NULL;
		if (account->kind == SOURCE_MAILDIR || account->tls == TLS_NONE)
			continue;
		item = find(trusts, account->tls_ca);
		if (!item)
			item = add(trusts, account->tls_ca);
		if (item)
			account->trust = item->trust;
	}
}

void tls_trusts_done(struct tls_trusts *trusts)
{
	for (size_t i = 0; i < trusts->count; i++) {
		free(trusts->items[i].ca_file);
		tls_trust_free(trusts->items[i].trust);
	}
	trusts->count = 0;
}
