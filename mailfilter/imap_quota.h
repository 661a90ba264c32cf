/* SPDX-License-Identifier: ISC
 *
 * QUOTA responses (RFC 9208): "* QUOTA ROOT (STORAGE USED LIMIT MESSAGE ...)" in units of 1024
 * bytes. The bytes are the server's: untrusted. Pure. */
#ifndef MAILFILTER_IMAP_QUOTA_H
#define MAILFILTER_IMAP_QUOTA_H

#include "mailfilter/source.h"

/* Of all roots the one with the least room left. What is no such response is passed over. */
void imap_quota_read(struct span responses, struct source_facts *facts);

#endif
