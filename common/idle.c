/* SPDX-License-Identifier: ISC */
#include "common/idle.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	NICE_LEAST = 19,
	/* Of <linux/ioprio.h>, which glibc does not have. */
	IOPRIO_WHO_PROCESS = 1,
	IOPRIO_LOWEST = 2 << 13 | 7, /* of best effort */
	IOPRIO_IDLE = 3 << 13
};

void idle_enter(void)
{
	const struct sched_param none = { 0 };

	(void)setpriority(PRIO_PROCESS, 0, NICE_LEAST);
	(void)sched_setscheduler(0, SCHED_IDLE, &none);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
}

void idle_nearly(void)
{
	(void)setpriority(PRIO_PROCESS, 0, NICE_LEAST);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_LOWEST);
}
