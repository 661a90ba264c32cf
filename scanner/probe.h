/* SPDX-License-Identifier: ISC
 *
 * The probe: a harmless random text of our own with a signature that is always loaded, and a mail
 * that carries it where only a scanner in good order finds it: in a zip, in base64, in a MIME
 * part, which needs temporary files, as a raw scan does not. Pure. */
#ifndef SCANNER_PROBE_H
#define SCANNER_PROBE_H

#include "common/buf.h"

/* How the name of its signature begins; libclamav adds ".UNOFFICIAL". */
extern const char probe_name[];

/* The line of an .ndb file that finds it. */
extern const char probe_signature[];

/* Append the mail, with the probe inside or with a harmless text of its size in its place. */
int probe_mail(bool with_probe, struct buf *out, struct err *err);

#endif
