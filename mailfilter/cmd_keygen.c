/* SPDX-License-Identifier: ISC
 *
 * mailfilter keygen: a pair of keys for mailfilter and scanner on different hosts, and what to do
 * with them. Needs neither settings nor scanner; never overwrites a file. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/link.h"
#include "common/log.h"

#include "mailfilter/cmd.h"

static const char usage[] = "usage: mailfilter keygen FILE\n";

enum {
	SECRET_MODE = 0600,
	PUBLIC_MODE = 0644
};

/* Both or none. */
static int write_pair(
	const char *path, const char *public_path, struct key *public_r, struct err *err)
{
	DEFER(key_done) struct key secret = { "" };

	if (link_make_keys(&secret, public_r, err) < 0 ||
		key_write(path, &secret, SECRET_MODE, err) < 0)
		return -1;
	if (key_write(public_path, public_r, PUBLIC_MODE, err) == 0)
		return 0;
	(void)unlink(path);
	return -1;
}

static void tell(const char *path, const char *public_path, const struct key *public)
{
	(void)printf(
		"secret key: %s (its owner's alone; it stays on this host)\n"
		"public key: %s\n"
		"            %s\n"
		"\n"
		"If it is for mailfilter: in mailfilter.conf here\n"
		"    curve-key = \"%s\"\n"
		"and in scanner.conf of each scanner it uses, with a name of your choice,\n"
		"    clients = { \"%s NAME\" }\n"
		"\n"
		"If it is for a scanner: in scanner.conf here\n"
		"    listen    = { \"tcp://ADDRESS:4310\" }\n"
		"    curve-key = \"%s\"\n"
		"and in mailfilter.conf of each mailfilter that uses it\n"
		"    scanners = { \"tcp://HOST:4310 %s\" }\n"
		"\n"
		"The secret key must belong to the user that the program runs as.\n",
		path, public_path, public->text, path, public->text, path, public->text);
}

int cmd_keygen(const struct settings *settings, int argc, char **argv)
{
	char path[PATH_MAX], public_path[PATH_MAX + sizeof(".pub")];
	auto_free char *folder = NULL;
	struct key public;
	struct err err = { 0 };

	(void)settings;
	if (argc != 2 || argv[1][0] == '-' || argv[1][0] == '\0')
		return cmd_usage(usage, "keygen: expected the name of one file");
	if (argv[1][0] != '/')
		folder = realpath(".", NULL);
	if ((argv[1][0] != '/' && !folder) ||
		snprintf(path, sizeof(path), "%s%s%s", folder ? folder : "",
			folder ? "/" : "", argv[1]) >= (int)sizeof(path))
		return cmd_usage(usage, "keygen: %s: expected a shorter name", argv[1]);
	(void)snprintf(public_path, sizeof(public_path), "%s.pub", path);
	if (write_pair(path, public_path, &public, &err) < 0) {
		log_error("%s", err.text);
		return err.kind == ERR_SETTINGS ? EX_CANTCREAT : err_exit_code(err.kind);
	}
	tell(path, public_path, &public);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
