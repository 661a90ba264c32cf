/* SPDX-License-Identifier: ISC
 *
 * What a FETCH response says of a message; its flags and date as APPEND takes them. What comes from the
 * server goes back to it: only what is a flag or a date by the standard. Pure. */
#ifndef MAILFILTER_IMAP_FACTS_H
#define MAILFILTER_IMAP_FACTS_H

#include <libetpan/mailimap.h>

#include "mailfilter/imap_place.h"

/* Take what a response says of this UID; false if it is about another one or says no flags. */
bool imap_facts_read(const struct mailimap_msg_att *message, uint32_t uid,
	struct imap_place_facts *facts);

/* Is this flag among them? */
bool imap_facts_have(const struct imap_place_facts *facts, const char *flag);

/* The fact of this type that a response has, the first of them; NULL: none. */
const struct mailimap_msg_att_static *imap_facts_find(
	const struct mailimap_msg_att *message, int type);

/* Whose response it is, 0 if it does not say. */
uint32_t imap_facts_message_uid(const struct mailimap_msg_att *message);

/* The size it says, 0 if none. */
uint64_t imap_facts_message_size(const struct mailimap_msg_att *message);

/* A UID of a message's key as a number; 0, which no message has, if it is none. */
uint32_t imap_facts_uid(const char *text);

#endif
