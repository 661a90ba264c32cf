/* SPDX-License-Identifier: ISC */
#include "mailfilter/confine.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/defer.h"

/* A list of what is refused and not of what is allowed: name service, TLS and SQLite come from the
 * system, in many versions, and do what they like in their libraries. */
static const int refused[] = {
	/* other programs */
	SCMP_SYS(execve), SCMP_SYS(execveat),
	/* other processes: those of this user, the one that may run commands above all */
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
	/* the file system as others see it */
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount),
	SCMP_SYS(fsconfig), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(swapon), SCMP_SYS(swapoff),
	SCMP_SYS(quotactl), SCMP_SYS(acct), SCMP_SYS(mknod), SCMP_SYS(mknodat),
	/* namespaces, in which an ordinary user has the privileges to try what follows */
	SCMP_SYS(unshare), SCMP_SYS(setns),
	/* the kernel */
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(personality),
	/* keys: of the session, so other programs' */
	SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key)
};

/* What is typed into a terminal by these its shell runs. The kernel looks at 32 bits of them. */
static const unsigned typing[] = { TIOCSTI, TIOCLINUX };

static void filter_free(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int fill(scmp_filter_ctx filter)
{
	const uint32_t action = SCMP_ACT_ERRNO(EPERM);
	int code = 0;

	/* Where the kernel or a filter around us knows no log of it, it is refused all the same. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]) && code == 0; i++)
		code = seccomp_rule_add(filter, action, refused[i], 0);
	for (size_t i = 0; i < sizeof(typing) / sizeof(typing[0]) && code == 0; i++)
		code = seccomp_rule_add(filter, action, SCMP_SYS(ioctl), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, typing[i]));
	return code;
}

int confine_worker(struct err *err)
{
	DEFER(filter_free) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int code;

	if (!filter)
		return err_memory(err);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(err, ERR_FATAL, "no_new_privs");
	code = fill(filter);
	if (code == 0)
		code = seccomp_load(filter);
	if (code == 0)
		return 0;
	return err_set(err, ERR_FATAL, "the filter of system calls (seccomp): %s",
		strerror(-code));
}

int confine_process(struct err *err)
{
	const struct rlimit none = { 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return err_errno(err, ERR_FATAL, "setrlimit CORE");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_errno(err, ERR_FATAL, "not dumpable");
	return 0;
}
