/* SPDX-License-Identifier: ISC
 *
 * Tell the service manager (sd_notify(3) protocol: one datagram to $NOTIFY_SOCKET). Nothing
 * happens where there is none. */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

/* "READY=1\nSTATUS=..." and the like; failures are ignored, there is no one to tell. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Settings are read anew; "READY=1" ends it. */
void notify_reloading(void);

#endif
