/* SPDX-License-Identifier: ISC
 *
 * Setting up an account: what was asked, the settings file it goes into, the scanner it needs.
 * Nothing is on disk before setup_file_write. */
#ifndef MAILFILTER_SETUP_H
#define MAILFILTER_SETUP_H

#include <limits.h>

#include "mailfilter/ask.h"
#include "mailfilter/provider.h"
#include "mailfilter/remarks.h"
#include "mailfilter/settings.h"

enum {
	SETUP_SECTION_MAX = 64 * 1024, /* bytes of an account's section */
	SETUP_SERVICE_MODE = 0640,
	SETUP_OWN_MODE = 0600,
	SETUP_OPEN_MODE = 0644,
};

/* Who the service runs as, where root sets it up. */
#define SETUP_SERVICE_USER "mailfilter"

struct setup {
	struct ask ask;
	char path[PATH_MAX];      /* of the settings file */
	bool is_default;          /* it is found without -c */
	bool fresh;               /* it is not there yet */
	struct buf old;           /* its bytes */
	struct settings settings; /* as they are */
	char address[ASK_ANSWER_MAX], domain[PROVIDER_HOST_MAX];
	char name[ASK_ANSWER_MAX], protocol[ASK_ANSWER_MAX], server[ASK_ANSWER_MAX],
		user[ASK_ANSWER_MAX];
	char password_file[PATH_MAX], password[ASK_ANSWER_MAX]; /* "": none was typed */
	struct schema_list password_command;
	char tls_ca[ASK_ANSWER_MAX];
	char deliver[ASK_ANSWER_MAX], recipient[ASK_ANSWER_MAX], after[ASK_ANSWER_MAX];
	struct schema_list deliver_command;
};

void setup_done(struct setup *setup);

/* The questions in their order, each by its word: "address", "name", "protocol", "server", "user",
 * "password", "deliver", "after", "tls-ca". */
struct setup_question {
	const char *word;
	const char *with; /* it is asked again with one of these words; NULL: with none */
	bool later;       /* only where a person asks for it */
	enum ask_result (*ask)(struct setup *setup);
};
extern const struct setup_question setup_questions[];

/* Find, read and check the settings file; file NULL: the one for this user. */
int setup_file_open(struct setup *setup, const char *file, struct err *err);

/* What the file would be, and those settings loaded from it. */
int setup_file_text(const struct setup *setup, struct buf *text, struct err *err);
int setup_file_load(const struct setup *setup, const struct buf *text,
	struct settings *settings_r, struct err *err);

/* Write it, and before it the password that was typed: both or none. A file that has changed since
 * it was read is not touched. */
int setup_file_write(const struct setup *setup, const struct buf *text, struct err *err);

/* A new file with its folder; one that is there is not touched. Where root writes it, it is for a service:
 * a secret is mailfilter's alone, anything else all may read. */
int setup_file_new(const char *path, struct span bytes, bool secret, struct err *err);

/* No scanner answers: offer settings for one of this user's own, beside the settings. wrote_r: they
 * were written there. */
enum ask_result setup_scanner(
	struct setup *setup, const struct settings *settings, bool *wrote_r);

#endif
