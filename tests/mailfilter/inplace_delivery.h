/* SPDX-License-Identifier: ISC
 *
 * A delivery in place to a server that speaks from a script, and what most scripts are made of. */
#ifndef TESTS_INPLACE_DELIVERY_H
#define TESTS_INPLACE_DELIVERY_H

#include "tests/mailfilter/delivery.h"

#include "mailfilter/inplace.h"

#include "tests/mailfilter/fake_server.h"
#include "tests/mailfilter/imap_script.h"

static char user[] = "user", host[] = "127.0.0.1", password[] = "pass";

static inline int setup(void **state)
{
	(void)state;
	if (make_top() < 0)
		return -1;
	account = (struct account_settings){ .kind = SOURCE_IMAP,
		.user = user,
		.host = host,
		.tls = TLS_NONE,
		.password = password,
		.deliver_kind = DELIVER_INPLACE,
		.after_kind = AFTER_DELETE,
		.message_max = 100000,
		.timeout_ms = 2000 };
	return 0;
}

#define FOLDER                                                                           \
	"> * FLAGS (\\Seen x)", "> * OK [PERMANENTFLAGS (\\Seen \\*)] y",                \
		"> * 5 EXISTS", "> * OK [UIDVALIDITY 7] x", "> * OK [UIDNEXT 10] x",     \
		"> $ OK [READ-ONLY] done"
#define ENTER LOGIN, "< EXAMINE \"Inb&AOQ-\"", FOLDER
#define NOOP  "< NOOP", "> $ OK done"
#define LOOK  "< UID FETCH 4 (UID FLAGS INTERNALDATE)"
#define FACTS                                                                            \
	("> * 4 FETCH (UID 4 FLAGS (\\Seen \\Recent $Work) INTERNALDATE "                \
	 "\" 1-Feb-2020 03:04:05 -0730\")"),                                             \
		"> $ OK done"

#define APPEND "< APPEND \"Inb&AOQ-\" (\\Seen $Work) \"01-Feb-2020 03:04:05 -0730\" {45}"
/* Behind it the tag is what a literal began with: 7 in most. */
#define BYTES                                                                            \
	"< X-Quarantine-ID: the-token\r\n", "< \r\n", "< cleaned\r\n", "< \r\n",         \
		"< xx\r\n", "< \r\n"
#define FIND                                                                             \
	("< UID FETCH 10:* (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-QUARANTINE-ID "   \
	 "MESSAGE-ID)]<0.2000>)")
#define FOUND(uid, token)                                                                \
	("= * 6 FETCH (UID " uid                                                         \
	 " RFC822.SIZE 45 BODY[HEADER.FIELDS (X-QUARANTINE-ID MESSAGE-ID)]<0> "          \
	 "{30}\r\nX-Quarantine-ID: " token "\r\n\r\n)\r\n")

#define DONE "> $ OK done"
#define HEAD(uid)                                                                        \
	("< UID FETCH " uid " (UID BODY.PEEK[]<0.8192>)"),                               \
		("= * 6 FETCH (UID " uid " BODY[]<0> {5}\r\nhello)\r\n"), "> $ OK done"

static const char cleaned[] = "X-Quarantine-ID: the-token\r\n\r\ncleaned\r\n\r\nxx\r\n";

/* One message on its way to a server, and what became of it. */
struct run {
	struct fake_server fake;
	struct deliver *deliver;
	struct message *message;
	int wrote, showed; /* 2: not tried */
	struct err err;
};

static inline void run_start(struct run *run, const char *const *script)
{
	*run = (struct run){ .fake = fake_start(script), .wrote = 2, .showed = 2 };
	account.port = run->fake.port;
	run->deliver = open_it();
	run->message = a_message("1.name", "");
	(void)strcpy(run->message->key.folder, "Inb\xc3\xa4");
	(void)strcpy(run->message->key.uid, "4");
	(void)strcpy(run->message->quarantine_id, "the-token");
	run->message->key.uidvalidity = 7;
	run->message->action = ACTION_CLEAN;
	assert_int_equal(
		body_add(&run->message->cleaned, span_str(cleaned), &run->err), 0);
}

static inline void run_deliver(struct run *run)
{
	run->wrote = run->deliver->ops->write(run->deliver, run->message, &run->err);
	if (run->wrote != 0)
		return;
	run->message->repeat = true;
	run->showed = run->deliver->ops->show(run->deliver, run->message, &run->err);
}

/* The script's end, unless the server left in the middle of it. */
static inline void run_end(struct run *run, bool whole)
{
	message_free(run->message);
	run->deliver->ops->close(run->deliver);
	if (!fake_end(&run->fake) && whole)
		fail_msg("the script did not come to its end");
}

static inline void run_one(struct run *run, const char *const *script)
{
	run_start(run, script);
	run_deliver(run);
}

static inline size_t journaled(void)
{
	struct inplace_journal journal = { 0 };
	size_t count;

	assert_int_equal(inplace_journal_open(top, &journal, NULL), 0);
	count = journal.count;
	inplace_journal_close(&journal);
	return count;
}

#endif
