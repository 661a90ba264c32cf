/* SPDX-License-Identifier: ISC */
#include "mailfilter/owner.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

int owner_check(const char *folder, struct err *err)
{
	const struct passwd *user;
	struct stat st;

	if (geteuid() != 0 || stat(folder, &st) < 0 || st.st_uid == 0)
		return 0;
	user = getpwuid(st.st_uid);
	if (!user)
		return err_set(err, ERR_SETTINGS,
			"%s belongs to the user id %u, who could not use what root leaves "
			"there: run as that user",
			folder, (unsigned)st.st_uid);
	return err_set(err, ERR_SETTINGS,
		"%s belongs to %s, who could not use what root leaves there: run it as "
		"runuser -u %s -- mailfilter ...",
		folder, user->pw_name, user->pw_name);
}
