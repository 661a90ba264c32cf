/* SPDX-License-Identifier: ISC
 *
 * What a response line is, by its start. For imap_gate.c alone. */
#ifndef MAILFILTER_IMAP_GATE_LINE_H
#define MAILFILTER_IMAP_GATE_LINE_H

#include "mailfilter/imap_gate.h"

/* What the present line is. */
enum imap_gate_line {
	LINE_HEAD,  /* not known yet: its start is held back */
	LINE_PLAIN, /* passes; no literal in it */
	LINE_FETCH, /* passes, with its literals */
	LINE_TEXT,  /* dropped; free text, so a {n} at its end means nothing */
	LINE_DATA,  /* dropped, with its literals */
	LINE_BYE,   /* kept for the error text */
	LINE_LIST,  /* kept with its literals for who asked for a list of folders */
};

/* By gate->head; notes a tagged line and the greeting. */
enum imap_gate_line imap_gate_classify(struct imap_gate *gate);

#endif
