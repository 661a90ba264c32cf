/* SPDX-License-Identifier: ISC
 *
 * The folder of one account below state-dir: its lock, and tmp/ for what is being worked on. The
 * record and the quarantine live beside them. One worker at a time holds it; who only looks needs
 * the path alone. */
#ifndef MAILFILTER_ACCOUNT_DIR_H
#define MAILFILTER_ACCOUNT_DIR_H

#include "common/buf.h"

enum {
	ACCOUNT_SIGN_MAX = 9 /* with its end */
};

struct account_dir {
	char *path; /* STATE_DIR/ACCOUNT */
	char *tmp;  /* for message bodies; empty at the start */
	int lock;
	/* Eight hexadecimal digits of its real path: tells what is ours in a place that others use,
	 * too, as a Maildir. As the lock is ours, nobody else alive has it. */
	char sign[ACCOUNT_SIGN_MAX];
	bool crashed; /* account_dir_note_crash said so of the last worker */
};

/* The sign of who works in this folder, for places that others use, too. */
int account_dir_sign(
	const char *path, char sign_r[static ACCOUNT_SIGN_MAX], struct err *err);

/* The path, which the caller frees. A name that would leave state_dir: ERR_SETTINGS. */
int account_dir_path(
	const char *state_dir, const char *account, char **path_r, struct err *err);

/* Make what is missing (0700), take the lock, empty tmp. Another process holds it: ERR_AGAIN with
 * its pid. A link in place of the folder, or one that everybody may write to: ERR_ACCOUNT. */
int account_dir_open(const char *state_dir, const char *account,
	struct account_dir *dir_r, struct err *err);
void account_dir_close(struct account_dir *dir);

/* Does a worker seem to be at work there? Takes no lock, which could be in its way: the process that
 * held it last is alive. */
bool account_dir_is_busy(const char *path);

/* For who saw its worker die of what it did, not of somebody else's kill: the next one to open it
 * knows. Where that cannot be written it is as if it had been killed. */
void account_dir_note_crash(const char *state_dir, const char *account);

/* Will it be gone after a reboot? Then a sentence for people in text, else "": what was delivered
 * would be forgotten, and delivered once more. */
bool account_dir_is_volatile(const struct account_dir *dir, char *text, size_t size);

#endif
