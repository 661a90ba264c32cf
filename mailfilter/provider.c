/* SPDX-License-Identifier: ISC */
#include "mailfilter/provider.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char app_password[] =
	"this provider takes an app password only: make one in the security settings of the "
	"account on its web site";
static const char no_password[] =
	"this provider takes no passwords, only OAuth2 tokens: see `auth` in "
	"mailfilter.conf(5)";
static const char switched_on[] =
	"this provider wants IMAP and POP3 switched on first, in the settings of the account on "
	"its web site";
static const char bridge[] =
	"this provider is reached through its own bridge program on this machine, whose port and "
	"password that program says";

static const struct provider {
	const char *domains;     /* with a blank before and behind each */
	const char *imap, *pop3; /* pop3 NULL: it has none */
	const char *hint;
	bool short_user;
} providers[] = {
	{ " gmail.com googlemail.com ", "imap.gmail.com", "pop.gmail.com", app_password,
		false },
	{ " outlook.com hotmail.com live.com msn.com outlook.de hotmail.de live.de ",
		"outlook.office365.com", "outlook.office365.com", no_password, false },
	{ " yahoo.com yahoo.de yahoo.fr yahoo.co.uk ymail.com ", "imap.mail.yahoo.com",
		"pop.mail.yahoo.com", app_password, false },
	{ " aol.com aol.de ", "imap.aol.com", "pop.aol.com", app_password, false },
	{ " icloud.com me.com mac.com ", "imap.mail.me.com", NULL, app_password, true },
	{ " fastmail.com fastmail.fm ", "imap.fastmail.com", "pop.fastmail.com",
		app_password, false },
	{ " gmx.de gmx.net gmx.at gmx.ch ", "imap.gmx.net", "pop.gmx.net", switched_on,
		false },
	{ " gmx.com ", "imap.gmx.com", "pop.gmx.com", switched_on, false },
	{ " web.de ", "imap.web.de", "pop3.web.de", switched_on, false },
	{ " t-online.de ", "secureimap.t-online.de", "securepop.t-online.de",
		"this provider has a password of its own for mail programs: it is set on its web "
		"site",
		false },
	{ " posteo.de posteo.net ", "posteo.de", "posteo.de", NULL, false },
	{ " mailbox.org ", "imap.mailbox.org", "pop3.mailbox.org", NULL, false },
	{ " zoho.com ", "imap.zoho.com", "pop.zoho.com", app_password, false },
	{ " yandex.com yandex.ru ", "imap.yandex.com", "pop.yandex.com", app_password,
		false },
	{ " proton.me protonmail.com pm.me ", "127.0.0.1", NULL, bridge, false },
};

static bool has_domain(const struct provider *provider, const char *domain)
{
	char wanted[PROVIDER_HOST_MAX + 2];

	(void)snprintf(wanted, sizeof(wanted), " %s ", domain);
	return strstr(provider->domains, wanted) != NULL;
}

static const struct provider *find(const char *domain)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (domain[0] && has_domain(&providers[i], domain))
			return &providers[i];
	return NULL;
}

void provider_domain(const char *address, char domain[static PROVIDER_HOST_MAX])
{
	const char *at = strrchr(address, '@');
	const size_t len = at ? strlen(at + 1) : 0;

	domain[0] = '\0';
	if (len == 0 || len >= PROVIDER_HOST_MAX || at[1] == '.' || at[1] == '-')
		return;
	for (size_t i = 0; i <= len; i++) {
		const unsigned char c = (unsigned char)at[1 + i];

		if (c && (c >= 0x80 || (!isalnum(c) && c != '-' && c != '.'))) {
			domain[0] = '\0';
			return;
		}
		domain[i] = (char)tolower(c);
	}
}

bool provider_host(
	const char *domain, bool pop3, size_t i, char host[static PROVIDER_HOST_MAX])
{
	static const char *const imap_names[] = { "imap.", "mail.", "" },
				 *const pop3_names[] = { "pop.", "pop3.", "mail.", "" };
	const size_t count = pop3 ? sizeof(pop3_names) / sizeof(pop3_names[0])
				  : sizeof(imap_names) / sizeof(imap_names[0]);
	const struct provider *provider = find(domain);
	const char *known = provider ? (pop3 ? provider->pop3 : provider->imap) : NULL;

	if (!domain[0] || (known && i > 0) || i >= count)
		return false;
	if (known)
		(void)snprintf(host, PROVIDER_HOST_MAX, "%s", known);
	else
		(void)snprintf(host, PROVIDER_HOST_MAX, "%s%.*s",
			pop3 ? pop3_names[i] : imap_names[i], PROVIDER_HOST_MAX - 8,
			domain);
	return true;
}

bool provider_known(const char *domain)
{
	return find(domain) != NULL;
}

bool provider_short_user(const char *domain)
{
	const struct provider *provider = find(domain);

	return provider && provider->short_user;
}

const char *provider_hint(const char *name)
{
	const struct provider *provider = find(name);

	for (size_t i = 0; !provider && i < sizeof(providers) / sizeof(providers[0]); i++)
		if (providers[i].hint != bridge &&
			(strcasecmp(name, providers[i].imap) == 0 ||
				(providers[i].pop3 &&
					strcasecmp(name, providers[i].pop3) == 0)))
			provider = &providers[i];
	return provider ? provider->hint : NULL;
}
