/* SPDX-License-Identifier: ISC */
#include "mailfilter/hostname.h"

#include <stdio.h>
#include <unistd.h>

void hostname_get(char name[static HOSTNAME_SIZE])
{
	if (gethostname(name, HOSTNAME_SIZE) < 0)
		name[0] = '\0';
	name[HOSTNAME_SIZE - 1] = '\0';
	for (char *p = name; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			    (*p >= '0' && *p <= '9') || *p == '-' || *p == '.'))
			*p = '-';
	if (!name[0])
		(void)snprintf(name, HOSTNAME_SIZE, "localhost");
}
