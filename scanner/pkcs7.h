/* SPDX-License-Identifier: ISC
 *
 * The content of an opaque S/MIME signature (RFC 8551, application/pkcs7-mime with
 * smime-type=signed-data): a mail inside of BER, which libclamav does not open. Nothing is
 * verified. Pure; bytes are untrusted. */
#ifndef SCANNER_PKCS7_H
#define SCANNER_PKCS7_H

#include "common/buf.h"

enum pkcs7_kind {
	PKCS7_NONE,     /* not signed-data, whatever it is */
	PKCS7_DETACHED, /* signed-data with no content: a signature or certificates alone */
	PKCS7_SIGNED,   /* with content, added to out */
	PKCS7_BROKEN,   /* signed-data whose content cannot be taken out */
};

/* out takes no more than bytes.len. Fails with ERR_FATAL (memory) only. */
int pkcs7_open(
	struct span bytes, struct buf *out, enum pkcs7_kind *kind_r, struct err *err);

#endif
