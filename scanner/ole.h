/* SPDX-License-Identifier: ISC
 *
 * Microsoft's compound files: is this an Office document that needs a password? libclamav looks at
 * the encrypted bytes and says nothing. Pure; bytes are untrusted, what is damaged is not
 * encrypted. */
#ifndef SCANNER_OLE_H
#define SCANNER_OLE_H

#include "common/buf.h"

bool ole_is_encrypted(struct span bytes);

#endif
