/* SPDX-License-Identifier: ISC
 *
 * Which files a worker may touch: Landlock, by its system calls, as no library of Debian has it.
 * The kernel says which version it speaks; each knows more than the one before. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/defer.h"

#include "scanner/sandbox_inside.h"

/* What <linux/landlock.h> of Linux 6.1 does not have. */
#define FS_TRUNCATE               (1ULL << 14) /* version 3 */
#define FS_IOCTL_DEV              (1ULL << 15) /* version 5 */
#define NET_TCP                   3ULL         /* bind and connect: version 4 */
#define SCOPE_SOCKETS_AND_SIGNALS 3ULL         /* version 6 */

/* struct landlock_ruleset_attr, whole: what a kernel does not know stays 0, and it lets it pass. */
struct ruleset {
	uint64_t fs, net, scoped;
};

enum {
	VERSION_REFER = 2,
	VERSION_TRUNCATE = 3,
	VERSION_NET = 4,
	VERSION_IOCTL = 5,
	VERSION_SCOPE = 6
};

static const uint64_t fs_all =
	LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
	LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
	LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
	LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
	LANDLOCK_ACCESS_FS_MAKE_SYM;

static const uint64_t fs_in_temp =
	LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
	LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
	LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE;

/* 0: the kernel has none, or does not let us. */
static long version(void)
{
	long version = syscall(
		SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? version : 0;
}

bool sandbox_has_paths(void)
{
	return version() > 0;
}

/* Access that is not handled is not checked. */
static struct ruleset handled(long version)
{
	struct ruleset rules = { .fs = fs_all };

	if (version >= VERSION_REFER)
		rules.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= VERSION_TRUNCATE)
		rules.fs |= FS_TRUNCATE;
	if (version >= VERSION_NET)
		rules.net = NET_TCP;
	if (version >= VERSION_IOCTL)
		rules.fs |= FS_IOCTL_DEV;
	if (version >= VERSION_SCOPE)
		rules.scoped = SCOPE_SOCKETS_AND_SIGNALS;
	return rules;
}

int sandbox_confine(const char *dir, struct err *err)
{
	long kernel = version();
	struct ruleset rules = handled(kernel);
	struct landlock_path_beneath_attr beneath = { .parent_fd = -1 };
	auto_close int folder = -1, ruleset = -1;

	if (kernel == 0)
		return 0;
	folder = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return err_errno(err, ERR_FATAL, "temp folder %s", dir);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (ruleset < 0)
		return err_errno(err, ERR_FATAL, "Landlock's rules");
	beneath.parent_fd = folder;
	beneath.allowed_access = fs_in_temp & rules.fs;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath,
		    0) < 0 ||
		syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_errno(err, ERR_FATAL, "Landlock");
	return 0;
}
