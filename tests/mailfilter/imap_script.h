/* SPDX-License-Identifier: ISC
 *
 * How most scripts of an IMAP server begin and end. */
#ifndef TESTS_IMAP_SCRIPT_H
#define TESTS_IMAP_SCRIPT_H

#define CAPABLE "> * CAPABILITY IMAP4rev1 UIDPLUS MOVE", "> $ OK done"
#define LOGIN                                                                            \
	"> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN \"user\" \"pass\"",            \
		"> $ OK welcome", "< CAPABILITY", CAPABLE
#define LOGOUT "< LOGOUT", "> * BYE bye", "> $ OK done"

#endif
