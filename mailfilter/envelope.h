/* SPDX-License-Identifier: ISC
 *
 * The envelope of a message that has none any more: who sent it, as its header says. Pure. */
#ifndef MAILFILTER_ENVELOPE_H
#define MAILFILTER_ENVELOPE_H

#include "common/buf.h"

#include "mailfilter/destination.h"

enum {
	ENVELOPE_SENDER_MAX = DESTINATION_ADDRESS_MAX + 1
};

/* The address for an envelope, "" for none: the one set, else that of the first Return-Path, if it
 * is one and all ASCII. The message is untrusted; the result has no blank, bracket or control
 * character. */
void envelope_sender(
	const char *set, struct span message, char sender_r[static ENVELOPE_SENDER_MAX]);

#endif
